/* Sums to figures, by hand. */
#include <math.h>

#include "gaps/gaps_int.h"
#include "planted.h"

/* Four queries of ten: missed 1, 1, 0, 0; on one of the missed another expert was right. */
static const struct gaps_sums four = {.queries = 4,
                                      .recorded = 4,
                                      .compared = 4,
                                      .missed = 2,
                                      .missed_squares = 2,
                                      .recorded_missed = 2,
                                      .recorded_expected = 1,
                                      .expected_missed = 1,
                                      .routing = 1};
static const struct gaps_sums ten = {.queries = 10, .missed = 3, .missed_squares = 3};

Test(gaps_figures, what_is_missed_falls_into_routing_and_nobody)
{
    struct gaps_topic t = {0};
    gaps_figures(&four, 0, 1, &ten, &t);
    cr_expect_float_eq(t.achieved.value, 0.5, 1e-9);
    cr_expect_float_eq(t.achieved.error, sqrt(1.0 / 3 / 4), 1e-9);
    cr_expect_float_eq(t.adds.value, 200, 1e-9);
    cr_expect_float_eq(t.adds.error, 1000 * sqrt(2 - 4 / 10.0) / 10, 1e-9);
    cr_expect_float_eq(t.routing, 100, 1e-9);
    cr_expect_float_eq(t.nobody, 100, 1e-9);
    cr_expect_float_eq(t.below.value, 0.5 - 1.0 / 6, 1e-9);
    cr_expect_not(t.sure);
}

Test(gaps_figures, estimates_count_as_so_many_answers)
{
    struct gaps_topic t = {0};
    gaps_figures(&four, 4, 1, &ten, &t); /* four answers more, of which one is missed */
    cr_expect_float_eq(t.achieved.value, 1 - 3.0 / 8, 1e-9);
    cr_expect_float_eq(t.measured, 0.5, 1e-9);
    cr_expect_float_eq(t.expected, 0.75, 1e-9);
    cr_expect_float_eq(t.adds.value, 150, 1e-9);
    cr_expect_float_eq(t.routing + t.nobody, 150, 1e-9);
}

Test(gaps_figures, a_new_expert_may_be_less_than_perfect)
{
    struct gaps_topic t = {0};
    gaps_figures(&four, 0, 0.8, &ten, &t);
    cr_expect_float_eq(t.adds.value, 1000 * 4 * 0.3 / 10, 1e-9);
    cr_expect_float_eq(t.nobody, 1000 * (1 - 0.2 * 4) / 10, 1e-9);
    gaps_figures(&four, 0, 0.4, &ten, &t);
    cr_expect_eq(t.adds.value, 0);
    cr_expect_eq(t.nobody, 0);
}

Test(gaps_figures, without_outcomes_nobody_is_not_known)
{
    const struct gaps_sums guessed = {
        .queries = 4, .missed = 1, .missed_squares = 0.25, .expected_missed = 1, .noise = 0.75};
    struct gaps_topic t = {0};
    gaps_figures(&guessed, 10, 1, &ten, &t);
    cr_expect_float_eq(t.achieved.value, 0.75, 1e-9);
    cr_expect_float_eq(t.achieved.error, sqrt(0.75 / 3 / 4), 1e-9);
    cr_expect(isnan(t.nobody) && isnan(t.routing));
}

/* Topics whose scores lie as far from their estimates as chance puts them, and further. */
Test(gaps_figures, how_far_estimates_are_off_says_what_they_count)
{
    struct gaps_sums topics[40] = {{0}};
    struct rng r;
    rng_seed(&r, 5);
    for (int off = 0; off < 2; off++) {
        for (size_t t = 0; t < 40; t++) {
            struct gaps_sums *s = &topics[t];
            double rate = off ? 0.5 + 0.2 * (t % 2 ? 1 : -1) : 0.5;
            *s = (struct gaps_sums){.queries = 100, .recorded = 100, .recorded_expected = 50};
            for (int i = 0; i < 100; i++) {
                double missed = rng_uniform(&r) < rate;
                s->recorded_missed += missed;
                s->differs_squares += (missed - 0.5) * (missed - 0.5);
            }
        }
        double got = gaps_prior_queries(topics, 40);
        if (off)
            cr_expect(got > 3 && got < 9, "%g: about .21 / .04", got);
        else
            cr_expect_gt(got, 50);
    }
    cr_expect_eq(gaps_prior_queries(topics, 1), 20);
}
