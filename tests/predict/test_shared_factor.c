/* Eleven nodes against a fine grid in doubles. */
#include "predict/shared_factor.h"

#include <math.h>

#include <criterion/criterion.h>

static const float qualities[] = {1e-5f, 0.003f, 0.1f, 0.37f, 0.5f, 0.8f, 0.97f, 0.9995f};
#define COUNT (sizeof(qualities) / sizeof(qualities[0]))

static double grid_mean(double a, double s)
{
    double sum = 0;
    for (int k = -700; k <= 700; k++) {
        double u = k / 100.0;
        sum += exp(-u * u / 2) / sqrt(2 * acos(-1)) / 100 / (1 + exp(-a - s * u));
    }
    return sum;
}

Test(shared_factor, means_are_what_is_estimated)
{
    float target[COUNT], a[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        target[i] = shared_logit(qualities[i]);
    for (float s = 0; s <= SHARED_SD_MAX; s += 0.5f) {
        struct shared_factor f = {.count = COUNT};
        float sums[SHARED_EXPERTS_MAX];
        shared_intercepts(target, COUNT, s, a);
        shared_factor_fill(&f, target, s);
        shared_factor_weigh(&f, shared_weights, sums);
        for (size_t i = 0; i < COUNT; i++) {
            cr_assert_float_eq((double)sums[i], (double)qualities[i], 1e-3, "s %g: %g", (double)s,
                               (double)sums[i]);
            cr_assert_float_eq(grid_mean((double)a[i], (double)s), (double)qualities[i],
                               s <= 2 ? 1e-3 : 6e-3, "s %g", (double)s);
        }
    }
}

Test(shared_factor, whoever_is_likelier_is_so_at_every_node_and_easier_questions_are_easier_for_all)
{
    float target[COUNT];
    struct shared_factor f = {.count = COUNT};
    for (size_t i = 0; i < COUNT; i++)
        target[i] = shared_logit(qualities[i]);
    shared_factor_fill(&f, target, 1.5f);
    for (size_t k = 0; k < SHARED_NODES; k++)
        for (size_t i = 1; i < COUNT; i++)
            cr_assert_geq((double)f.right[k][i], (double)f.right[k][i - 1]);
    for (size_t k = 1; k < SHARED_NODES; k++)
        for (size_t i = 0; i < COUNT; i++)
            cr_assert_geq((double)f.right[k][i], (double)f.right[k - 1][i]);
}

Test(shared_factor, products_of_several_are_those_of_a_fine_grid)
{
    const float three[] = {0.2f, 0.6f, 0.7f};
    float target[3], a[3];
    struct shared_factor f = {.count = 3};
    for (size_t i = 0; i < 3; i++)
        target[i] = shared_logit(three[i]);
    shared_factor_fill(&f, target, 2);
    shared_intercepts(target, 3, 2, a);
    double nodes = 0, grid = 0;
    for (size_t k = 0; k < SHARED_NODES; k++) {
        double all = (double)shared_weights[k];
        for (size_t i = 0; i < 3; i++)
            all *= 1 - (double)f.right[k][i];
        nodes += all;
    }
    for (int k = -700; k <= 700; k++) {
        double u = k / 100.0, all = exp(-u * u / 2) / sqrt(2 * acos(-1)) / 100;
        for (size_t i = 0; i < 3; i++)
            all /= 1 + exp((double)a[i] + 2 * u);
        grid += all;
    }
    cr_assert_float_eq(nodes, grid, 3e-4);
    cr_assert_gt(nodes, 0.15); /* were they independent, it would be .096 */
}

Test(shared_factor, qualities_that_are_none_have_log_odds)
{
    cr_assert_eq(shared_logit(NAN), shared_logit(0));
    cr_assert_eq(shared_logit(-3), shared_logit(0));
    cr_assert_eq(shared_logit(7), shared_logit(1));
    cr_assert(isfinite(shared_logit(0)) && isfinite(shared_logit(1)));
}
