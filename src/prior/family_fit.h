/* Fitting models' parameters (base.h) on held-out difficulties: each pulled to the family, the family fitted on all of
 * them, by turns. Shapes: rows [rows × base_sample_width], scores [rows × known], negative: unknown. */
#pragma once

#include "prior/base.h"

struct family_rows {
    const float *rows;
    const float *scores;
    size_t count, width, known, parameters;
};

/* Newton on Σ logloss + Σ_k (parameter_k − centre_k)² · precision_k / 2 of one model. variances[parameters] of the
 * posterior; may be NULL. */
void family_fit_one(const struct family_rows *r, size_t known, const double *centre,
                    const double *precision, double *parameters, double *variances);
/* Sets family, deviation, and strength and parameters of every known model of `b`, whose known_count and head.groups
 * are set. */
void family_fit(const struct family_rows *r, struct base *b);
/* Sets price and strength_sd from the known models' strengths: least squares, dearer never weaker. */
void family_fit_price(struct base *b);
/* What questions have in common beside their text: *ret_sd in logits, *ret_share of quality · (1 − quality). */
void family_fit_question(const struct family_rows *r, const struct base *b, double *ret_sd,
                         double *ret_share);
