/* Experts that are right or wrong together: P(expert i is right | u) = σ(a_i + s·u), where u ~ N(0, 1) is common to all
 * and a_i is such that the mean over u is what is estimated of the expert.
 *
 * Over u all is summed at eleven nodes .7 apart (the trapezoid rule, whose error falls exponentially for functions
 * like these): for s up to 2 probabilities of several rejections are good to 1e-4, up to SHARED_SD_MAX to 5e-3; with
 * as many Gauss–Hermite nodes it is 1e-3 and 2e-2. */
#pragma once

#include <stddef.h>

#define SHARED_NODES       11
#define SHARED_EXPERTS_MAX 256
#define SHARED_SD_MAX      4.0f  /* a larger s counts as this */
#define SHARED_EDGE        1e-6f /* qualities are taken no nearer to 0 and 1 than this */

extern const float shared_weights[SHARED_NODES]; /* P(u is at node k); they add up to 1 */

struct shared_factor {
    size_t count;
    float right[SHARED_NODES][SHARED_EXPERTS_MAX]; /* P(right | u is at node k) */
};

float shared_logit(float quality);
/* a[count <= SHARED_EXPERTS_MAX] of experts whose mean probabilities have the log-odds target[count] (finite, up to
 * ±50). `s` is 0..SHARED_SD_MAX. */
void shared_intercepts(const float *target, size_t count, float s, float *a);
/* Fills f->right for f->count of them. */
void shared_factor_fill(struct shared_factor *f, const float *target, float s);
/* sums[SHARED_EXPERTS_MAX]: Σ over nodes of factor[SHARED_NODES] · P(right | node); the first f->count count. */
void shared_factor_weigh(const struct shared_factor *f, const float *factor, float *sums);
