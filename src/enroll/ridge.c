/* Newton's method with steps cut to a length at which the logistic loss cannot be overshot; see ridge.h. The problem
 * is convex, and as every coefficient has a belief of its own the curvature is positive everywhere, so a handful of
 * steps do. Sums run in the order of the rows, in double precision: the same data give the same bits. A helper of this
 * folder, on the thread that calls. */
#include "enroll/ridge.h"

#include <math.h>
#include <string.h>

#include "base/check.h"

#define NEWTON_STEPS 30
#define STEP_MIN     1e-8
#define STEP_MAX     2.0
#define PIVOT_MIN    1e-12

void ridge_cholesky(double *a, size_t n)
{
    for (size_t j = 0; j < n; j++) {
        for (size_t k = 0; k < j; k++)
            for (size_t i = j; i < n; i++)
                a[i * n + j] -= a[i * n + k] * a[j * n + k];
        double pivot = sqrt(fmax(a[j * n + j], PIVOT_MIN));
        for (size_t i = j; i < n; i++)
            a[i * n + j] /= pivot;
    }
}

void ridge_solve(const double *l, size_t n, double *b)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++)
            b[i] -= l[i * n + k] * b[k];
        b[i] /= l[i * n + i];
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t k = i + 1; k < n; k++)
            b[i] -= l[k * n + i] * b[k];
        b[i] /= l[i * n + i];
    }
}

static void add_row(const struct ridge_rows *r, size_t row, const double *theta, double *gradient,
                    double *curvature)
{
    const double *x = r->x + row * r->terms;
    double z = 0, w = r->weights[row];
    for (size_t k = 0; k < r->terms; k++)
        z += x[k] * theta[k];
    double p = 1 / (1 + exp(-z)), residual = w * (p - r->targets[row]), bend = w * p * (1 - p);
    for (size_t k = 0; k < r->terms; k++) {
        double by = bend * x[k];
        gradient[k] += residual * x[k];
        for (size_t l = 0; l <= k; l++)
            curvature[k * r->terms + l] += by * x[l];
    }
}

void ridge_differentiate(const struct ridge_rows *r, const double *mean, const double *precision,
                         const double *theta, double *gradient, double *curvature)
{
    size_t n = r->terms;
    memset(curvature, 0, n * n * sizeof(*curvature));
    for (size_t k = 0; k < n; k++) {
        gradient[k] = precision[k] * (theta[k] - mean[k]);
        curvature[k * n + k] = precision[k];
    }
    for (size_t row = 0; row < r->rows; row++)
        if (r->weights[row] > 0)
            add_row(r, row, theta, gradient, curvature);
    for (size_t k = 0; k < n; k++)
        for (size_t l = 0; l < k; l++)
            curvature[l * n + k] = curvature[k * n + l];
}

static double step(const double *by, size_t n, double *theta)
{
    double longest = 0;
    for (size_t k = 0; k < n; k++)
        longest = fmax(longest, fabs(by[k]));
    for (size_t k = 0; k < n; k++)
        theta[k] -= longest > STEP_MAX ? by[k] * STEP_MAX / longest : by[k];
    return longest;
}

static void invert(const double *l, size_t n, double *ret)
{
    memset(ret, 0, n * n * sizeof(*ret));
    for (size_t k = 0; k < n; k++) {
        ret[k * n + k] = 1;
        ridge_solve(l, n, ret + k * n); /* a column of what is symmetric */
    }
}

enum status ridge_fit(const struct ridge_rows *r, const double *mean, const double *precision,
                      struct arena *a, double *theta, double *covariance, struct error *err)
{
    size_t n = r->terms;
    CHECK(n <= RIDGE_TERMS_MAX);
    double *gradient = ARENA_ARRAY(a, n, double), *curvature = ARENA_ARRAY(a, n * n, double);
    if (!gradient || !curvature)
        return error_set(err, ERR_MEMORY, "out of memory");
    memcpy(theta, mean, n * sizeof(*theta));
    for (int k = 0; k < NEWTON_STEPS; k++) {
        ridge_differentiate(r, mean, precision, theta, gradient, curvature);
        ridge_cholesky(curvature, n);
        ridge_solve(curvature, n, gradient);
        if (step(gradient, n, theta) < STEP_MIN)
            break;
    }
    if (covariance) {
        ridge_differentiate(r, mean, precision, theta, gradient, curvature);
        ridge_cholesky(curvature, n);
        invert(curvature, n, covariance);
    }
    return OK;
}
