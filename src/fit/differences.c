/* Gauss and Newton on differences: see differences.h. The problem is close to linear, for slopes are small and move
 * probabilities little; a slope that would leave its bounds stops at them, and one that stands there is left out of a
 * step that would take it further out. Sums run in the order of the rows, in double precision. For training alone. */
#include "fit/differences.h"

#include <math.h>

#include "base/check.h"

#define STEPS_MAX 30
#define STEP_MIN  1e-6

static double weighted_mean(double sum, double weight)
{
    return weight > 0 ? sum / weight : 0;
}

double fit_difference_loss(const float *quality, const float *scores, const float *weights,
                           size_t columns)
{
    double sum = 0, squares = 0, weight = 0;
    for (size_t e = 0; e < columns; e++) {
        double r = (double)scores[e] - (double)quality[e], w = (double)weights[e];
        if (scores[e] < 0)
            continue;
        sum += w * r;
        squares += w * r * r;
        weight += w;
    }
    return squares - weighted_mean(sum, weight) * sum;
}

struct steps {
    const struct difference_rows *rows;
    double slopes[FIT_TERMS_MAX], g[FIT_TERMS_MAX], h[FIT_TERMS_MAX][FIT_TERMS_MAX];
};

/* Sums of one row: of weights, residuals, derivatives, and their products, from which the row's mean is then taken. */
struct row_sums {
    double weight, r, y[FIT_TERMS_MAX], ry[FIT_TERMS_MAX], yy[FIT_TERMS_MAX][FIT_TERMS_MAX];
};

static void add_cell(const struct steps *s, size_t cell, struct row_sums *to)
{
    const struct difference_rows *d = s->rows;
    const float *x = d->x + cell * d->terms;
    double z = (double)d->offsets[cell], w = (double)d->weights[cell], y[FIT_TERMS_MAX];
    for (size_t k = 0; k < d->terms; k++)
        z += s->slopes[k] * (double)x[k];
    double q = 1 / (1 + exp(-z)), r = (double)d->scores[cell] - q;
    to->weight += w;
    to->r += w * r;
    for (size_t k = 0; k < d->terms; k++) {
        y[k] = q * (1 - q) * (double)x[k];
        to->y[k] += w * y[k];
        to->ry[k] += w * r * y[k];
        for (size_t l = 0; l <= k; l++)
            to->yy[k][l] += w * y[k] * y[l];
    }
}

static void add_row(struct steps *s, size_t row)
{
    const struct difference_rows *d = s->rows;
    struct row_sums sums = {0};
    for (size_t e = 0; e < d->columns; e++)
        if (d->scores[row * d->columns + e] >= 0)
            add_cell(s, row * d->columns + e, &sums);
    for (size_t k = 0; k < d->terms; k++) {
        s->g[k] -= sums.ry[k] - weighted_mean(sums.r, sums.weight) * sums.y[k];
        for (size_t l = 0; l <= k; l++)
            s->h[k][l] += sums.yy[k][l] - weighted_mean(sums.y[k], sums.weight) * sums.y[l];
    }
}

/* Whether slope k stands at a bound, and downhill is beyond it. */
static bool is_held(const struct steps *s, size_t k, const double *low, const double *high)
{
    return (s->slopes[k] <= low[k] && s->g[k] >= 0) || (s->slopes[k] >= high[k] && s->g[k] <= 0);
}

/* Takes a step; returns the longest move. */
static double step(struct steps *s, const double *low, const double *high)
{
    size_t n = s->rows->terms;
    double longest = 0;
    bool held[FIT_TERMS_MAX];
    for (size_t k = 0; k < n; k++)
        held[k] = is_held(s, k, low, high);
    for (size_t k = 0; k < n; k++)
        for (size_t l = 0; l <= k; l++) {
            double both = held[k] || held[l] ? k == l : s->h[k][l];
            s->h[k][l] = s->h[l][k] = both;
        }
    for (size_t k = 0; k < n; k++)
        s->g[k] = held[k] ? 0 : s->g[k];
    if (!fit_solve(n, s->h, s->g))
        return 0;
    for (size_t k = 0; k < n; k++) {
        double to = fmin(fmax(s->slopes[k] - s->g[k], low[k]), high[k]);
        longest = fmax(longest, fabs(to - s->slopes[k]));
        s->slopes[k] = to;
    }
    return longest;
}

void fit_differences(const struct difference_rows *r, const double *low, const double *high,
                     double ridge, float *slopes)
{
    CHECK(r->terms <= FIT_TERMS_MAX);
    struct steps s = {.rows = r};
    for (int i = 0; i < STEPS_MAX; i++) {
        for (size_t k = 0; k < r->terms; k++) {
            s.g[k] = ridge * s.slopes[k];
            for (size_t l = 0; l < r->terms; l++)
                s.h[k][l] = k == l ? ridge : 0;
        }
        for (size_t row = 0; row < r->rows; row++)
            add_row(&s, row);
        if (step(&s, low, high) < STEP_MIN)
            break;
    }
    for (size_t k = 0; k < r->terms; k++)
        slopes[k] = (float)s.slopes[k];
}
