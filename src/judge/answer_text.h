/* Answer text → what was answered → score. Pattern work only: no call, no allocation, linear in the text.
 *
 * A query with choices is answered by a letter (judge/choice.h). Any other is answered by, in this order: the words
 * behind the text's last "answer is" or "Answer:", its last \boxed{...}, its last number; without quotes, brackets,
 * emphasis and the full stop. Where none of these is there, the answer is unknown. */
#pragma once

#include <stdbool.h>

#include "data/dataset.h"

#define JUDGE_NUMBER_TOLERANCE 1e-6 /* relative; numbers nearer than this are the same */
#define JUDGE_ANSWER_BYTES_MAX 500  /* longer is no answer, but a text */

enum judge_rule {
    JUDGE_AUTO,   /* a letter where the query has choices, else as judge_answer_extract */
    JUDGE_CHOICE, /* a letter, whether or not the query lists its choices apart from its text */
    JUDGE_NUMBER, /* the number behind "answer is" or in \boxed{}, else the last one */
    JUDGE_TEXT,   /* the words behind "answer is" or in \boxed{} */
};

/* What the response answers: a slice of it, or of a constant; false when the answer is unknown. */
NODISCARD bool judge_answer_read(const struct query *query, enum judge_rule rule,
                                 struct str response, struct str *ret);
/* A slice of `text`; false when it holds no answer. */
bool judge_answer_extract(struct str text, struct str *ret);
/* Equal as numbers when both are numbers ("$1,234" is 1234.0, "1/2" is 0.5, "5 km" is "5" but not "5 m"), else as text
 * without case, blanks and punctuation between words. */
bool judge_answers_agree(struct str a, struct str b);
/* 1 when the response answers the query as query->answer says, else 0. A query with choices is judged by its
 * letter; a query without a known answer scores 0. */
float judge_score(const struct query *query, struct str response);
