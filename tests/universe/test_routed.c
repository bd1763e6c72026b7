/* What routed sets are worth, against eval's own curve on the same data. */
#include "universe/routed_world.h"

TestSuite(routed, .init = world_make, .fini = world_remove);

static const int64_t costs[EXPERTS] = {10, 1, 1, 1};

static double value(const size_t *members, size_t count)
{
    double v;
    struct routed_lens lens = {.r = routed};
    const struct objective o = routed_objective(&lens);
    cr_assert_eq(o.value(o.arg, members, count, &v, NULL), OK);
    return v * o.unit;
}

static double score_at(const size_t *members, size_t count, double usd_per_1k)
{
    double score;
    cr_assert_eq(routed_scores(routed, members, count, &usd_per_1k, 1, &score, NULL), OK);
    return score;
}

Test(routed, the_budget_is_a_share_of_the_best_single)
{
    const struct routed_figures *f = routed_figures(routed);
    cr_expect_eq(f->best, DEAR);
    cr_expect_eq(f->queries, QUERIES - 1);
    cr_expect_eq(f->left_out, 1);
    cr_expect_float_eq(f->best_usd_per_1k, 10, 1e-9);
    cr_expect_float_eq(f->budget_usd_per_1k, 5, 1e-9);
}

/* All sets of the four, by a table that eval makes with the same folds. */
Test(routed, the_value_is_that_of_the_curve_of_eval)
{
    struct arena *a = arena_create(1 << 28);
    const struct folds_options folds = {
        .folds = ROUTED_FOLDS, .experts = "dear,fair,mathy,poet", .plans = "none", .seed = 3};
    struct eval_set set;
    cr_assert_eq(eval_folds_build(data, &folds, a, &set, NULL), OK);
    for (unsigned mask = 1; mask < 1 << EXPERTS; mask++) {
        size_t members[EXPERTS], count = 0;
        bool pool[EXPERTS];
        for (size_t e = 0; e < EXPERTS; e++)
            if ((pool[e] = mask >> e & 1))
                members[count++] = e;
        set.table.pool = pool;
        double first, want = world_score_at(&set.table, 5, a, &first);
        if (mask == 1 << DEAR)
            want = first / 2; /* it costs twice the budget */
        cr_expect_float_eq(value(members, count), want, 1e-12, "set %x", mask);
    }
    arena_free(a);
}

Test(routed, a_single_is_worth_its_mean_score_as_far_as_the_budget_goes)
{
    double right[EXPERTS] = {0};
    for (size_t q = 0; q < QUERIES; q++)
        for (size_t e = 0; q != HOLE && e < EXPERTS; e++)
            right[e] += (double)dataset_outcome(data, q, e)->score;
    for (size_t e = 0; e < EXPERTS; e++) {
        double mean = right[e] / (QUERIES - 1);
        cr_expect_float_eq(score_at(&e, 1, 20), mean, 1e-9);
        cr_expect_float_eq(score_at(&e, 1, (double)costs[e]), mean, 1e-9);
        cr_expect_float_eq(score_at(&e, 1, (double)costs[e] / 4), mean / 4, 1e-9);
        cr_expect_float_eq(routed_oracle(routed, &e, 1), mean, 1e-9);
    }
}

Test(routed, more_money_is_worth_no_less)
{
    const size_t members[] = {DEAR, FAIR};
    double last = 0;
    for (double usd = 0.25; usd < 12; usd *= 1.5) {
        double score = score_at(members, 2, usd);
        cr_expect_geq(score, last - 0.01, "at %g", usd);
        last = score;
    }
    const size_t pair[] = {MATHY, POET};
    cr_expect_float_eq(value(pair, 2), 1, 1e-9, "each knows one subject");
    cr_expect_float_eq(routed_oracle(routed, pair, 2), 1, 1e-9);
    cr_expect_eq(value(NULL, 0), 0);
}

Test(routed, plans_without_texts_are_refused_before_the_work)
{
    const size_t experts[] = {DEAR, FAIR};
    const struct routed_options options = {.share = 0.5, .plans = true};
    struct routed *untouched = NULL;
    struct error err = {0};
    cr_expect_eq(routed_create(data, experts, 2, &options, &untouched, &err), ERR_NOT_FOUND);
    cr_expect_not_null(strstr(err.text, "responses/"), "%s", err.text);
    cr_expect_null(untouched);
}
