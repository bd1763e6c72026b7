/* The marginal likelihood of s: see shared_fit.h. Given u outcomes of a question are independent, so that of a row is a
 * sum over u of a product over experts. With many experts it is narrow in u, hence a finer rule than the one that
 * decisions sum by; the intercepts are theirs. A grid finds the region, golden section the place: the likelihood has
 * one peak in all that was tried, but nothing proves it. */
#include "stage/shared_fit.h"

#include <math.h>

#include "base/check.h"
#include "base/fmath.h"
#include "predict/shared_factor.h"

#define NODES     41
#define SPACING   0.2f
#define TOLERANCE 0.01
#define GOLDEN    0.6180339887498949
#define FLOOR     1e-30

static const double grid[] = {0, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 3.5, (double)SHARED_SD_MAX};
#define GRID (sizeof(grid) / sizeof(grid[0]))

/* What one outcome adds to log_likelihood[NODES]: ln σ(z) or ln (1 − σ(z)), times its weight. */
static void add_outcome(float a, float s, bool right, float weight, float *log_likelihood)
{
    for (size_t k = 0; k < NODES; k++) {
        float u = SPACING * ((float)k - (NODES - 1) / 2.0f), z = a + s * u;
        z = right ? z : -z;
        log_likelihood[k] -= weight * log1pf(fmath_exp(-z));
    }
}

static double row_likelihood(const struct shared_rows *r, size_t row, float s)
{
    float target[SHARED_EXPERTS_MAX], a[SHARED_EXPERTS_MAX], logs[NODES] = {0};
    const float *scores = r->scores + row * r->experts;
    double sum = 0, total = 0, highest = -INFINITY;
    for (size_t e = 0; e < r->experts; e++)
        target[e] = shared_logit(r->quality[row * r->experts + e]);
    shared_intercepts(target, r->experts, s, a);
    for (size_t e = 0; e < r->experts; e++)
        if (scores[e] >= 0)
            add_outcome(a[e], s, scores[e] >= 0.5f,
                        r->weights ? r->weights[row * r->experts + e] : 1, logs);
    for (size_t k = 0; k < NODES; k++)
        highest = fmax(highest, (double)logs[k]);
    for (size_t k = 0; k < NODES; k++) {
        double u = (double)SPACING * ((double)k - (NODES - 1) / 2.0), weight = exp(-u * u / 2);
        sum += weight * exp((double)logs[k] - highest);
        total += weight;
    }
    return highest + log(fmax(sum / total, FLOOR));
}

static size_t known_in(const struct shared_rows *r, size_t row)
{
    size_t known = 0;
    for (size_t e = 0; e < r->experts; e++)
        known += r->scores[row * r->experts + e] >= 0;
    return known;
}

/* A row of one known score says nothing of s. */
static double likelihood(const struct shared_rows *r, size_t step, double s)
{
    double sum = 0;
    for (size_t row = 0; row < r->rows; row += step)
        if (known_in(r, row) > 1)
            sum += row_likelihood(r, row, (float)s);
    return sum;
}

static double golden(const struct shared_rows *r, size_t step, double low, double high)
{
    double width = high - low, x = high - GOLDEN * width, y = low + GOLDEN * width;
    double at_x = likelihood(r, step, x), at_y = likelihood(r, step, y);
    while (high - low > TOLERANCE)
        if (at_x >= at_y) {
            high = y;
            y = x;
            at_y = at_x;
            x = high - GOLDEN * (high - low);
            at_x = likelihood(r, step, x);
        } else {
            low = x;
            x = y;
            at_x = at_y;
            y = low + GOLDEN * (high - low);
            at_y = likelihood(r, step, y);
        }
    return (low + high) / 2;
}

bool shared_fit(const struct shared_rows *r, float *ret_sd)
{
    CHECK(r->experts <= SHARED_EXPERTS_MAX);
    size_t step = r->rows * r->experts / SHARED_FIT_PAIRS_MAX + 1, best = 0;
    double highest = -INFINITY;
    bool any = false;
    for (size_t row = 0; row < r->rows && !any; row += step)
        any = known_in(r, row) > 1;
    if (!any)
        return false;
    for (size_t i = 0; i < GRID; i++) {
        double at = likelihood(r, step, grid[i]);
        if (at > highest) {
            highest = at;
            best = i;
        }
    }
    double s = golden(r, step, grid[best ? best - 1 : 0], grid[best + 1 < GRID ? best + 1 : best]);
    s = best == 0 && likelihood(r, step, s) <= highest ? 0 : s;
    *ret_sd = (float)(round(s * 1000) / 1000); /* as model files say it */
    return true;
}
