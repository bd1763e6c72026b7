/* A dialect that nobody speaks, to show what a new one needs: this row, and nothing else in the tree. Tests give it to
 * an expert by its address; a real one has a line in DIALECTS besides (docs/adding-a-dialect.md).
 *
 *     POST /say     {"speaker":"m","words":9,"live":false,"lines":[{"from":"user","said":"Hi"}]}
 *     its answer    {"said":"Hello","why":"end","counted":{"heard":3,"said":1}}
 *     its stream    event: word     data: {"said":"Hel"}
 *                   event: end      data: {"why":"end","counted":{"heard":3,"said":1}}
 *     its error     event: trouble  data: {"message":"too tired","code":503} */
#pragma once

#include "dialect/dialect.h"

extern const struct dialect dialect_toy;
