/* What a text states as its answer, in words or as a number. */
#pragma once

#include <stdbool.h>

#include "base/str.h"

/* Behind the last "answer is", "Answer:", "####", or what other languages and JSON have for it, else in the last
 * \boxed{}: the words up to the end of the sentence, without quotes, brackets, emphasis and the full stop. A slice of
 * `text`, which is read in linear time; false when nothing is stated, or more than JUDGE_ANSWER_BYTES_MAX. */
bool stated_read(struct str text, struct str *ret);
