/* Which experts are kin, by their names: they learnt from much the same texts, so that they err together, and a judge
 * may favour its own. */
#pragma once

#include "base/str.h"

/* "openai/GPT-4o-mini" and "azure/gpt-4.1" are "gpt", "mixtral-8x7b" and "mathstral-7b" "mistral": the letters that a
 * name begins with, behind its provider's, in lower case, by way of a short list of houses. A constant or a slice of
 * `name`; names compare by judge_same_family. */
struct str judge_family(struct str name);
bool judge_same_family(struct str a, struct str b);
