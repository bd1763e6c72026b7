/* How many of the next round's questions each domain and difficulty gets.
 *
 * A cell's share follows doubt × value: how unsure the model is of its experts there (mean quality_sd), times what
 * choosing right is worth there (the mean spread of the experts' utilities). Figures of few questions are drawn towards
 * the mean of all by MIX_PRIOR_COUNT questions' worth; a cell without any has the mean's value and the largest doubt.
 * Each cell has a floor, so that none is forgotten for having been dull once. A pure function of its arguments. */
#pragma once

#include "base/error.h"
#include "base/str.h"

#define MIX_CELLS_MAX   4096
#define MIX_PRIOR_COUNT 10.0
#define MIX_FLOOR       0.2 /* share of the questions that is spread evenly */

struct mix_cell {
    struct str domain;
    unsigned level; /* 0: the domain has no levels */
    double doubt;   /* mean quality_sd */
    double value;   /* mean spread of utility, largest less mean */
    size_t count;   /* questions that the two are means of; 0: not known */
};

/* quotas[count] sum up to `total` and differ from what the shares ask for by less than one each; which cells are
 * rounded up is drawn by the seed, without favour. `floor` is in 0..1. */
NODISCARD enum status mix_plan(const struct mix_cell *cells, size_t count, size_t total,
                               double floor, uint64_t seed, size_t *quotas, struct error *err);
/* The shares themselves, which sum up to 1. */
NODISCARD enum status mix_shares(const struct mix_cell *cells, size_t count, double floor,
                                 double *shares, struct error *err);
