/* Figures with errors: fractions asked for, promises kept, the path, plans, two reports side by side. */
#include "eval/report_measure.h"

#include "random_table.h"

static struct report make(struct random_table *r, const struct report_options *o)
{
    struct report ret;
    struct error err;
    cr_assert_eq(report_make(&r->table, o, r->arena, &ret, &err), OK, "%s", err.text);
    return ret;
}

static double sum(const double *values, size_t count)
{
    double s = 0;
    for (size_t i = 0; i < count; i++)
        s += values[i];
    return s;
}

Test(report_measure, fractions_are_those_asked_for)
{
    struct random_table r;
    const double fractions[] = {0.9, 0.4};
    random_table_make(&r, 500, 4, 0.7, 2);
    struct report p = make(
        &r, &(struct report_options){.draws = 20, .fractions = fractions, .fraction_count = 2});
    cr_assert_eq(p.at_count, 2);
    cr_assert_eq(p.at[0].fraction, 0.9);
    cr_assert_eq(p.at[1].fraction, 0.4);
    cr_assert(p.at[1].accuracy.error > 0);
    struct report usual = make(&r, &(struct report_options){.draws = 20});
    cr_assert_eq(usual.at_count, REPORT_FRACTIONS);
    cr_assert_eq(usual.at[0].fraction, 0.35);
    /* the claims stay where the paper has them */
    cr_assert_float_eq(p.claims[CLAIM_HALF].fraction, 0.5, 1e-12);
    cr_assert_eq(p.claims[CLAIM_HALF].accuracy.value, usual.at[1].accuracy.value);
    cr_assert_eq(p.claims[CLAIM_TWO_THIRDS].difference.value, usual.at[2].difference.value);
    cr_assert_eq(p.claims[CLAIM_THREE_QUARTERS].accuracy.error, usual.at[3].accuracy.error);
    cr_assert_eq(p.claims[CLAIM_EQUAL_COST].relative.value, usual.at[4].relative.value);
    random_table_done(&r);
}

Test(report_measure, what_is_spent_is_what_is_allowed_until_the_curve_ends)
{
    struct random_table r;
    const double fractions[] = {0.001, 0.5, 50};
    random_table_make(&r, 500, 4, 0.7, 3);
    struct report p =
        make(&r, &(struct report_options){.fractions = fractions, .fraction_count = 3});
    cr_assert(isnan(p.at[0].spent_usd_per_1k) && isnan(p.at[0].accuracy.value));
    cr_assert_eq(sum(p.at[0].shares, p.columns), 0);
    cr_assert_float_eq(p.at[1].spent_usd_per_1k, p.at[1].usd_per_1k, 1e-9);
    struct report_curve_point end = report_curve_end(&p);
    cr_assert_float_eq(p.at[2].spent_usd_per_1k, end.usd_per_1k, 1e-12);
    cr_assert_float_eq(p.at[2].accuracy.value, end.accuracy, 1e-12);
    cr_assert_eq(p.at[2].cut.lambda, 0);
    random_table_done(&r);
}

Test(report_measure, promises_are_kept_at_their_cost)
{
    struct random_table r;
    random_table_make(&r, 2000, 4, 0.8, 4);
    struct report p = make(&r, &(struct report_options){.draws = 30});
    const struct report_expert *reference = &p.experts[p.reference];
    for (size_t i = 0; i < REPORT_KEEPS; i++) {
        const struct report_keep *k = &p.keeps[i];
        cr_assert_eq(k->share, report_keeps[i]);
        cr_assert(!isnan(k->fraction.value));
        cr_assert(k->accuracy >= k->share * reference->accuracy.value - 1e-9);
        cr_assert_float_eq(k->usd_per_1k, k->fraction.value * reference->usd_per_1k, 1e-9);
        cr_assert(k->fraction.error > 0);
        if (i > 0) {
            cr_assert(k->usd_per_1k >= p.keeps[i - 1].usd_per_1k);
            cr_assert(k->lambda <= p.keeps[i - 1].lambda);
        }
    }
    cr_assert_eq(p.matched.value, p.keeps[REPORT_KEEPS - 1].fraction.value);
    random_table_done(&r);
}

Test(report_measure, a_promise_that_is_never_kept_says_so)
{
    struct random_table r;
    random_table_make(&r, 300, 3, 0.8, 5);
    r.pool[2] = false;
    for (size_t q = 0; q < 300; q++)
        r.outcomes[q * 3 + 2].score = 1;
    struct report p = make(&r, &(struct report_options){.draws = 10});
    const struct report_keep *k = &p.keeps[REPORT_KEEPS - 1];
    cr_assert(isnan(k->fraction.value) && isnan(k->usd_per_1k) && isnan(k->accuracy) &&
              isnan(k->lambda));
    random_table_done(&r);
}

Test(report_measure, the_path_runs_along_the_curve_and_shares_are_whole)
{
    struct random_table r;
    random_table_make(&r, 800, 4, 0.7, 6);
    struct report p = make(&r, &(struct report_options){.draws = 20});
    size_t last = REPORT_PATH_POINTS - 1;
    for (size_t i = 0; i <= last; i++) {
        double cost = p.path[i].usd_per_1k / 1000 * 1e9 * 800;
        cr_assert_float_eq(sum(p.path[i].shares, p.columns), 1, 1e-9);
        cr_assert_float_eq(p.path[i].accuracy.value,
                           curve_cut_score(p.points, &p.path[i].cut) / 800, 1e-9);
        if (i == 0)
            continue;
        cr_assert_float_eq(p.path[i].accuracy.value,
                           curve_score_at(p.points, p.steps + 1, cost) / 800, 2e-3);
        cr_assert(p.path[i].usd_per_1k > p.path[i - 1].usd_per_1k);
        cr_assert(p.path[i].cut.lambda <= p.path[i - 1].cut.lambda);
    }
    cr_assert(p.path[last / 2].accuracy.error > 0.005 && p.path[last / 2].accuracy.error < 0.05);
    cr_assert_gt(p.path[0].shares[0], 0.5, "the cheapest answers first");
    for (size_t i = 0; i < p.at_count; i++)
        cr_assert(isnan(p.at[i].accuracy.value) || fabs(sum(p.at[i].shares, p.columns) - 1) < 1e-9);
    random_table_done(&r);
}

Test(report_measure, plans_are_columns_behind_the_experts)
{
    struct random_table r;
    random_table_make(&r, 600, 3, 0.7, 7);
    random_table_add_cascade(&r, 8);
    struct report p = make(&r, &(struct report_options){.draws = 10});
    cr_assert_eq(p.expert_count, 3);
    cr_assert_eq(p.columns, 4);
    double asked = 0, share = 0;
    for (size_t q = 0; q < 600; q++)
        asked += eval_plan_run(&r.table, q, 3)->calls == 3;
    cr_assert_float_eq(p.experts[3].escalation, asked / 600, 1e-12);
    cr_assert_eq(p.experts[0].escalation, 0);
    for (size_t i = 0; i < REPORT_PATH_POINTS; i++)
        share = fmax(share, p.path[i].shares[3]);
    cr_assert_gt(share, 0.05, "the plan answers somewhere");
    random_table_done(&r);
}

Test(report_measure, a_report_differs_from_itself_by_nothing)
{
    struct random_table r;
    random_table_make(&r, 400, 3, 0.7, 9);
    const struct report_options o = {.draws = 40, .seed = 5};
    struct report a = make(&r, &o);
    struct figure none = report_difference(&a, &a, 1);
    cr_assert(none.value == 0 && none.error == 0);
    for (size_t i = 0; i < 400 * 3; i++) /* a worse model: quality turned upside down */
        r.estimates[i].quality = 1 - r.estimates[i].quality;
    struct report b = make(&r, &o);
    struct figure f = report_difference(&a, &b, 1);
    cr_assert_float_eq(f.value, b.at[1].accuracy.value - a.at[1].accuracy.value, 1e-12);
    cr_assert(f.value < 0 && f.error > 0);
    random_table_done(&r);
}
