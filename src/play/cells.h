/* Which cells to pay for. A cell is one expert on one question; buying it means asking that expert that question and
 * having the answer scored. What a round may spend is given, and the cells that are worth most of it come back, in the
 * order in which to buy them: whoever buys stops where the money ends.
 *
 * Pure: no clock, no files, no calls. The same problem gives the same cells. Nothing is kept between rounds; what was
 * bought before is what the next problem says is known. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

#define CELLS_EXPERTS_MAX 256
#define CELLS_LAMBDAS_MAX 64

enum cell_state {
    CELL_OPEN,  /* may be bought */
    CELL_KNOWN, /* has a score */
    CELL_BARRED /* may not: it failed, is on its way, or the expert is left out of this round */
};

/* All matrices are [questions × experts], row-major by question. Questions keep their index from round to round; new
 * ones come behind. */
struct cells_problem {
    size_t questions, experts;
    /* What the model in force believes; NULL: there is none yet, and price alone decides. */
    const float *quality;
    const float
        *quality_sd; /* not looked at so far: known scores of a question say more of its doubt */
    const float *scores;          /* of known cells 0..1; others are not looked at */
    const int64_t *cost_nano_usd; /* expected, of asking; > 0, or 0 for what is free */
    const enum cell_state *states;
    const double *lambdas;  /* of the policies in force, quality per USD */
    size_t lambda_count;    /* 0: no policy narrows it */
    int64_t spend_nano_usd; /* of this round, at expected costs */
    /* Of that spend, on whole rows drawn at random; negative: as usual. 1 where answers are scored by agreement: a
     * label is as good as those who voted (bench/play.md). */
    double whole_share;
    uint64_t seed; /* the same in all rounds, or nothing goes on from where the last one ended */
};

struct cell {
    uint32_t question, expert;
    bool random; /* drawn without a look at what it is worth: fit for calibration */
    /* How near its expert came, on this question, to winning or losing a decision: 0, far from it, to 1. */
    float tie;
    float quality, quality_sd; /* what play_choose was told to believe; NAN: nothing */
};

struct cells {
    const struct cell *cells;
    size_t count;
    int64_t cost_nano_usd; /* expected, of all */
};

/* The list lives in `a`. It is empty when nothing is open or nothing open is affordable. ERR_MEMORY. */
NODISCARD enum status cells_choose(const struct cells_problem *problem, struct arena *a,
                                   struct cells *ret, struct error *err);
