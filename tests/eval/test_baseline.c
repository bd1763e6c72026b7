/* Baselines against brute force. */
#include "eval/baseline.h"

#include "random_table.h"

/* Three queries, three experts: score and cost in nano-USD. */
static void three(struct random_table *r)
{
    static const float score[3][3] = {{0, 1, 1}, {0, 0, 0}, {1, 1, 0}};
    static const int64_t cost[3][3] = {{1, 5, 9}, {1, 5, 9}, {2, 1, 9}};
    random_table_make(r, 3, 3, 0, 1);
    for (size_t i = 0; i < 9; i++) {
        r->outcomes[i].score = score[i / 3][i % 3];
        r->outcomes[i].cost_nano_usd = cost[i / 3][i % 3];
    }
}

#define PER_1K(total) ((total)*1e-9 / 3 * 1000)

Test(baseline, oracle_takes_the_cheapest_right_expert)
{
    struct random_table r;
    three(&r);
    struct report_baseline o = baseline_oracle(&r.table);
    cr_assert_float_eq(o.accuracy.value, 2.0 / 3, 1e-12);
    cr_assert_float_eq(o.usd_per_1k, PER_1K(5 + 1 + 1), 1e-18); /* none right: the cheapest */
    r.pool[1] = false;
    o = baseline_oracle(&r.table);
    cr_assert_float_eq(o.usd_per_1k, PER_1K(9 + 1 + 2), 1e-18);
    random_table_done(&r);
}

Test(baseline, singles_and_the_random_mix)
{
    struct random_table r;
    three(&r);
    struct report_baseline b = baseline_best_single(&r.table);
    cr_assert_eq(b.expert, 1);
    cr_assert_float_eq(b.accuracy.value, 2.0 / 3, 1e-12);
    cr_assert_float_eq(b.accuracy.error, sqrt(2.0 / 3 * (1.0 / 3) * 3 / 2 / 3), 1e-12);
    cr_assert_float_eq(b.usd_per_1k, PER_1K(11), 1e-18);
    b = baseline_random(&r.table);
    cr_assert_float_eq(b.accuracy.value, 4.0 / 9, 1e-12);
    cr_assert_float_eq(b.usd_per_1k, PER_1K((4 + 11 + 27) / 3.0), 1e-18);
    r.pool[1] = false;
    cr_assert_eq(baseline_best_single(&r.table).expert, 0, "a tie goes to the cheaper");
    random_table_done(&r);
}

Test(baseline, the_best_mix_is_the_upper_hull_of_the_singles)
{
    struct random_table r;
    random_table_make(&r, 1, 4, 0, 1);
    struct report_expert s[4] = {
        {.accuracy = {0.5, 0}, .usd_per_1k = 1},
        {.accuracy = {0.55, 0}, .usd_per_1k = 3}, /* below the line 1 to 5 */
        {.accuracy = {0.9, 0}, .usd_per_1k = 5},
        {.accuracy = {0.8, 0}, .usd_per_1k = 9}};
    cr_assert(isnan(baseline_mix_at(&r.table, s, 0.5)));
    cr_assert_float_eq(baseline_mix_at(&r.table, s, 1), 0.5, 1e-12);
    cr_assert_float_eq(baseline_mix_at(&r.table, s, 3), 0.7, 1e-12);
    cr_assert_float_eq(baseline_mix_at(&r.table, s, 5), 0.9, 1e-12);
    cr_assert_float_eq(baseline_mix_at(&r.table, s, 20), 0.9, 1e-12);
    random_table_done(&r);
}

Test(baseline, plans_are_no_experts)
{
    struct random_table r;
    random_table_make(&r, 200, 3, 0.5, 8);
    struct report_baseline oracle = baseline_oracle(&r.table);
    struct report_baseline best = baseline_best_single(&r.table);
    struct report_baseline random = baseline_random(&r.table);
    random_table_add_cascade(&r, 9);
    for (size_t q = 0; q < 200; q++) { /* a plan that is always right, for nothing */
        r.outcomes[q * 4 + 3].score = 1;
        r.outcomes[q * 4 + 3].cost_nano_usd = 0;
    }
    cr_assert_eq(eval_single_count(&r.table), 3);
    cr_assert_eq(baseline_oracle(&r.table).accuracy.value, oracle.accuracy.value);
    cr_assert_eq(baseline_best_single(&r.table).expert, best.expert);
    cr_assert_eq(baseline_random(&r.table).accuracy.value, random.accuracy.value);
    struct report_expert singles[4] = {0};
    for (size_t e = 0; e < 4; e++) {
        struct report_baseline b = baseline_single(&r.table, e);
        singles[e].accuracy = b.accuracy;
        singles[e].usd_per_1k = b.usd_per_1k;
    }
    cr_assert_eq(baseline_single(&r.table, 3).accuracy.value, 1);
    cr_assert(baseline_mix_at(&r.table, singles, singles[0].usd_per_1k) < 1);
    random_table_done(&r);
}
