/* Small convex fits: see fit.h. Newton's method with steps cut to a length at which the logistic loss cannot be
 * overshot: far from the optimum its curvature vanishes and a plain step would leave for good. The problems are
 * convex and well scaled, so a handful of steps do. Sums run in the order of the rows, in double precision: the same
 * data give the same bits. For training alone; nothing here is fast enough for a decision. */
#include "fit/fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

#define NEWTON_STEPS    25
#define NEWTON_STEP_MIN 1e-7
#define NEWTON_STEP_MAX 2.0
#define INTERCEPT_RIDGE 1e-3

bool fit_solve(size_t n, double a[FIT_TERMS_MAX][FIT_TERMS_MAX], double *b)
{
    for (size_t k = 0; k < n; k++) {
        if (!(fabs(a[k][k]) > 1e-12))
            return false;
        for (size_t r = k + 1; r < n; r++) {
            double factor = a[r][k] / a[k][k];
            for (size_t c = k; c < n; c++)
                a[r][c] -= factor * a[k][c];
            b[r] -= factor * b[k];
        }
    }
    for (size_t k = n; k-- > 0;) {
        for (size_t c = k + 1; c < n; c++)
            b[k] -= a[k][c] * b[c];
        b[k] /= a[k][k];
    }
    return true;
}

struct newton {
    size_t experts, terms;
    double *intercepts, slopes[FIT_TERMS_MAX];
    double *g, *h, *cross; /* per expert: gradient, curvature, [experts × terms] mixed */
    double gs[FIT_TERMS_MAX], hs[FIT_TERMS_MAX][FIT_TERMS_MAX];
};

static void newton_add(struct newton *n, size_t e, const float *x, double score, double share)
{
    double z = n->intercepts[e];
    for (size_t k = 0; k < n->terms; k++)
        z += n->slopes[k] * (double)x[k];
    double p = 1 / (1 + exp(-z)), residual = share * (p - score), weight = share * p * (1 - p);
    n->g[e] += residual;
    n->h[e] += weight;
    for (size_t k = 0; k < n->terms; k++) {
        double xk = (double)x[k];
        n->gs[k] += residual * xk;
        n->cross[e * n->terms + k] += weight * xk;
        for (size_t l = 0; l < n->terms; l++)
            n->hs[k][l] += weight * xk * (double)x[l];
    }
}

static void newton_sum(struct newton *n, const float *x, const float *scores, const float *weights,
                       size_t rows, const double *prior, double ridge)
{
    memset(n->gs, 0, sizeof(n->gs));
    memset(n->hs, 0, sizeof(n->hs));
    for (size_t e = 0; e < n->experts; e++) {
        n->g[e] = 0;
        n->h[e] = INTERCEPT_RIDGE;
    }
    memset(n->cross, 0, n->experts * n->terms * sizeof(*n->cross));
    for (size_t k = 0; k < n->terms; k++) {
        n->gs[k] = ridge * (n->slopes[k] - prior[k]);
        n->hs[k][k] = ridge;
    }
    for (size_t i = 0; i < rows * n->experts; i++)
        if (scores[i] >= 0)
            newton_add(n, i % n->experts, x + i * n->terms, (double)scores[i],
                       weights ? (double)weights[i] : 1);
}

static double step_share(double longest)
{
    return longest > NEWTON_STEP_MAX ? NEWTON_STEP_MAX / longest : 1;
}

/* Eliminates the intercepts (their block of the Hessian is diagonal), steps; returns the longest step. */
static double newton_step(struct newton *n)
{
    double step[FIT_TERMS_MAX], longest = 0;
    for (size_t k = 0; k < n->terms; k++) {
        step[k] = n->gs[k];
        for (size_t e = 0; e < n->experts; e++) {
            double c = n->cross[e * n->terms + k] / n->h[e];
            step[k] -= c * n->g[e];
            for (size_t l = 0; l < n->terms; l++)
                n->hs[k][l] -= c * n->cross[e * n->terms + l];
        }
    }
    if (!fit_solve(n->terms, n->hs, step))
        return 0;
    for (size_t e = 0; e < n->experts; e++) {
        for (size_t k = 0; k < n->terms; k++)
            n->g[e] -= n->cross[e * n->terms + k] * step[k];
        n->g[e] /= n->h[e];
        longest = fmax(longest, fabs(n->g[e]));
    }
    for (size_t k = 0; k < n->terms; k++)
        longest = fmax(longest, fabs(step[k]));
    double share = step_share(longest);
    for (size_t e = 0; e < n->experts; e++)
        n->intercepts[e] -= share * n->g[e];
    for (size_t k = 0; k < n->terms; k++)
        n->slopes[k] -= share * step[k];
    return longest;
}

enum status fit_shared_logistic(const float *x, const float *scores, const float *weights,
                                size_t rows, size_t experts, size_t terms, const double *prior,
                                double ridge, float *intercepts, float *slopes, struct error *err)
{
    CHECK(terms <= FIT_TERMS_MAX);
    struct newton n = {.experts = experts, .terms = terms};
    double *block = calloc(experts * (3 + terms), sizeof(*block));
    if (!block)
        return error_set(err, ERR_MEMORY, "out of memory");
    n.intercepts = block;
    n.g = block + experts;
    n.h = block + 2 * experts;
    n.cross = block + 3 * experts;
    memcpy(n.slopes, prior, terms * sizeof(*prior));
    for (int step = 0; step < NEWTON_STEPS; step++) {
        newton_sum(&n, x, scores, weights, rows, prior, ridge);
        if (newton_step(&n) < NEWTON_STEP_MIN)
            break;
    }
    for (size_t e = 0; e < experts; e++)
        intercepts[e] = (float)n.intercepts[e];
    for (size_t k = 0; k < terms; k++)
        slopes[k] = (float)n.slopes[k];
    free(block);
    return OK;
}

/* Two unknowns: the Newton system is solved by hand, beside the sums it is made of. */
void fit_platt(const float *logits, const float *scores, const float *weights, size_t rows,
               size_t stride, size_t column, double ridge, float *scale, float *offset)
{
    double a = 1, b = 0;
    for (int step = 0; step < NEWTON_STEPS; step++) {
        double g[2] = {ridge * (a - 1), 1e-3 * b}, h[3] = {ridge, 0, 1e-3};
        for (size_t i = column; i < rows * stride; i += stride) {
            if (scores[i] < 0)
                continue;
            double x = (double)logits[i], p = 1 / (1 + exp(-(a * x + b)));
            double share = weights ? (double)weights[i] : 1;
            double residual = share * (p - (double)scores[i]), weight = share * p * (1 - p);
            g[0] += residual * x;
            g[1] += residual;
            h[0] += weight * x * x;
            h[1] += weight * x;
            h[2] += weight;
        }
        double det = h[0] * h[2] - h[1] * h[1];
        if (!(det > 1e-12))
            break;
        double da = (h[2] * g[0] - h[1] * g[1]) / det, db = (h[0] * g[1] - h[1] * g[0]) / det;
        double cut = step_share(fmax(fabs(da), fabs(db)));
        a -= cut * da;
        b -= cut * db;
        if (fabs(da) + fabs(db) < NEWTON_STEP_MIN)
            break;
    }
    *scale = (float)a;
    *offset = (float)b;
}
