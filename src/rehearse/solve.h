/* What the sandbox experts compute with: a question in plain English → its answer, by really working it out.
 * Each skill is one file (solve_<skill>.c); solve() tries them in turn. Pure functions, no allocation. */
#pragma once

#include <stdbool.h>

#include "base/str.h"
#include "rehearse/lexer.h"

#define SOLUTION_ANSWER_BYTES  96
#define SOLUTION_BECAUSE_BYTES 320

enum skill {
    SKILL_ARITHMETIC, /* whole numbers: + - * / mod, brackets */
    SKILL_CALENDAR,   /* weekdays, distances between dates, leap years, clock times */
    SKILL_UNITS,      /* length, mass, volume, time, temperature */
    SKILL_WORDS,      /* letters, order, palindromes, anagrams */
    SKILL_MIXED,      /* needs two of the above, or a story to be understood */
    SKILL_COUNT
};

enum answer_form {
    FORM_NUMBER,
    FORM_WEEKDAY,
    FORM_DATE, /* 2024-02-29 */
    FORM_TIME, /* 09:40 */
    FORM_YES_NO,
    FORM_WORD,
};

struct solution {
    enum skill skill;
    enum answer_form form;
    /* How hard it is: digits of the largest operand, letters of the longest word, years from 2000. */
    unsigned size;
    char answer[SOLUTION_ANSWER_BYTES];
    char decoy[SOLUTION_ANSWER_BYTES]; /* a wrong answer that looks right; "": make one by form */
    char because[SOLUTION_BECAUSE_BYTES]; /* the working, one sentence without the full stop */
};

/* False when the question is not understood; *ret is then unspecified. */
bool solve(struct str question, struct solution *ret);

bool solve_arithmetic(const struct tokens *t, struct solution *ret);
bool solve_calendar(const struct tokens *t, struct solution *ret);
bool solve_units(const struct tokens *t, struct solution *ret);
bool solve_words(const struct tokens *t, struct solution *ret);
bool solve_story(const struct tokens *t, struct solution *ret);

const char *skill_name(enum skill skill); /* "arithmetic" */
