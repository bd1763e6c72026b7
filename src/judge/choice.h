/* Which choice of a query a text settles on: one rule for every expert, from a bare "C." to pages of reasoning.
 *
 * The rule was chosen by measuring on the recorded texts of 33 models; docs/judge.md says what it does and how
 * often it agrees with what was recorded. Linear in the length of the text; nothing is allocated. */
#pragma once

#include "data/dataset.h"

/* The letter of a choice, 'A' for query->choices[0] and so on; '\0' when the choice is unknown: there is neither a
 * letter nor the words of one choice, several are left open ("(A) or (B)"), "none of the above" is said but is no
 * choice, or the text was cut off. A query whose choice_count is over 0 while its choices are NULL is judged by letters
 * alone. */
char judge_choice(const struct query *query, struct str response);
