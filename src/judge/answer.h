/* Answer text → what was answered → score. Pattern work only: no call, no allocation.
 *
 * What a text answers is, in this order: the words behind its last "answer is" or "Answer:", without quotes,
 * brackets, emphasis and the full stop; else its last number; else nothing. */
#pragma once

#include <stdbool.h>

#include "data/dataset.h"

#define JUDGE_NUMBER_TOLERANCE 1e-6 /* relative; numbers nearer than this are the same */

/* A slice of `text`; false when it holds no answer. */
bool judge_answer_extract(struct str text, struct str *ret);
/* The choice letter A..P behind the last "answer is"/"Answer:"; '\0' when there is none. */
char judge_choice_extract(struct str text);
/* Equal as numbers when both are numbers ("1,234" is 1234), else as text without case and outer blanks. */
bool judge_answers_agree(struct str a, struct str b);
/* 1 when the response answers the query as query->answer says, else 0. A query with choices is judged by its
 * letter; a query without a known answer scores 0. */
float judge_score(const struct query *query, struct str response);
