/* Figures of one expert's predictions against what was recorded. Scratch memory comes from the arena. */
#pragma once

#include "base/arena.h"

#define METRICS_ECE_BINS 15 /* of equal width over 0..1 */

/* Area under the ROC curve: the chance that a right answer was predicted above a wrong one, ties counting half
 * (Mann-Whitney U; Hanley & McNeil 1982). Right is a score of at least one half. NaN when all are right or all
 * wrong. */
NODISCARD enum status metrics_auc(const float *predicted, const float *score, size_t count,
                                  struct arena *a, double *ret, struct error *err);

/* The bin of a prediction. */
size_t metrics_bin(double predicted);

/* Expected calibration error (Naeini et al. 2015): the mean over METRICS_ECE_BINS bins, weighted by their queries, of
 * |mean prediction - mean score|. 0 when count is 0. */
double metrics_ece(const float *predicted, const float *score, size_t count);
