/* Slopes by which the differences between scores are told best, which is what a decision between experts needs. */
#pragma once

#include <stddef.h>

#include "fit/fit.h"

struct difference_rows {
    const float *x;       /* [rows × columns × terms] */
    const float *offsets; /* [rows × columns] logits */
    const float *scores;  /* [rows × columns]; negative: unknown */
    const float *weights; /* [rows × columns] of the scores */
    size_t rows, columns, terms;
};

/* With q = sigmoid(offset + Σ slope_k x_k), r = score − q, and r̄ its weighted mean over a row's known scores:
 * minimises
 *
 *   Σ over rows Σ over columns of weight · (r − r̄)² + ridge · Σ slope_k²        low_k <= slope_k <= high_k
 *
 * which is, up to a factor, the squared error of every difference of two scores of a row. By Gauss and Newton, from
 * 0, which lies within the bounds; terms <= FIT_TERMS_MAX. Writes slopes [terms]. */
void fit_differences(const struct difference_rows *r, const double *low, const double *high,
                     double ridge, float *slopes);
/* The first sum of one row alone, of estimates quality[columns]. */
double fit_difference_loss(const float *quality, const float *scores, const float *weights,
                           size_t columns);
