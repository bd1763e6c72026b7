/* The convex fits: the gradient vanishes at what they return, and known answers come back. */
#include "fit/fit.h"

#include <math.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/rng.h"

#define ROWS    300
#define EXPERTS 5
#define TERMS   4

struct problem {
    float x[ROWS * EXPERTS * TERMS], scores[ROWS * EXPERTS];
};

static double sigmoid(double z)
{
    return 1 / (1 + exp(-z));
}

/* Scores drawn from a model with the given intercepts and slopes; a tenth of the cells is unknown, and all of
 * the last expert when `lacks_last`. */
static void draw(struct problem *p, const double *intercepts, const double *slopes, uint64_t seed)
{
    struct rng r;
    rng_seed(&r, seed);
    for (size_t i = 0; i < (size_t)ROWS * EXPERTS; i++) {
        double z = intercepts[i % EXPERTS];
        for (size_t k = 0; k < TERMS; k++) {
            p->x[i * TERMS + k] = (float)(rng_uniform(&r) * 4 - 2);
            z += slopes[k] * (double)p->x[i * TERMS + k];
        }
        p->scores[i] = rng_uniform(&r) < sigmoid(z);
        if (rng_below(&r, 10) == 0)
            p->scores[i] = -1;
    }
}

static double logit_of(const struct problem *p, size_t cell, const float *intercepts,
                       const float *slopes)
{
    double z = (double)intercepts[cell % EXPERTS];
    for (size_t k = 0; k < TERMS; k++)
        z += (double)slopes[k] * (double)p->x[cell * TERMS + k];
    return z;
}

/* The objective in the words of the header. */
static double objective(const struct problem *p, const double *prior, double ridge,
                        const float *intercepts, const float *slopes)
{
    double sum = 0;
    for (size_t i = 0; i < (size_t)ROWS * EXPERTS; i++) {
        double z = logit_of(p, i, intercepts, slopes), y = (double)p->scores[i];
        if (y >= 0)
            sum += log1p(exp(-fabs(z))) + fmax(z, 0) - y * z;
    }
    for (size_t k = 0; k < TERMS; k++)
        sum += ridge / 2 * ((double)slopes[k] - prior[k]) * ((double)slopes[k] - prior[k]);
    return sum;
}

Test(fit, shared_logistic_is_a_minimum)
{
    static struct problem p;
    const double intercepts[EXPERTS] = {-2, -1, 0, 1, 2}, slopes[TERMS] = {1, -0.5, 0, 2};
    const double prior[TERMS] = {1, 1, 1, 1};
    float b[EXPERTS], w[TERMS];
    draw(&p, intercepts, slopes, 1);
    cr_assert_eq(
        fit_shared_logistic(p.x, p.scores, NULL, ROWS, EXPERTS, TERMS, prior, 10, b, w, NULL), OK);
    double best = objective(&p, prior, 10, b, w);
    const float step = 1e-2f;
    for (size_t i = 0; i < EXPERTS + TERMS; i++) {
        float *at = i < EXPERTS ? &b[i] : &w[i - EXPERTS], keep = *at;
        *at = keep + step;
        double up = objective(&p, prior, 10, b, w);
        *at = keep - step;
        double down = objective(&p, prior, 10, b, w);
        *at = keep;
        cr_assert(up > best && down > best, "parameter %zu", i);
        double slope = (up - down) / (2 * (double)step), curvature = (up + down - 2 * best) / 1e-4;
        cr_assert_lt(fabs(slope / curvature), 1e-3, "parameter %zu: off by %g", i,
                     slope / curvature);
    }
}

Test(fit, shared_logistic_finds_what_made_the_data)
{
    static struct problem p;
    const double intercepts[EXPERTS] = {-1, -0.5, 0, 0.5, 1}, slopes[TERMS] = {1, -0.5, 0, 2};
    const double prior[TERMS] = {0};
    float b[EXPERTS], w[TERMS];
    draw(&p, intercepts, slopes, 2);
    cr_assert_eq(
        fit_shared_logistic(p.x, p.scores, NULL, ROWS, EXPERTS, TERMS, prior, 1e-3, b, w, NULL),
        OK);
    for (size_t e = 0; e < EXPERTS; e++)
        cr_assert_float_eq((double)b[e], intercepts[e], 0.5);
    for (size_t k = 0; k < TERMS; k++)
        cr_assert_float_eq((double)w[k], slopes[k], 0.3);
}

Test(fit, a_strong_ridge_keeps_the_prior)
{
    static struct problem p;
    const double intercepts[EXPERTS] = {0}, slopes[TERMS] = {2, 2, 2, 2};
    const double prior[TERMS] = {0.7, 0.5, 0.5, 0.5};
    float b[EXPERTS], w[TERMS];
    draw(&p, intercepts, slopes, 3);
    cr_assert_eq(
        fit_shared_logistic(p.x, p.scores, NULL, ROWS, EXPERTS, TERMS, prior, 1e9, b, w, NULL), OK);
    for (size_t k = 0; k < TERMS; k++)
        cr_assert_float_eq((double)w[k], prior[k], 1e-4);
}

Test(fit, experts_without_scores_or_with_equal_ones_stay_finite)
{
    static struct problem p;
    const double intercepts[EXPERTS] = {0}, slopes[TERMS] = {1, 1, 0, 0},
                 prior[TERMS] = {1, 1, 1, 1};
    float b[EXPERTS], w[TERMS];
    draw(&p, intercepts, slopes, 4);
    for (size_t i = 0; i < ROWS; i++) {
        p.scores[i * EXPERTS] = 1;
        p.scores[i * EXPERTS + 1] = 0;
        p.scores[i * EXPERTS + 2] = -1;
    }
    cr_assert_eq(
        fit_shared_logistic(p.x, p.scores, NULL, ROWS, EXPERTS, TERMS, prior, 20, b, w, NULL), OK);
    for (size_t e = 0; e < EXPERTS; e++)
        cr_assert(isfinite(b[e]), "intercept %zu is %g", e, (double)b[e]);
    for (size_t k = 0; k < TERMS; k++)
        cr_assert(fabs((double)w[k]) < 10, "slope %zu is %g", k, (double)w[k]);
    cr_assert_gt((double)b[0], 5);
    cr_assert_lt((double)b[1], -5);
    cr_assert_eq((double)b[2], 0);
}

/* Logits far from the truth, where the curvature is next to nothing: plain Newton would jump out of sight. */
Test(fit, a_start_far_from_the_truth_still_arrives)
{
    float x[ROWS], scores[ROWS], b, w;
    const double prior[1] = {1};
    for (size_t i = 0; i < ROWS; i++) {
        x[i] = i % 2 ? 14.0f : 11.0f;
        scores[i] = (float)(i % 4 == 0);
    }
    cr_assert_eq(fit_shared_logistic(x, scores, NULL, ROWS, 1, 1, prior, 20, &b, &w, NULL), OK);
    cr_assert(isfinite(b) && isfinite(w));
    double mean = 0;
    for (size_t i = 0; i < ROWS; i++)
        mean += sigmoid((double)b + (double)w * (double)x[i]) / ROWS;
    cr_assert_float_eq(mean, 0.25, 0.01, "predicts %g; intercept %g slope %g", mean, (double)b,
                       (double)w);
}

Test(fit, platt_recovers_scale_and_offset)
{
    enum { MANY = 20000, STRIDE = 3, COLUMN = 1 };
    static float logits[MANY * STRIDE], scores[MANY * STRIDE];
    struct rng r;
    rng_seed(&r, 6);
    for (size_t i = 0; i < (size_t)MANY * STRIDE; i++) {
        logits[i] = (float)(rng_uniform(&r) * 6 - 3);
        scores[i] = -1;
        if (i % STRIDE == COLUMN && rng_below(&r, 5))
            scores[i] = rng_uniform(&r) < sigmoid(0.6 * (double)logits[i] - 0.8);
    }
    float scale, offset;
    fit_platt(logits, scores, NULL, MANY, STRIDE, COLUMN, 1e-6, &scale, &offset);
    cr_assert_float_eq((double)scale, 0.6, 0.05);
    cr_assert_float_eq((double)offset, -0.8, 0.05);
    double g[2] = {0}; /* both derivatives of the loss vanish */
    for (size_t i = COLUMN; i < (size_t)MANY * STRIDE; i += STRIDE) {
        double x = (double)logits[i], z = (double)scale * x + (double)offset;
        if (scores[i] >= 0) {
            g[0] += (sigmoid(z) - (double)scores[i]) * x;
            g[1] += sigmoid(z) - (double)scores[i];
        }
    }
    cr_assert_lt(fabs(g[0]) + fabs(g[1]), 0.05);
}

/* A weight of two is the same row twice. */
Test(fit, weights_count_rows)
{
    float logits[ROWS], scores[ROWS], weights[ROWS], twice[2 * ROWS], again[2 * ROWS];
    float scale[2], offset[2];
    struct rng r;
    size_t n = 0;
    rng_seed(&r, 9);
    for (size_t i = 0; i < ROWS; i++) {
        logits[i] = (float)(rng_uniform(&r) * 4 - 2);
        scores[i] = rng_uniform(&r) < sigmoid(0.5 * (double)logits[i] + 1);
        weights[i] = i % 2 ? 2 : 1;
        for (int k = 0; k < (i % 2 ? 2 : 1); k++) {
            twice[n] = logits[i];
            again[n++] = scores[i];
        }
    }
    fit_platt(logits, scores, weights, ROWS, 1, 0, 5, &scale[0], &offset[0]);
    fit_platt(twice, again, NULL, n, 1, 0, 5, &scale[1], &offset[1]);
    cr_assert_float_eq((double)scale[0], (double)scale[1], 1e-5);
    cr_assert_float_eq((double)offset[0], (double)offset[1], 1e-5);
    static const double prior[1] = {0};
    cr_assert_eq(fit_shared_logistic(logits, scores, weights, ROWS, 1, 1, prior, 5, &offset[0],
                                     &scale[0], NULL),
                 OK);
    cr_assert_eq(
        fit_shared_logistic(twice, again, NULL, n, 1, 1, prior, 5, &offset[1], &scale[1], NULL),
        OK);
    cr_assert_float_eq((double)scale[0], (double)scale[1], 1e-5);
    cr_assert_float_eq((double)offset[0], (double)offset[1], 1e-5);
}

Test(fit, platt_without_evidence_changes_nothing)
{
    float logits[4] = {1, 2, 3, 4}, scores[4] = {-1, -1, -1, -1}, scale, offset;
    fit_platt(logits, scores, NULL, 4, 1, 0, 100, &scale, &offset);
    cr_assert_eq((double)scale, 1);
    cr_assert_eq((double)offset, 0);
}

Test(fit, platt_survives_scores_that_are_all_alike)
{
    float logits[ROWS], scores[ROWS], scale, offset;
    for (size_t i = 0; i < ROWS; i++) {
        logits[i] = (float)i / ROWS + 12;
        scores[i] = 1;
    }
    fit_platt(logits, scores, NULL, ROWS, 1, 0, 100, &scale, &offset);
    cr_assert(isfinite(scale) && isfinite(offset));
    for (size_t i = 0; i < ROWS; i++)
        scores[i] = (float)(i % 2);
    fit_platt(logits, scores, NULL, ROWS, 1, 0, 100, &scale, &offset);
    double mean = 0;
    for (size_t i = 0; i < ROWS; i++)
        mean += sigmoid((double)scale * (double)logits[i] + (double)offset) / ROWS;
    cr_assert_float_eq(mean, 0.5, 0.01, "predicts %g; scale %g offset %g", mean, (double)scale,
                       (double)offset);
}

Test(fit, solve)
{
    struct rng r;
    rng_seed(&r, 9);
    for (int round = 0; round < 200; round++) {
        size_t n = 1 + (size_t)rng_below(&r, FIT_TERMS_MAX);
        double root[FIT_TERMS_MAX][FIT_TERMS_MAX], a[FIT_TERMS_MAX][FIT_TERMS_MAX] = {{0}};
        double wanted[FIT_TERMS_MAX], b[FIT_TERMS_MAX] = {0};
        for (size_t i = 0; i < n; i++) {
            wanted[i] = rng_uniform(&r) * 10 - 5;
            for (size_t j = 0; j < n; j++)
                root[i][j] = rng_uniform(&r) - 0.5;
        }
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++) {
                a[i][j] = i == j ? 0.1 : 0; /* root · rootᵀ is positive */
                for (size_t k = 0; k < n; k++)
                    a[i][j] += root[i][k] * root[j][k];
            }
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++)
                b[i] += a[i][j] * wanted[j];
        cr_assert(fit_solve(n, a, b));
        for (size_t i = 0; i < n; i++)
            cr_assert_float_eq(b[i], wanted[i], 1e-8);
    }
    double zero[FIT_TERMS_MAX][FIT_TERMS_MAX] = {{0}}, b[FIT_TERMS_MAX] = {1, 1};
    cr_assert(!fit_solve(2, zero, b));
    double twice[FIT_TERMS_MAX][FIT_TERMS_MAX] = {{1, 2}, {2, 4}};
    cr_assert(!fit_solve(2, twice, b));
}
