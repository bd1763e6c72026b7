/* Logistic regressions of several experts whose slopes are alike: each expert has its own, pulled to what is common to
 * all, so that few outcomes of one expert are enough (a normal prior with a mean that is learnt, too). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define COMMON_FIT_TERMS_MAX 15

struct common_sample {
    /* Of expert e on row i term 0 is own[i × experts + e], which is e's alone; the others, term 1 on, are
     * shared[i × (terms − 1)…], the same for all experts. */
    const float *own, *shared;
    size_t terms;          /* 1 to COMMON_FIT_TERMS_MAX */
    const uint32_t *order; /* [count] the rows that count */
    size_t count;
    const float *targets, *weights; /* [rows × experts]; a negative target: nothing */
    size_t experts;
};

/* The minimum of Σ weight · logloss(a_e + Σ w_ek x_iek) + penalty/2 · Σ (w_ek − m_k)² + ridge/2 · Σ m_k² over a, w and
 * m by Newton's method, the experts eliminated; into ret [1 + terms][experts], the intercepts first. An expert without
 * outcomes has the intercept 0 and the common slopes. ERR_MEMORY. */
NODISCARD enum status fit_common_logistic(const struct common_sample *s, double penalty,
                                          double ridge, float *ret, struct error *err);
