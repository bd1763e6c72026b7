/* How many tokens characters make, by their script, where no tokenizer is at hand. The unit is a character of Latin
 * text: four of them are taken for a token, as recorded data sets count them, so that Latin text counts as many as it
 * has code points. A Han character counts four, because it is about a token by itself. */
#pragma once

#include <stdint.h>

#include "base/str.h"

/* Of a text that is valid UTF-8; of other bytes something between their number and four times that. */
uint64_t script_characters(struct str text);
/* Of one unit of UTF-16: what a \u escape of JSON holds. The halves of a pair count as much as the whole. */
uint32_t script_unit_characters(uint32_t unit);
