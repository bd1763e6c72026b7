/* Logistic regression with beliefs, against differences and against what was planted. */
#include "enroll/ridge.h"

#include <math.h>

#include <criterion/criterion.h>

#include "base/rng.h"

#define N     4
#define COUNT 500

static double x[COUNT * N], targets[COUNT], weights[COUNT];
static const double mean[N] = {0.1, 1, 0, -0.2}, precision[N] = {2, 3, 1, 4};
static const struct ridge_rows rows = {x, targets, weights, COUNT, N};

static void make(void)
{
    static const double truth[N] = {0.3, 1.2, -0.8, 0.5};
    struct rng r;
    rng_seed(&r, 3);
    for (size_t i = 0; i < COUNT; i++) {
        double z = 0;
        for (size_t k = 0; k < N; k++) {
            x[i * N + k] = k ? 4 * rng_uniform(&r) - 2 : 1;
            z += truth[k] * x[i * N + k];
        }
        targets[i] = rng_uniform(&r) < 1 / (1 + exp(-z));
        weights[i] = i % 5 ? 1 : 0.5;
    }
}

static double loss(const double *theta)
{
    double sum = 0;
    for (size_t k = 0; k < N; k++)
        sum += precision[k] / 2 * (theta[k] - mean[k]) * (theta[k] - mean[k]);
    for (size_t i = 0; i < COUNT; i++) {
        double z = 0;
        for (size_t k = 0; k < N; k++)
            z += theta[k] * x[i * N + k];
        sum += weights[i] * (log1p(exp(z)) - targets[i] * z);
    }
    return sum;
}

Test(ridge, derivatives_are_those_of_the_loss)
{
    double theta[N] = {0.2, 0.4, -0.3, 0.1}, gradient[N], curvature[N * N], near[N], other[N * N];
    make();
    ridge_differentiate(&rows, mean, precision, theta, gradient, curvature);
    for (size_t k = 0; k < N; k++) {
        double moved[N], back[N];
        memcpy(moved, theta, sizeof(moved));
        memcpy(back, theta, sizeof(back));
        moved[k] += 1e-5;
        back[k] -= 1e-5;
        cr_expect_float_eq(gradient[k], (loss(moved) - loss(back)) / 2e-5, 1e-4);
        ridge_differentiate(&rows, mean, precision, moved, near, other);
        for (size_t l = 0; l < N; l++)
            cr_expect_float_eq(curvature[k * N + l], (near[l] - gradient[l]) / 1e-5, 0.05);
    }
}

Test(ridge, finds_the_least_loss_and_what_was_planted)
{
    struct arena *a = arena_create(1 << 20);
    double theta[N], covariance[N * N], gradient[N], curvature[N * N];
    make();
    cr_assert_eq(ridge_fit(&rows, mean, precision, a, theta, covariance, NULL), OK);
    ridge_differentiate(&rows, mean, precision, theta, gradient, curvature);
    for (size_t k = 0; k < N; k++)
        cr_expect_lt(fabs(gradient[k]), 1e-6);
    cr_expect_float_eq(theta[1], 1.2, 0.3);
    cr_expect_float_eq(theta[2], -0.8, 0.3);
    for (size_t k = 0; k < N; k++)
        for (size_t l = 0; l < N; l++) {
            double sum = 0;
            for (size_t i = 0; i < N; i++)
                sum += covariance[k * N + i] * curvature[i * N + l];
            cr_expect_float_eq(sum, k == l, 1e-9);
        }
    arena_free(a);
}

Test(ridge, without_rows_the_belief_stands)
{
    struct arena *a = arena_create(1 << 20);
    const struct ridge_rows none = {x, targets, weights, 0, N};
    double theta[N], covariance[N * N];
    cr_assert_eq(ridge_fit(&none, mean, precision, a, theta, covariance, NULL), OK);
    for (size_t k = 0; k < N; k++) {
        cr_expect_float_eq(theta[k], mean[k], 1e-12);
        cr_expect_float_eq(covariance[k * N + k], 1 / precision[k], 1e-12);
    }
    arena_free(a);
}
