/* Names of models made comparable: "openai/GPT-4o-2024-05-13" is "gpt-4o-2024-05-13". */
#pragma once

#include "base/arena.h"

/* In lower case, without a provider before a slash, a tag behind a colon or an at sign, and words that say nothing of
 * the model. NULL pointer: out of memory. */
struct str name_canonical(struct arena *a, struct str name);
/* How well two canonical names agree: 0 not at all, 3 the same, 2 but for a date or version at the end, 1 but for
 * "-instruct", "-chat" and the like, too. */
int name_agreement(struct str a, struct str b);
