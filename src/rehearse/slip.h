/* Wrong answers that look right: the slip of a pen for every form of answer. */
#pragma once

#include "base/rng.h"
#include "rehearse/solve.h"

/* Writes a wrong answer (never equal to right->answer) of the same form. */
void slip_answer(const struct solution *right, struct rng *rng, char into[SOLUTION_ANSWER_BYTES]);
