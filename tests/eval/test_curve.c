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

/* Where all queries have the same estimates every step is tied with those of all others, and the curve is the mix of
 * single experts: straight between them, whatever order the queries are in. */
Test(curve, between_tied_steps_it_is_a_straight_line)
{
    struct random_table r;
    struct curve c;
    random_table_make(&r, 80, 3, 0.6, 11);
    for (size_t i = 0; i < 80 * 3; i++) {
        int64_t weighed = (int64_t)(i % 3 + 1) * 1000;
        r.estimates[i].quality = 0.5f + 0.125f * (float)(i % 3);
        r.estimates[i].unweighed_nano_usd = r.estimates[i].cost_nano_usd - weighed;
    }
    expect_sweep_is_decide(&r);
    cr_assert_eq(curve_make(&r.table, r.arena, &c, NULL), OK);
    cr_assert_eq(c.step_count, 80);
    struct curve_point *points = ARENA_ARRAY(r.arena, c.step_count + 1, struct curve_point);
    curve_trace(&c, NULL, points);
    double width = (double)(points[80].cost_nano_usd - points[0].cost_nano_usd);
    for (size_t i = 0; i <= 80; i++) {
        double share = (double)i / 80;
        cr_assert_float_eq(points[i].score,
                           points[0].score + share * (points[80].score - points[0].score), 1e-9);
        cr_assert_float_eq((double)(points[i].cost_nano_usd - points[0].cost_nano_usd),
                           share * width, 1);
    }
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

/* Totals of a cut, query by query from its choices. */
static void expect_cut_is_its_choices(const struct eval_table *t, const struct curve *c,
                                      const struct curve_point *points, const struct curve_cut *cut,
                                      uint32_t *choices)
{
    double score = 0, cost = 0;
    curve_choices(c, cut->steps, choices);
    for (size_t q = 0; q < t->queries; q++) {
        const struct outcome *o = eval_outcome(t, q, choices[q]);
        score += (double)o->score;
        cost += (double)o->cost_nano_usd;
    }
    if (cut->share > 0) {
        const struct curve_step *next = &c->steps[cut->steps];
        const struct outcome *from = eval_outcome(t, next->query, choices[next->query]);
        const struct outcome *to = eval_outcome(t, next->query, next->to);
        score += cut->share * (double)(to->score - from->score);
        cost += cut->share * (double)(to->cost_nano_usd - from->cost_nano_usd);
    }
    cr_assert_float_eq(curve_cut_score(points, cut), score, 1e-6);
    cr_assert_float_eq(curve_cut_cost_nano_usd(points, cut), cost, 1e-2);
}

Test(curve, a_cut_costs_what_was_asked_and_its_choices_say_who_answers)
{
    struct random_table r;
    struct curve c;
    random_table_make(&r, 300, 4, 0.8, 21);
    cr_assert_eq(curve_make(&r.table, r.arena, &c, NULL), OK);
    size_t count = c.step_count + 1;
    struct curve_point *points = ARENA_ARRAY(r.arena, count, struct curve_point);
    uint32_t *choices = ARENA_ARRAY(r.arena, r.table.queries, uint32_t);
    curve_trace(&c, NULL, points);
    double low = (double)points[0].cost_nano_usd, high = low;
    for (size_t i = 0; i < count; i++)
        high = fmax(high, (double)points[i].cost_nano_usd);
    struct curve_cut cut = {.steps = 99};
    cr_assert(!curve_cut_at(points, count, low * 0.5, &cut), "no policy is that cheap");
    cr_assert_eq(cut.steps, 99);
    for (size_t i = 0; i < 50; i++) {
        double cost = low + (high - low) * (double)i / 50;
        cr_assert(curve_cut_at(points, count, cost, &cut));
        if (cut.steps < c.step_count) {
            cr_assert_float_eq(curve_cut_cost_nano_usd(points, &cut), cost, 1e-2);
            cr_assert_eq(cut.lambda, c.steps[cut.steps].lambda);
        }
        cr_assert_float_eq(curve_cut_score(points, &cut), curve_score_at(points, count, cost),
                           1e-12);
        expect_cut_is_its_choices(&r.table, &c, points, &cut, choices);
    }
    cr_assert(curve_cut_at(points, count, high * 2, &cut));
    cr_assert(cut.steps == c.step_count && cut.share == 0 && cut.lambda == 0);
    random_table_done(&r);
}

Test(curve, the_lambda_of_a_cut_decides_the_same)
{
    struct random_table r;
    struct curve c;
    random_table_make(&r, 200, 4, 0.8, 22);
    cr_assert_eq(curve_make(&r.table, r.arena, &c, NULL), OK);
    struct curve_point *points = ARENA_ARRAY(r.arena, c.step_count + 1, struct curve_point);
    curve_trace(&c, NULL, points);
    struct curve_cut cut;
    double middle = (double)(points[0].cost_nano_usd + points[c.step_count].cost_nano_usd) / 2;
    cr_assert(curve_cut_at(points, c.step_count + 1, middle, &cut));
    struct curve_point want = decide_all(&r.table, cut.lambda * (1 + 1e-9));
    expect_point(&points[cut.steps], &want);
    random_table_done(&r);
}

Test(curve, many_costs_in_one_pass_are_each_alone)
{
    struct random_table r;
    struct curve c;
    double costs[20], scores[20];
    random_table_make(&r, 100, 3, 0.5, 23);
    cr_assert_eq(curve_make(&r.table, r.arena, &c, NULL), OK);
    size_t count = c.step_count + 1;
    struct curve_point *points = ARENA_ARRAY(r.arena, count, struct curve_point);
    curve_trace(&c, NULL, points);
    for (size_t i = 0; i < 20; i++)
        costs[i] = (double)points[c.step_count].cost_nano_usd * (double)i / 15;
    curve_scores_at(points, count, costs, 20, scores);
    cr_assert(isnan(scores[0]) && !isnan(scores[19]));
    for (size_t i = 0; i < 20; i++) {
        double alone = curve_score_at(points, count, costs[i]);
        cr_assert((isnan(alone) && isnan(scores[i])) || alone == scores[i], "at %zu", i);
    }
    random_table_done(&r);
}
