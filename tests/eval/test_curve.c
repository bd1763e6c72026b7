/* The exact sweep against decisions made lambda by lambda. */
#include "eval/curve.h"

#include "plan/decide.h"
#include "random_table.h"

/* Recorded totals of what decide() chooses at this lambda. */
static struct curve_point decide_all(const struct eval_table *t, double lambda)
{
    struct curve_point sum = {.lambda = lambda};
    struct policy p = {0};
    for (size_t q = 0; q < t->queries; q++) {
        struct decision d;
        cr_assert_eq(decide(&p, lambda, eval_estimate(t, q, 0), t->pool, t->experts, &d, NULL), OK);
        sum.score += (double)eval_outcome(t, q, d.arm)->score;
        sum.cost_nano_usd += eval_outcome(t, q, d.arm)->cost_nano_usd;
    }
    return sum;
}

static void expect_point(const struct curve_point *got, const struct curve_point *want)
{
    cr_assert_eq(got->cost_nano_usd, want->cost_nano_usd, "at lambda %g", want->lambda);
    cr_assert_float_eq(got->score, want->score, 1e-9, "at lambda %g", want->lambda);
}

/* Every operating point of the sweep is the one that deciding query by query gives. */
static void expect_sweep_is_decide(struct random_table *r)
{
    struct curve c;
    cr_assert_eq(curve_make(&r->table, r->arena, &c, NULL), OK);
    struct curve_point *points = ARENA_ARRAY(r->arena, c.step_count + 1, struct curve_point);
    curve_trace(&c, NULL, points);
    for (size_t i = 0; i <= c.step_count; i++) {
        double next = i < c.step_count ? c.steps[i].lambda : 0;
        if (i < c.step_count && i > 0 && next == points[i].lambda)
            continue; /* inside a run of equal lambdas */
        double lambda = i == 0 ? next * 1.001 : (points[i].lambda + next) / 2;
        struct curve_point want = decide_all(&r->table, lambda);
        expect_point(&points[i], &want);
    }
    struct curve_point best = decide_all(&r->table, 0);
    expect_point(&points[c.step_count], &best);
}

Test(curve, is_what_decide_would_do_at_every_lambda)
{
    for (uint64_t seed = 0; seed < 5; seed++) {
        struct random_table r;
        random_table_make(&r, 60, 5, 0.6, seed);
        expect_sweep_is_decide(&r);
        random_table_done(&r);
    }
}

Test(curve, experts_outside_the_pool_take_no_part)
{
    struct random_table r;
    random_table_make(&r, 60, 5, 0.6, 9);
    r.pool[2] = r.pool[4] = false;
    for (size_t q = 0; q < 60; q++)
        r.estimates[q * 5 + 4] = (struct estimate){0};
    expect_sweep_is_decide(&r);
    random_table_done(&r);
}

Test(curve, ties_and_doubles_of_prices_do_no_harm)
{
    struct random_table r;
    random_table_make(&r, 80, 6, 0.6, 10);
    for (size_t i = 0; i < 80 * 6; i++) {
        r.estimates[i].cost_nano_usd = r.estimates[i].cost_nano_usd / 4096 * 4096;
        r.estimates[i].quality = roundf(r.estimates[i].quality * 8) / 8;
    }
    expect_sweep_is_decide(&r);
    random_table_done(&r);
}

Test(curve, weights_count_queries_several_times)
{
    struct random_table r;
    random_table_make(&r, 40, 3, 0.6, 11);
    uint32_t weights[40];
    for (size_t q = 0; q < 40; q++)
        weights[q] = (uint32_t)(q % 4);
    struct curve c;
    cr_assert_eq(curve_make(&r.table, r.arena, &c, NULL), OK);
    struct curve_point *points = ARENA_ARRAY(r.arena, c.step_count + 1, struct curve_point);
    curve_trace(&c, weights, points);
    struct policy p = {0};
    struct curve_point want = {0};
    for (size_t q = 0; q < 40; q++) {
        struct decision d;
        cr_assert_eq(decide(&p, 0, eval_estimate(&r.table, q, 0), NULL, 3, &d, NULL), OK);
        want.score += weights[q] * (double)eval_outcome(&r.table, q, d.arm)->score;
        want.cost_nano_usd += weights[q] * eval_outcome(&r.table, q, d.arm)->cost_nano_usd;
    }
    expect_point(&points[c.step_count], &want);
    random_table_done(&r);
}

Test(curve, an_empty_pool_is_refused)
{
    struct random_table r;
    random_table_make(&r, 4, 2, 0.6, 12);
    r.pool[0] = r.pool[1] = false;
    struct curve c = {.step_count = 77};
    cr_assert_eq(curve_make(&r.table, r.arena, &c, NULL), ERR_INPUT);
    cr_assert_eq(c.step_count, 77);
    random_table_done(&r);
}

Test(curve, between_points_two_policies_mix)
{
    struct curve_point p[] = {
        {100, 10, 100}, {50, 20, 200}, {20, 15, 300}, {10, 30, 280}, {5, 40, 480}};
    cr_assert(isnan(curve_score_at(p, 5, 99)));
    cr_assert_float_eq(curve_score_at(p, 5, 100), 10, 1e-12);
    cr_assert_float_eq(curve_score_at(p, 5, 150), 15, 1e-12);
    cr_assert_float_eq(curve_score_at(p, 5, 290), 30.5,
                       1e-12); /* past the dent: lambda 10 and on */
    cr_assert_float_eq(curve_score_at(p, 5, 380), 35, 1e-12);
    cr_assert_float_eq(curve_score_at(p, 5, 1e9), 40, 1e-12);
    cr_assert_float_eq(curve_cost_reaching(p, 5, 5), 100, 1e-12);
    cr_assert_float_eq(curve_cost_reaching(p, 5, 15), 150, 1e-12);
    cr_assert_float_eq(curve_cost_reaching(p, 5, 35), 380, 1e-12);
    cr_assert(isnan(curve_cost_reaching(p, 5, 41)));
}
