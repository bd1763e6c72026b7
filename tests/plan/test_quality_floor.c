/* The floor keeps the promise on average, and is no higher than that takes. */
#include "plan/quality_floor.h"

#include <criterion/criterion.h>
#include <math.h>

#include "base/rng.h"
#include "plan/decide.h"

#define ROWS 500
#define ARMS 3

static float quality[ROWS * ARMS], cost[ROWS * ARMS];
static const struct model_sample sample = {ROWS, ARMS, quality, cost};

static void fill(uint64_t seed)
{
    struct rng r;
    rng_seed(&r, seed);
    for (size_t i = 0; i < ROWS; i++) {
        double hard = rng_uniform(&r);
        for (size_t e = 0; e < ARMS; e++) {
            double q = 0.35 + 0.1 * (double)e + 0.5 * (1 - hard) + 0.1 * (rng_uniform(&r) - 0.5);
            quality[i * ARMS + e] = (float)(q < 1 ? q : 1);
            cost[i * ARMS + e] = (float)((1 + (double)e * 4) * (0.5 + rng_uniform(&r)));
        }
    }
}

/* Mean predicted quality by decide(), which is what the floor is for. */
static double mean(double floor, const bool *use)
{
    struct policy p = {.min_quality = floor};
    double sum = 0;
    for (size_t i = 0; i < ROWS; i++) {
        struct estimate e[ARMS];
        struct decision d;
        for (size_t k = 0; k < ARMS; k++)
            e[k] = (struct estimate){.quality = quality[i * ARMS + k],
                                     .cost_nano_usd = (int64_t)((double)cost[i * ARMS + k] * 1e9)};
        cr_assert_eq(decide(&p, 0, e, use, ARMS, &d, NULL), OK);
        sum += d.quality;
    }
    return sum / ROWS;
}

Test(quality_floor, the_mean_holds_wherever_it_can)
{
    size_t raised = 0, kept = 0;
    for (uint64_t seed = 0; seed < 5; seed++) {
        fill(seed);
        for (double wanted = 0.3; wanted < mean(1, NULL); wanted += 0.01) {
            double floor = quality_floor_find(&sample, NULL, wanted);
            cr_assert_geq(floor, wanted);
            cr_assert_geq(mean(floor, NULL), wanted - 1e-9);
            if (floor == wanted) {
                kept++;
                continue;
            }
            raised++;
            cr_assert_lt(mean(floor - 1e-6, NULL), wanted); /* no higher than needed */
        }
    }
    cr_assert(raised > 20 && kept > 20, "%zu raised, %zu kept", raised, kept);
}

Test(quality_floor, out_of_reach_is_the_best)
{
    fill(1);
    cr_assert_eq(quality_floor_find(&sample, NULL, mean(1, NULL) + 0.01), 1);
}

Test(quality_floor, a_table_answers_like_the_search_to_a_step)
{
    const bool some[ARMS] = {true, true, false};
    for (uint64_t seed = 0; seed < 5; seed++) {
        fill(seed);
        for (int k = 0; k < 2; k++) {
            const bool *use = k ? some : NULL;
            struct quality_floor_table table;
            quality_floor_table_init(&table, &sample, use);
            for (double wanted = 0.01; wanted <= 1; wanted += 0.01) {
                double exact = quality_floor_find(&sample, use, wanted);
                double found = quality_floor_table_find(&table, wanted);
                cr_assert_geq(found, exact - 1e-6, "%g: %g", wanted, found);
                cr_assert_leq(found, fmin(1, exact + 1.0 / QUALITY_FLOOR_STEPS + 1e-6),
                              "%g: %g, not %g", wanted, found, exact);
            }
        }
    }
}

/* Equal prices, qualities of exactly 0 and 1, nobody in use. */
Test(quality_floor, tables_of_odd_samples)
{
    static const float q[] = {0, 1, 1, 0, 0.5f, 0.5f}, c[] = {1, 1, 1, 1, 1, 2};
    const struct model_sample odd = {3, 2, q, c}, none = {0, 2, NULL, NULL};
    const bool nobody[2] = {false, false};
    struct quality_floor_table table;
    quality_floor_table_init(&table, &odd, NULL);
    for (double wanted = 0.1; wanted <= 1; wanted += 0.1)
        cr_expect_float_eq(quality_floor_table_find(&table, wanted),
                           quality_floor_find(&odd, NULL, wanted), 1.0 / QUALITY_FLOOR_STEPS, "%g",
                           wanted);
    quality_floor_table_init(&table, &odd, nobody);
    cr_expect_eq(quality_floor_table_find(&table, 0.5), 1);
    quality_floor_table_init(&table, &none, NULL);
    cr_expect_eq(quality_floor_table_find(&table, 0.7), 0.7);
}

Test(quality_floor, only_arms_in_use_count)
{
    const bool use[ARMS] = {true, true, false};
    fill(2);
    double wanted = mean(1, use) - 0.005;
    double floor = quality_floor_find(&sample, use, wanted);
    cr_assert_gt(floor, quality_floor_find(&sample, NULL, wanted));
    cr_assert_geq(mean(floor, use), wanted - 1e-9);
}

Test(quality_floor, without_a_sample_the_floor_is_the_promise)
{
    const struct model_sample none = {0, ARMS, NULL, NULL};
    cr_assert_eq(quality_floor_find(&none, NULL, 0.7), 0.7);
}
