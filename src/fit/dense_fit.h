/* A dense half in few numbers, and what experts make of those: principal components, then logistic regression. */
#pragma once

#include <stdint.h>

#include "base/error.h"

#define DENSE_FIT_MAX 64 /* components */

/* Row i at x + i × dims. */
struct dense_rows {
    const float *x;
    size_t dims;
};

/* The first principal components of rows order[count], at least one of each: mean [dims], directions
 * [dims × components], in falling order of variance, all divided by the one number that makes the mean variance of a
 * component 1. Where the rows vary in fewer directions the rest are zero. By subspace iteration (Halko, Martinsson,
 * Tropp 2011) over at most DENSE_ROWS_MAX of the rows, evenly drawn. Deterministic. ERR_MEMORY. */
#define DENSE_ROWS_MAX 2048
NODISCARD enum status dense_principal(const struct dense_rows *r, const uint32_t *order,
                                      size_t count, size_t components, float *mean,
                                      float *directions, struct error *err);

/* What a logistic regression learns from. */
struct dense_sample {
    const float *components; /* [rows × terms] */
    size_t terms;
    const uint32_t *order; /* [count] the rows that count */
    size_t count;
    const float *targets, *weights; /* [rows × experts]; a negative target: nothing */
    size_t experts;
};

/* For each expert the minimum of Σ weight · logloss(w_0 + Σ w_k · component k) + penalty/2 · Σ w_k², by Newton's
 * method; weights into ret [1 + terms][experts]. ERR_MEMORY. */
NODISCARD enum status dense_logistic(const struct dense_sample *s, double penalty, float *ret,
                                     struct error *err);
/* Σ weight · logloss(logit) over the cells whose score is not negative. */
double dense_loss(const float *logits, const float *scores, const float *weights, size_t cells);
