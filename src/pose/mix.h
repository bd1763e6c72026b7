/* How many of the next round's questions each domain and difficulty gets.
 *
 * A cell's share follows mass × doubt × value: how often such questions come, how unsure the model is of its experts
 * there (mean quality_sd), and what choosing right is worth there (the mean spread of the experts' utilities). Figures
 * of few questions are drawn towards the mean of all by MIX_PRIOR_COUNT questions' worth; a cell without any has the
 * mean's value and the largest doubt. Each cell has a floor by its mass, so that none is forgotten for having been dull
 * once. Pure functions of their arguments. */
#pragma once

#include "base/error.h"
#include "base/str.h"

#define MIX_CELLS_MAX   4096
#define MIX_PRIOR_COUNT 10.0
#define MIX_FLOOR       0.2 /* share of the questions that is spread by mass alone */

struct mix_cell {
    struct str domain;
    unsigned level; /* 0: the domain has no levels */
    double doubt;   /* mean quality_sd */
    double value;   /* mean spread of utility, largest less mean */
    size_t count;   /* questions that the two are means of; 0: not known */
    double mass;    /* 0 counts as 1 */
};

/* quotas[count] sum up to `total` and differ from what the shares ask for by less than one each; which cells are
 * rounded up is drawn by the seed, without favour. `floor` is in 0..1. */
NODISCARD enum status mix_plan(const struct mix_cell *cells, size_t count, size_t total,
                               double floor, uint64_t seed, size_t *quotas, struct error *err);
/* The shares themselves, which sum up to 1. */
NODISCARD enum status mix_shares(const struct mix_cell *cells, size_t count, double floor,
                                 double *shares, struct error *err);

/* What one question says of its cell. */
struct mix_point {
    struct str domain;
    unsigned level;
    double doubt, value;
};
/* The cells of many questions, in the order in which they first come; cells[MIX_CELLS_MAX], masses left at 0. What does
 * not fit is left out. ERR_MEMORY. */
NODISCARD enum status mix_gather(const struct mix_point *points, size_t count,
                                 struct mix_cell *cells, size_t *ret_count, struct error *err);
/* The figures of a domain and level: of the two, else of the domain without levels; NULL when there are none. */
const struct mix_cell *mix_find(const struct mix_cell *cells, size_t count, struct str domain,
                                unsigned level);
