/* Slopes against the loss of their neighbours, which is written out pair by pair; bounds; rows without a difference. */
#include "fit/differences.h"

#include <math.h>

#include <criterion/criterion.h>

#include "base/rng.h"

#define ROWS    300
#define COLUMNS 3
#define TERMS   2

static float x[ROWS * COLUMNS * TERMS], offsets[ROWS * COLUMNS], scores[ROWS * COLUMNS],
    weights[ROWS * COLUMNS];
static const struct difference_rows rows = {x, offsets, scores, weights, ROWS, COLUMNS, TERMS};

static double sigmoid(double z)
{
    return 1 / (1 + exp(-z));
}

/* Scores follow offset + slope[0] · first term + slope[1] · second. */
static void make(const double *slopes, bool weighted)
{
    struct rng r;
    rng_seed(&r, 5);
    for (size_t i = 0; i < ROWS * COLUMNS; i++) {
        double z = rng_uniform(&r) * 2 - 1;
        offsets[i] = (float)z;
        for (size_t k = 0; k < TERMS; k++) {
            x[i * TERMS + k] = (float)(rng_uniform(&r) * 4 - 2);
            z += slopes[k] * (double)x[i * TERMS + k];
        }
        scores[i] = i % 11 == 4 ? -1 : (float)(rng_uniform(&r) < sigmoid(z));
        weights[i] = weighted && i % 3 ? 0.5f : 1;
    }
}

/* Σ over pairs of w_a w_b (r_a − r_b)² / Σ w, which is the sum of squares around the mean. */
static double loss(const float *slopes, double ridge)
{
    double sum = 0;
    for (size_t i = 0; i < ROWS; i++) {
        double r[COLUMNS], w[COLUMNS], all = 0, pairs = 0;
        for (size_t e = 0; e < COLUMNS; e++) {
            size_t cell = i * COLUMNS + e;
            double z = (double)offsets[cell];
            for (size_t k = 0; k < TERMS; k++)
                z += (double)slopes[k] * (double)x[cell * TERMS + k];
            r[e] = (double)scores[cell] - sigmoid(z);
            w[e] = scores[cell] < 0 ? 0 : (double)weights[cell];
            all += w[e];
        }
        for (size_t a = 0; a < COLUMNS; a++)
            for (size_t b = 0; b < a; b++)
                pairs += w[a] * w[b] * (r[a] - r[b]) * (r[a] - r[b]);
        sum += all > 0 ? pairs / all : 0;
    }
    for (size_t k = 0; k < TERMS; k++)
        sum += ridge * (double)slopes[k] * (double)slopes[k];
    return sum;
}

Test(differences, slopes_are_where_no_neighbour_is_better)
{
    static const double low[] = {-9, -9}, high[] = {9, 9}, truth[] = {0.8, -0.5};
    float found[TERMS];
    for (int weighted = 0; weighted < 2; weighted++) {
        make(truth, weighted);
        fit_differences(&rows, low, high, 3, found);
        double best = loss(found, 3);
        for (size_t k = 0; k < TERMS; k++) {
            cr_assert_float_eq((double)found[k], truth[k], 0.25);
            for (int sign = -1; sign <= 1; sign += 2) {
                float moved[TERMS] = {found[0], found[1]};
                moved[k] += (float)sign * 0.01f;
                cr_assert(loss(moved, 3) > best, "slope %zu", k);
            }
        }
    }
}

Test(differences, slopes_stop_at_their_bounds)
{
    static const double low[] = {0, 0}, high[] = {0.3, 1}, truth[] = {0.8, -0.5};
    float found[TERMS];
    make(truth, false);
    fit_differences(&rows, low, high, 1, found);
    cr_assert_float_eq((double)found[0], 0.3, 1e-6);
    cr_assert_eq((double)found[1], 0);
}

Test(differences, a_row_of_one_score_tells_nothing)
{
    static const double low[] = {0, 0}, high[] = {1, 1}, truth[] = {0.8, 0.5};
    float found[TERMS];
    make(truth, false);
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        scores[i] = i % COLUMNS ? -1 : scores[i];
    fit_differences(&rows, low, high, 1, found);
    cr_assert_eq((double)found[0], 0);
    cr_assert_eq((double)found[1], 0);
}

Test(differences, the_loss_of_a_row_is_that_of_its_pairs)
{
    const float quality[] = {0.5f, 0.25f, 0.9f}, score[] = {1, 0, -1}, weight[] = {1, 0.5f, 1};
    double r = 0.5 - -0.25;
    cr_assert_float_eq(fit_difference_loss(quality, score, weight, 3), 1 * 0.5 / 1.5 * r * r, 1e-6);
}
