/* What the question makers of the skills share. Each fills text and answer; skill and level are set. */
#pragma once

#include "pose/question.h"

void question_arithmetic(struct rng *rng, unsigned level, struct question *ret);
void question_calendar(struct rng *rng, unsigned level, struct question *ret);
void question_units(struct rng *rng, unsigned level, struct question *ret);
void question_words(struct rng *rng, unsigned level, struct question *ret);
void question_mixed(struct rng *rng, unsigned level, struct question *ret);

/* Uniform in [low, high]. */
int64_t draw(struct rng *rng, int64_t low, int64_t high);
/* Fills the text from a pattern in which @1, @2, @3 stand for the arguments (NULL: unused). */
void question_phrase(struct question *q, const char *pattern, const char *first, const char *second,
                     const char *third);
/* As question_phrase with numbers for @1 and @2. */
void question_phrase_numbers(struct question *q, const char *pattern, int64_t first,
                             int64_t second);
/* printf into text and answer; the text must fit. */
void question_text(struct question *q, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void question_answer(struct question *q, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A word of the level's length (3–5, 6–8, 9–14 letters). */
const char *question_word(struct rng *rng, unsigned level);
