/* Small convex fits in double precision: logistic regression with shared slopes and an intercept per expert
 * (Newton with the intercepts eliminated), Platt scaling, and ridge least squares. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define FIT_TERMS_MAX 16

/* Minimises Σ logloss(intercept_e + Σ slope_k x_ek) + ridge/2 · Σ (slope_k − prior_k)² over the known scores,
 * each times its weight. x float [rows × experts × terms], scores [rows × experts] (negative: unknown), weights
 * [rows × experts] (NULL: all 1). Writes intercepts [experts] and slopes [terms]. */
NODISCARD enum status fit_shared_logistic(const float *x, const float *scores, const float *weights,
                                          size_t rows, size_t experts, size_t terms,
                                          const double *prior, double ridge, float *intercepts,
                                          float *slopes, struct error *err);

/* Platt scaling of one column: score ~ sigmoid(scale · logit + offset), scale pulled towards 1 by `ridge`. Column c
 * of row i is logits[i × stride + c], so of scores and weights (NULL: all 1). */
void fit_platt(const float *logits, const float *scores, const float *weights, size_t rows,
               size_t stride, size_t column, double ridge, float *scale, float *offset);

/* Solves (A + ridge·I) x = b for a symmetric positive A [n × n], n <= FIT_TERMS_MAX, in place of b. False: singular. */
bool fit_solve(size_t n, double a[FIT_TERMS_MAX][FIT_TERMS_MAX], double *b);
