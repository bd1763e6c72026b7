/* Spread against worlds in which the truth is known. */
#include "train/spread_fit.h"

#include <math.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "base/rng.h"
#include "encode/ngram_encoder.h"

#define ROWS    20000
#define EXPERTS 3

static float quality[ROWS * EXPERTS], scores[ROWS * EXPERTS], entropy[ROWS], novelty[ROWS];

/* Estimates of 0.5; the truth lies `low` beside them, or `high` where the novelty is one: up or down with one chance,
 * for all experts alike. */
static void make(double low, double high)
{
    struct rng r;
    rng_seed(&r, 3);
    for (size_t i = 0; i < ROWS; i++) {
        novelty[i] = rng_uniform(&r) < 0.5;
        entropy[i] = (float)rng_uniform(&r);
        double off = novelty[i] > 0 ? high : low;
        double truth = rng_uniform(&r) < 0.5 ? 0.5 - off : 0.5 + off;
        for (size_t e = 0; e < EXPERTS; e++) {
            quality[i * EXPERTS + e] = 0.5f;
            scores[i * EXPERTS + e] = rng_uniform(&r) < truth;
        }
    }
}

static float fitted_sd(float of_novelty)
{
    float weights[SPREAD_TERMS];
    spread_fit(quality, scores, NULL, ROWS, EXPERTS, entropy, novelty, weights);
    return spread_quality_sd(spread_share(weights, 0.5f, 0.5f, of_novelty), 0.5f);
}

Test(spread_fit, finds_how_far_the_truth_lies)
{
    make(0.1, 0.3);
    cr_expect_float_eq((double)fitted_sd(0), 0.1, 0.03);
    cr_expect_float_eq((double)fitted_sd(1), 0.3, 0.03);
}

Test(spread_fit, chance_alone_is_no_spread)
{
    make(0, 0);
    cr_expect_lt((double)fitted_sd(0), 0.09);
    cr_expect_lt((double)fitted_sd(1), 0.09);
}

Test(spread_fit, unknown_scores_say_nothing)
{
    float weights[SPREAD_TERMS];
    make(0.2, 0.2);
    for (size_t i = 0; i < ROWS * EXPERTS; i++)
        scores[i] = i % EXPERTS ? -1 : scores[i]; /* one known: no pairs */
    spread_fit(quality, scores, NULL, ROWS, EXPERTS, entropy, novelty, weights);
    cr_expect_float_eq((double)weights[0], (double)SPREAD_PRIOR, 1e-6);
    for (int k = 1; k < SPREAD_TERMS; k++)
        cr_expect_float_eq((double)weights[k], 0, 1e-6);
}

Test(spread_fit, novelty_is_what_training_did_not_see)
{
    const uint32_t buckets[] = {1, 2, 3, 2, 9};
    const float values[] = {0.6f, 0.8f, 1, 0.6f, 0.8f};
    const size_t starts[] = {0, 2, 3, 5};
    const struct sparse_rows rows = {buckets, values, starts};
    uint8_t *times = malloc(NGRAM_BUCKETS);
    float own[3];
    cr_assert_not_null(times);
    spread_own_novelty(&rows, 3, NGRAM_BUCKETS, times, own);
    cr_assert_eq(times[2], 2);
    cr_assert_eq(times[9], 1);
    cr_assert_eq(times[4], 0);
    cr_expect_float_eq((double)own[0], 0.36, 1e-6); /* bucket 1 is nowhere else */
    cr_expect_float_eq((double)own[1], 1, 1e-6);
    cr_expect_float_eq((double)own[2], 0.64, 1e-6);
    free(times);
}
