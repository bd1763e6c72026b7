/* What a text says once its thoughts are taken off. Reasoning models think in the text itself, between marks such as
 * <think> and </think>; many chat templates swallow the first of them. What is thought there, and taken back, is no
 * answer. */
#pragma once

#include "base/str.h"

/* What stands behind the last mark that ends a thought, up to a thought that begins there and was cut off; the whole
 * text where there are no such marks. A slice of `text`, in linear time. A mark that begins one counts at the
 * beginning of a line only: texts about such marks exist. */
struct str judge_behind_thought(struct str text);
