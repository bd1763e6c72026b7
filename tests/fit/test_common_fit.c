/* The fit against its own objective: no small change of any unknown makes it less, and the common slopes are what they
 * must be at a minimum. */
#include "fit/common_fit.h"

#include <criterion/criterion.h>
#include <math.h>

#include "base/rng.h"

#define ROWS    200
#define EXPERTS 3
#define TERMS   3

static float own[ROWS * EXPERTS], shared[ROWS * (TERMS - 1)], targets[ROWS * EXPERTS],
    weights[ROWS * EXPERTS];
static uint32_t order[ROWS];
static struct common_sample sample;

/* Expert e follows a slope of 1.5 + e/4 on its own term; the last expert has a few outcomes only. */
static void draw(size_t last_has)
{
    struct rng rng;
    rng_seed(&rng, 5);
    for (size_t i = 0; i < ROWS; i++) {
        order[i] = (uint32_t)i;
        for (size_t k = 0; k < TERMS - 1; k++)
            shared[i * (TERMS - 1) + k] = (float)(rng_uniform(&rng) - 0.5);
        for (size_t e = 0; e < EXPERTS; e++) {
            size_t at = i * EXPERTS + e;
            own[at] = (float)(4 * rng_uniform(&rng) - 2);
            double z = (1.5 + (double)e / 4) * (double)own[at] + (double)shared[i * (TERMS - 1)];
            targets[at] = rng_uniform(&rng) < 1 / (1 + exp(-z)) ? 1 : 0;
            weights[at] = 0.5f + (float)rng_uniform(&rng);
            if (e == EXPERTS - 1 && i >= last_has)
                targets[at] = -1;
        }
    }
    sample = (struct common_sample){own, shared, TERMS, order, ROWS, targets, weights, EXPERTS};
}

/* The objective at w [1 + TERMS][EXPERTS], the common slopes at their best for these w. */
static double objective(const double *w, double penalty, double ridge)
{
    double sum = 0;
    for (size_t i = 0; i < ROWS; i++)
        for (size_t e = 0; e < EXPERTS; e++) {
            size_t at = i * EXPERTS + e;
            double z = w[e] + w[EXPERTS + e] * (double)own[at];
            for (size_t k = 1; k < TERMS; k++)
                z += w[(1 + k) * EXPERTS + e] * (double)shared[i * (TERMS - 1) + k - 1];
            if (targets[at] >= 0)
                sum += (double)weights[at] * (log1p(exp(z)) - (double)targets[at] * z);
        }
    for (size_t k = 0; k < TERMS; k++) {
        double total = 0, common;
        for (size_t e = 0; e < EXPERTS; e++)
            total += w[(1 + k) * EXPERTS + e];
        common = penalty * total / (penalty * EXPERTS + ridge);
        sum += ridge / 2 * common * common;
        for (size_t e = 0; e < EXPERTS; e++)
            sum += penalty / 2 * pow(w[(1 + k) * EXPERTS + e] - common, 2);
    }
    for (size_t e = 0; e < EXPERTS; e++)
        sum += 1e-3 / 2 * w[e] * w[e];
    return sum;
}

static void fit(double penalty, float *w)
{
    struct error err;
    cr_assert_eq(fit_common_logistic(&sample, penalty, 1, w, &err), OK);
}

Test(common_fit, is_the_minimum_of_what_it_says)
{
    static const double penalties[] = {0.1, 10, 1000};
    draw(ROWS);
    for (size_t p = 0; p < 3; p++) {
        float w[(1 + TERMS) * EXPERTS];
        double x[(1 + TERMS) * EXPERTS];
        fit(penalties[p], w);
        for (size_t i = 0; i < (1 + TERMS) * EXPERTS; i++)
            x[i] = (double)w[i];
        double least = objective(x, penalties[p], 1);
        for (size_t i = 0; i < (1 + TERMS) * EXPERTS; i++)
            for (double d = -1e-3; d < 2e-3; d += 2e-3) {
                x[i] = (double)w[i] + d;
                cr_assert_gt(objective(x, penalties[p], 1), least, "unknown %zu, penalty %g", i,
                             penalties[p]);
                x[i] = (double)w[i];
            }
    }
}

Test(common_fit, a_hard_pull_makes_slopes_alike_and_a_soft_one_lets_them_differ)
{
    float hard[(1 + TERMS) * EXPERTS], soft[(1 + TERMS) * EXPERTS];
    draw(ROWS);
    fit(1e6, hard);
    fit(1e-3, soft);
    cr_assert_float_eq(hard[EXPERTS], hard[EXPERTS + 2], 1e-3);
    cr_assert_gt(soft[EXPERTS + 2] - soft[EXPERTS], 0.2f);
    cr_assert_float_eq(hard[EXPERTS], 1.75, 0.5);
}

Test(common_fit, who_has_no_outcomes_has_the_common_slopes)
{
    float w[(1 + TERMS) * EXPERTS];
    draw(0);
    fit(100, w);
    cr_assert_eq((double)w[2], 0);
    cr_assert_float_eq(w[EXPERTS + 2], (w[EXPERTS] + w[EXPERTS + 1]) / 2, 0.02);
    cr_assert(isfinite(w[EXPERTS + 2]));
}
