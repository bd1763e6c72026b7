/* Principal components against an exact eigen-decomposition, the regression against finite differences of its loss. */
#include "fit/dense_fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/rng.h"

#define ROWS 400
#define DIMS 12
#define KEPT 3
#define LAST 5 /* a dimension that never changes */

static float x[ROWS * DIMS];
static uint32_t order[ROWS];

/* Four directions that carry something, noise, and a dimension that is constant. */
static void make_rows(void)
{
    struct rng rng;
    rng_seed(&rng, 7);
    for (size_t i = 0; i < ROWS; i++) {
        double own[4];
        order[i] = (uint32_t)i;
        for (size_t k = 0; k < 4; k++)
            own[k] = (rng_uniform(&rng) - 0.5) * (8 >> k);
        for (size_t d = 0; d < DIMS; d++)
            x[i * DIMS + d] = d == LAST ? 3
                                        : (float)(own[d % 4] * (d < 8 ? 1 : -0.5) +
                                                  0.1 * (rng_uniform(&rng) - 0.5) + (double)d);
    }
}

static void covariance(double c[DIMS][DIMS], double *mean)
{
    memset(mean, 0, DIMS * sizeof(*mean));
    memset(c, 0, DIMS * sizeof(c[0]));
    for (size_t i = 0; i < ROWS; i++)
        for (size_t d = 0; d < DIMS; d++)
            mean[d] += (double)x[i * DIMS + d] / ROWS;
    for (size_t i = 0; i < ROWS; i++)
        for (size_t a = 0; a < DIMS; a++)
            for (size_t b = 0; b < DIMS; b++)
                c[a][b] += ((double)x[i * DIMS + a] - mean[a]) *
                           ((double)x[i * DIMS + b] - mean[b]) / ROWS;
}

/* The largest eigenvector by power iteration, then taken out of the matrix; returns its eigenvalue. */
static double take_largest(double c[DIMS][DIMS], double *v)
{
    double value = 0;
    for (size_t d = 0; d < DIMS; d++)
        v[d] = 1 + 0.1 * (double)d;
    for (int step = 0; step < 2000; step++) {
        double next[DIMS] = {0}, norm = 0;
        for (size_t a = 0; a < DIMS; a++)
            for (size_t b = 0; b < DIMS; b++)
                next[a] += c[a][b] * v[b];
        for (size_t d = 0; d < DIMS; d++)
            norm += next[d] * next[d];
        value = sqrt(norm);
        for (size_t d = 0; d < DIMS; d++)
            v[d] = next[d] / value;
    }
    for (size_t a = 0; a < DIMS; a++)
        for (size_t b = 0; b < DIMS; b++)
            c[a][b] -= value * v[a] * v[b];
    return value;
}

Test(dense_fit, components_are_the_largest_eigenvectors_on_one_scale)
{
    double c[DIMS][DIMS], wanted_mean[DIMS], v[KEPT][DIMS], value[KEPT], total = 0;
    float mean[DIMS], directions[DIMS * KEPT];
    make_rows();
    covariance(c, wanted_mean);
    for (size_t k = 0; k < KEPT; k++)
        total += value[k] = take_largest(c, v[k]);
    cr_assert_eq(
        dense_principal(&(struct dense_rows){x, DIMS}, order, ROWS, KEPT, mean, directions, NULL),
        OK);
    double scale = sqrt(KEPT / total);
    for (size_t d = 0; d < DIMS; d++)
        cr_assert_float_eq(mean[d], wanted_mean[d], 1e-5);
    for (size_t k = 0; k < KEPT; k++) {
        double sign = v[k][0] * (double)directions[k] > 0 ? 1 : -1;
        for (size_t d = 0; d < DIMS; d++)
            cr_assert_float_eq((double)directions[d * KEPT + k], sign * scale * v[k][d], 1e-4,
                               "component %zu dimension %zu", k, d);
    }
}

Test(dense_fit, where_there_are_fewer_directions_the_rest_is_zero)
{
    float flat[4 * 3] = {1, 2, 3, 2, 4, 3, 3, 6, 3, 4, 8, 3}, mean[3], directions[3 * 3];
    make_rows();
    cr_assert_eq(
        dense_principal(&(struct dense_rows){flat, 3}, order, 4, 3, mean, directions, NULL), OK);
    for (size_t d = 0; d < 3; d++)
        for (size_t k = 1; k < 3; k++)
            cr_assert_float_eq(directions[d * 3 + k], 0, 1e-3);
    cr_assert_float_eq(directions[3] / directions[0], 2, 1e-4);
    cr_assert_float_eq(directions[6], 0, 1e-4);
    for (size_t i = 0; i < 12; i++)
        flat[i] = 7;
    cr_assert_eq(
        dense_principal(&(struct dense_rows){flat, 3}, order, 4, 3, mean, directions, NULL), OK);
    for (size_t i = 0; i < 9; i++)
        cr_assert_eq((double)directions[i], 0);
}

#define TERMS   2
#define EXPERTS 2

static double loss(const struct dense_sample *s, const double *w, size_t e, double penalty)
{
    double sum = 0.5e-3 * w[0] * w[0];
    for (size_t k = 0; k < TERMS; k++)
        sum += penalty / 2 * w[1 + k] * w[1 + k];
    for (size_t i = 0; i < s->count; i++) {
        size_t row = s->order[i], at = row * EXPERTS + e;
        double z = w[0], y = (double)s->targets[at];
        for (size_t k = 0; k < TERMS; k++)
            z += w[1 + k] * (double)s->components[row * TERMS + k];
        if (y >= 0)
            sum += (double)s->weights[at] * (log(1 + exp(-z)) + (1 - y) * z);
    }
    return sum;
}

Test(dense_fit, weights_are_where_the_loss_is_flat)
{
    float c[ROWS * TERMS], targets[ROWS * EXPERTS], weights[ROWS * EXPERTS];
    float found[(1 + TERMS) * EXPERTS];
    struct rng rng;
    make_rows();
    rng_seed(&rng, 3);
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t k = 0; k < TERMS; k++)
            c[i * TERMS + k] = (float)(rng_uniform(&rng) * 4 - 2);
        for (size_t e = 0; e < EXPERTS; e++) {
            double p = 1 / (1 + exp(-((double)c[i * TERMS] * (e ? 1 : -2) + 0.5)));
            targets[i * EXPERTS + e] = i % 7 == 3 ? -1 : (float)(rng_uniform(&rng) < p);
            weights[i * EXPERTS + e] = i % 3 ? 1 : 0.5f;
        }
    }
    const struct dense_sample s = {c, TERMS, order, ROWS - 50, targets, weights, EXPERTS};
    cr_assert_eq(dense_logistic(&s, 5, found, NULL), OK);
    for (size_t e = 0; e < EXPERTS; e++) {
        double w[1 + TERMS], h = 1e-4;
        for (size_t k = 0; k <= TERMS; k++)
            w[k] = (double)found[k * EXPERTS + e];
        for (size_t k = 0; k <= TERMS; k++) {
            double is = w[k];
            w[k] = is + h;
            double up = loss(&s, w, e, 5);
            w[k] = is - h;
            double down = loss(&s, w, e, 5);
            w[k] = is;
            cr_assert_float_eq((up - down) / (2 * h), 0, 2e-3, "expert %zu weight %zu", e, k);
        }
    }
    cr_assert(found[EXPERTS] < -1 && found[EXPERTS + 1] > 0.5f);
}

Test(dense_fit, the_loss_is_that_of_probabilities)
{
    const float logits[] = {0.7f, -40, 2, 30}, scores[] = {0.25f, 0, -1, 1},
                weights[] = {1, 0.5f, 1, 2};
    double p = 1 / (1 + exp(-0.7));
    cr_assert_float_eq(dense_loss(logits, scores, weights, 4), -0.25 * log(p) - 0.75 * log(1 - p),
                       1e-6);
}
