/* Questions with known answers, over the skills of the sandbox experts: several phrasings and three levels of
 * difficulty each. The answers are worked out here, from the numbers drawn, not by the experts' solver: the two
 * check each other in the tests. Seeded: the same rng state makes the same question. */
#pragma once

#include "base/rng.h"
#include "rehearse/solve.h"

#define QUESTION_TEXT_BYTES   400
#define QUESTION_ANSWER_BYTES 64
#define QUESTION_LEVELS       3

struct question {
    enum skill skill;
    unsigned level; /* 1 (easy) .. QUESTION_LEVELS */
    char text[QUESTION_TEXT_BYTES];
    char answer[QUESTION_ANSWER_BYTES];
};

void question_make(struct rng *rng, enum skill skill, unsigned level, struct question *ret);
/* Skill and level drawn too. */
void question_draw(struct rng *rng, struct question *ret);
