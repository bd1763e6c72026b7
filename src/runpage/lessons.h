/* The questions that taught most. An answer is worth, to first order, what it changes in decisions: the density of ties
 * at its cell (`tie` of cells.csv) times the square of how far it moves what is believed. By Bayes an answer moves that
 * by its surprise, score less expectation, times sd² / (sd² + q(1-q) / c): the doubt there was, beside the noise of one
 * answer whose score is believed as far as c. Surprise about an expert that never comes near winning teaches nothing
 * that matters, nor does an answer that was certain. Validation questions are never learnt from, and are left out.
 *
 * It is a measure of single answers: what training makes of all of them together is the learning curve. */
#pragma once

#include "base/arena.h"
#include "data/dataset.h"

#define LESSONS_CELLS_MAX 100000000 /* of a run */

struct lesson_cell {
    uint32_t query, expert; /* of the data set */
    uint32_t round;
    float expected, tie;
    float moved;  /* how far it moves what is believed, with its sign */
    float taught; /* tie × moved² */
};

struct lesson {                      /* a question */
    const struct lesson_cell *cells; /* [cell_count], what taught most first */
    size_t cell_count;
    double taught; /* the sum */
};

struct lesson_expert { /* of the answers of one expert that something was expected of */
    size_t cells;
    double expected, scored; /* sums */
    double taught;
};

struct lessons {
    struct lesson *all;            /* [questions], what taught most first */
    size_t questions, cells;       /* with a score, and not for validation */
    double taught;                 /* of all */
    struct lesson_expert *experts; /* [experts of the data set]; validation with them */
};

/* round-1/cells.csv to round-N/cells.csv of the run. Cells without a score, or of which nothing was believed, are
 * passed over. All lives in `a`. */
NODISCARD enum status lessons_read(const char *folder, size_t rounds, const struct dataset *d,
                                   struct arena *a, struct lessons *ret, struct error *err);
