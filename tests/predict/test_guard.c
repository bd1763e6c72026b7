/* The guard against the same sums in double precision, and at its ends. */
#include "predict/guard.h"

#include <math.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "encode/ngram_encoder.h"
#include "predict/predictor.h"

#define N     3
#define KINDS 2

static const float scale[2 * N] = {1, 0, -2, 2, 0.5f, 1};
static const float whiten[N * N] = {2, 99, 99, 0.5f, 1, 99, -1, 0.25f, 3};
static const float centre[KINDS * N] = {0, 0, 0, 1, -2, 4};
static const float limits[GUARD_LIMITS] = {2, 6, 0.25f, 0.5f, 1.5f, 4};
static const float levels[2] = {-1, 2};

static struct guard make(void)
{
    return (struct guard){.kinds = KINDS,
                          .statistics = N,
                          .scale = scale,
                          .whiten = whiten,
                          .centre = centre,
                          .limits = limits,
                          .levels = levels};
}

static float share_of(const struct guard *g, const float *statistics, float novelty)
{
    struct guard_view seen;
    guard_look(g, statistics, novelty, &seen);
    return seen.share;
}

static double distance(const float *statistics)
{
    double nearest = INFINITY;
    for (int kind = 0; kind < KINDS; kind++) {
        double sum = 0;
        for (int i = 0; i < N; i++) {
            double y = -(double)centre[kind * N + i];
            for (int k = 0; k <= i; k++) {
                double x = (double)(statistics[k] - scale[k]) * (double)scale[N + k];
                y += (double)whiten[i * N + k] * fmax(-3, fmin(3, x));
            }
            sum += y * y;
        }
        nearest = fmin(nearest, sum);
    }
    return nearest / N;
}

Test(guard, distance_is_that_of_the_nearest_kind)
{
    static const float texts[][N] = {{1, 0, -2}, {1.2f, -1, 0}, {50, 7, -100}, {1.5f, -4, -1}};
    struct guard g = make();
    size_t kind;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        cr_assert_float_eq(guard_distance(&g, texts[i], &kind), distance(texts[i]),
                           1e-4 * (1 + distance(texts[i])));
}

/* At the mean the distance is 0; {1.9, 0, −2} is whitened to 3.6, .9, −1.8: a distance of 5.67. */
Test(guard, share_is_the_larger_of_both_ramps)
{
    static const float known[N] = {1, 0, -2}, far[N] = {1.9f, 0, -2};
    struct guard g = make();
    float of_far = (float)((distance(far) - 2) / 4);
    cr_assert(of_far > 0.2f && of_far < 1);
    cr_assert_eq(share_of(&g, known, 0), 0);
    cr_assert_eq(share_of(&g, known, 0.25f), 0);
    cr_assert_float_eq(share_of(&g, known, 0.375f), 0.5, 1e-6);
    cr_assert_eq(share_of(&g, known, 0.6f), 1);
    cr_assert_float_eq(share_of(&g, far, 0), of_far, 1e-4);
    cr_assert_float_eq(share_of(&g, far, 0.26f), of_far, 1e-4);
    cr_assert_eq(share_of(&g, far, 1), 1);
}

Test(guard, nothing_is_far_where_there_is_no_guard)
{
    static const float far[N] = {1e9f, 1e9f, 1e9f};
    struct guard none = {.kinds = 0};
    cr_assert_eq(share_of(&none, far, 1), 0);
}

Test(guard, forged_numbers_give_a_share)
{
    static const float texts[][N] = {{NAN, 0, 0}, {INFINITY, -INFINITY, 0}, {0, 0, 0}};
    static const float forged[GUARD_LIMITS] = {NAN, -INFINITY, 3, 1, NAN, NAN};
    for (int i = 0; i < 6; i++) {
        struct guard g = make();
        g.limits = i % 2 ? forged : limits;
        float share = share_of(&g, texts[i / 2], i == 5 ? NAN : 2);
        cr_assert(share >= 0 && share <= 1);
    }
}

Test(guard, quality_moves_to_the_level_on_logits)
{
    cr_assert_float_eq(guard_quality(1, guard_level(0.7), 0.1f), 0.7, 1e-5);
    cr_assert_float_eq(guard_quality(0.25f, 2, 0.5f), 1 / (1 + exp(-0.5)), 1e-5);
    cr_assert(guard_quality(0.5f, NAN, 0.5f) >= 0);
    cr_assert(isfinite(guard_level(0)) && isfinite(guard_level(1)) && isfinite(guard_level(NAN)));
    cr_assert(guard_level(0) < guard_level(0.5) && guard_level(0.5) < guard_level(1));
}

/* Costs of half and three times the usual, and 20 times it: what is beyond 8 counts. */
Test(guard, costs_become_the_usual_ones)
{
    static const int64_t usual[2] = {1000, 70001}, costs[2] = {500, 210003},
                         dear[2] = {20000, 1400020}, cheap[2] = {100, 7000};
    int64_t weighed[2];
    guard_weigh(1, costs, usual, NULL, 2, weighed);
    cr_assert_eq(weighed[0], usual[0]);
    cr_assert_eq(weighed[1], usual[1]);
    guard_weigh(0.25f, costs, usual, NULL, 2, weighed);
    cr_assert_float_eq((double)weighed[0], 1000 * pow(0.5, 0.75), 1);
    cr_assert_float_eq((double)weighed[1], 70001 * pow(3, 0.75), 1);
    guard_weigh(1, dear, usual, NULL, 2, weighed);
    cr_assert_float_eq((double)weighed[0], 1000 * 20 / GUARD_ORDINARY, 1);
    cr_assert_float_eq((double)weighed[1], 70001 * 20 / GUARD_ORDINARY, 1);
    guard_weigh(1, cheap, usual, NULL, 2, weighed);
    cr_assert_float_eq((double)weighed[0], 1000 * GUARD_ORDINARY / 10, 1);
}

Test(guard, what_costs_nothing_is_weighed_as_it_is)
{
    static const int64_t usual[3] = {0, 50, INT64_MAX}, costs[3] = {7, 0, INT64_MAX};
    int64_t weighed[3];
    guard_weigh(0.5f, costs, usual, NULL, 3, weighed);
    cr_assert_eq(weighed[0], 7);
    cr_assert_eq(weighed[1], 0);
    cr_assert(weighed[2] > 0);
}

Test(guard, wholly_far_is_the_level_to_the_last_bit)
{
    float level = guard_level(0.7);
    for (float q = 0; q <= 1; q += 0.125f)
        cr_assert_eq(guard_quality(1, level, q), guard_quality(1, level, 0.5f));
}

/* The statistics of the second text are whitened to (1, −2, 4), the second kind's centre. */
Test(guard, a_kind_of_few_texts_has_a_share_of_its_own)
{
    static const float first[N] = {1, 0, -2}, second[N] = {1.25f, -4.5f, -0.3125f},
                       few[KINDS] = {0, 0.5f};
    static const float of_kind[KINDS * GUARD_KIND_TERMS * 2] = {0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6};
    struct guard_view seen;
    struct guard g = make();
    cr_assert_eq(guard_kind(&g, 1, GUARD_KIND_INPUT, 2, 1), 0);
    g.few = few;
    g.of_kind = of_kind;
    cr_assert_eq(guard_kind(&g, 0, GUARD_KIND_INPUT, 2, 1), 0);
    cr_assert_eq(guard_kind(&g, 1, GUARD_KIND_LEVEL, 2, 1), 2);
    cr_assert_eq(guard_kind(&g, 1, GUARD_KIND_OUTPUT, 2, 0), 5);
    guard_look(&g, first, 0, &seen);
    cr_assert(seen.kind == 0 && seen.share == 0 && seen.far == 0);
    guard_look(&g, second, 0, &seen);
    cr_assert(seen.kind == 1 && seen.share == 0.5f && seen.far == 0);
    guard_look(&g, second, 0.375f, &seen);
    cr_assert_float_eq(seen.far, 0.5, 1e-6);
    cr_assert_float_eq(seen.share, 0.75, 1e-6);
}
