/* Eight kinds at the corners of a cube, in each of which the dimensions go together. */
#include "fit/kinds.h"

#include <math.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/rng.h"

#define N     3
#define EACH  60
#define ROWS  (KINDS_MAX * EACH)
#define RIDGE 0.2

static float x[ROWS * N];
static double means[KINDS_MAX][N];

static void make(void)
{
    struct rng r;
    rng_seed(&r, 9);
    memset(means, 0, sizeof(means));
    for (int i = 0; i < ROWS; i++) {
        double common = rng_uniform(&r) - 0.5;
        for (int d = 0; d < N; d++) {
            double at = i % KINDS_MAX >> d & 1 ? 3 : -3;
            x[i * N + d] = (float)(at + (d + 1) * common + 0.3 * (rng_uniform(&r) - 0.5));
            means[i % KINDS_MAX][d] += (double)x[i * N + d] / EACH;
        }
    }
}

/* The covariance within the corners, and the ridge. */
static void covariance(double s[N][N])
{
    for (int a = 0; a < N; a++)
        for (int b = 0; b < N; b++) {
            s[a][b] = a == b ? RIDGE : 0;
            for (int i = 0; i < ROWS; i++)
                s[a][b] += ((double)x[i * N + a] - means[i % KINDS_MAX][a]) *
                           ((double)x[i * N + b] - means[i % KINDS_MAX][b]) / ROWS;
        }
}

Test(kinds, whitened_covariance_is_one)
{
    float whiten[N * N], centre[KINDS_MAX * N];
    double s[N][N];
    make();
    covariance(s);
    cr_assert_eq(kinds_fit(x, ROWS, N, RIDGE, whiten, centre, NULL), OK);
    for (int a = 0; a < N; a++)
        for (int b = 0; b < N; b++) {
            double sum = 0;
            for (int i = 0; i < N; i++)
                for (int k = 0; k < N; k++)
                    sum += (double)whiten[a * N + i] * s[i][k] * (double)whiten[b * N + k];
            cr_assert_float_eq(sum, a == b, 1e-4, "%d, %d: %g", a, b, sum);
            cr_assert(b <= a || whiten[a * N + b] == 0);
        }
}

Test(kinds, every_corner_is_one)
{
    float whiten[N * N], centre[KINDS_MAX * N];
    make();
    cr_assert_eq(kinds_fit(x, ROWS, N, RIDGE, whiten, centre, NULL), OK);
    for (int corner = 0; corner < KINDS_MAX; corner++) {
        double nearest = INFINITY;
        for (int k = 0; k < KINDS_MAX; k++) {
            double away = 0;
            for (int a = 0; a < N; a++) {
                double off = -(double)centre[k * N + a];
                for (int b = 0; b < N; b++)
                    off += (double)whiten[a * N + b] * means[corner][b];
                away += off * off;
            }
            nearest = fmin(nearest, away);
        }
        cr_assert_lt(nearest, 1e-6, "corner %d", corner);
    }
}

/* Fewer points than kinds, all the same: nothing varies but the ridge. */
Test(kinds, equal_points_are_whitened_by_the_ridge)
{
    static const float same[2 * N] = {1, 2, 3, 1, 2, 3};
    float whiten[N * N], centre[KINDS_MAX * N];
    cr_assert_eq(kinds_fit(same, 2, N, RIDGE, whiten, centre, NULL), OK);
    for (int a = 0; a < N; a++)
        for (int b = 0; b < N; b++)
            cr_assert_float_eq((double)whiten[a * N + b], a == b ? 1 / sqrt(RIDGE) : 0, 1e-5);
}
