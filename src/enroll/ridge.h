/* Logistic regression with a normal belief about every coefficient, and how sure it leaves them. */
#pragma once

#include <stddef.h>

#include "base/arena.h"

#define RIDGE_TERMS_MAX 320

struct ridge_rows {
    const double *x;                 /* [rows × terms] */
    const double *targets, *weights; /* [rows]; targets in 0..1 */
    size_t rows, terms;
};

/* theta[terms] minimises Σ weight · logloss(x · theta, target) + Σ precision/2 · (theta − mean)². covariance
 * [terms × terms], the inverse of the curvature there; NULL: not wanted. ERR_MEMORY. */
NODISCARD enum status ridge_fit(const struct ridge_rows *r, const double *mean,
                                const double *precision, struct arena *a, double *theta,
                                double *covariance, struct error *err);
/* gradient[terms] and curvature [terms × terms] of that at theta. */
void ridge_differentiate(const struct ridge_rows *r, const double *mean, const double *precision,
                         const double *theta, double *gradient, double *curvature);
/* L with L·Lᵀ = a [n × n] in the lower half of `a` itself; an `a` that is not positive is made so. */
void ridge_cholesky(double *a, size_t n);
/* b := a⁻¹ b by its L. */
void ridge_solve(const double *l, size_t n, double *b);
