/* Reports: figures at their places, valid JSON. */
#include "eval/report.h"

#include "random_table.h"

static struct report make(struct random_table *r, size_t draws)
{
    struct report_options o = {.draws = draws, .seed = 3};
    struct report ret;
    struct error err;
    cr_assert_eq(report_make(&r->table, &o, r->arena, &ret, &err), OK, "%s", err.text);
    return ret;
}

Test(report, a_reference_is_compared_with_itself)
{
    struct random_table r;
    random_table_make(&r, 300, 3, 0.5, 1);
    r.pool[0] = r.pool[1] = false;
    struct report p = make(&r, 50);
    struct report_at *whole = &p.at[p.at_count - 1];
    cr_assert_float_eq(whole->relative.value, 1, 1e-12);
    cr_assert_float_eq(whole->difference.error, 0, 1e-12);
    cr_assert_float_eq(p.matched.value, 1, 1e-12);
    cr_assert(isnan(p.at[0].accuracy.value), "no policy is that cheap");
    cr_assert_eq(p.steps, 0);
    cr_assert(!p.is_pair);
    random_table_done(&r);
}

Test(report, figures_and_errors_hang_together)
{
    struct random_table r;
    random_table_make(&r, 2000, 4, 0.7, 2);
    struct report p = make(&r, 200);
    cr_assert_eq(p.best_single.expert, 3);
    cr_assert(p.oracle.accuracy.value > p.at[4].accuracy.value);
    cr_assert(p.at[4].accuracy.value >= p.experts[3].accuracy.value - 0.02);
    for (size_t i = 0; i < p.at_count; i++) {
        const struct report_at *at = &p.at[i];
        cr_assert_float_eq(at->usd_per_1k, at->fraction * p.experts[3].usd_per_1k, 1e-12);
        cr_assert_float_eq(at->relative.value * p.experts[3].accuracy.value, at->accuracy.value,
                           1e-9);
        cr_assert_float_eq(at->accuracy.value - at->difference.value, p.experts[3].accuracy.value,
                           1e-9);
        /* about the binomial error; paired differences vary less than two independent means */
        cr_assert(at->accuracy.error > 0.006 && at->accuracy.error < 0.015, "%g",
                  at->accuracy.error);
        cr_assert(at->difference.error < 0.016);
    }
    cr_assert(p.matched_share > 0.5 && p.matched.value < 1);
    random_table_done(&r);
}

Test(report, the_kept_curve_spans_the_sweep)
{
    struct random_table r;
    random_table_make(&r, 1000, 4, 0.7, 3);
    struct report p = make(&r, 0);
    cr_assert(p.steps > 1000);
    cr_assert(p.curve_count > 90 && p.curve_count <= REPORT_CURVE_POINTS, "%zu", p.curve_count);
    cr_assert(isinf(p.curve[0].lambda));
    for (size_t i = 1; i < p.curve_count; i++)
        cr_assert(p.curve[i].lambda <= p.curve[i - 1].lambda);
    cr_assert(isnan(p.at[0].accuracy.error), "no draws, no errors");
    random_table_done(&r);
}

Test(report, two_experts_get_the_figures_of_a_pair)
{
    struct random_table r;
    random_table_make(&r, 1000, 3, 0.8, 4);
    r.pool[0] = false;
    struct report p = make(&r, 100);
    cr_assert(p.is_pair && p.weak == 1);
    cr_assert(p.apgr.value > 0.5 && p.apgr.error > 0 && p.apgr.error < 0.2);
    r.pool[0] = true;
    r.pool[2] = false; /* two experts, but the reference is neither */
    p = make(&r, 10);
    cr_assert(!p.is_pair && isnan(p.apgr.value));
    random_table_done(&r);
}

Test(report, the_same_seed_gives_the_same_errors)
{
    struct random_table r;
    random_table_make(&r, 200, 3, 0.8, 5);
    struct report a = make(&r, 30), b = make(&r, 30);
    cr_assert_eq(a.at[1].accuracy.error, b.at[1].accuracy.error);
    random_table_done(&r);
}

Test(report, nothing_to_report_is_an_error)
{
    struct random_table r;
    random_table_make(&r, 1, 2, 0.8, 6);
    r.table.queries = 0;
    struct report_options o = {0};
    struct report p;
    cr_assert_eq(report_make(&r.table, &o, r.arena, &p, NULL), ERR_INPUT);
    random_table_done(&r);
}
