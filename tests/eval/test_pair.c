/* APGR and CPT by hand. */
#include "eval/pair.h"

#include "random_table.h"

/* Four queries: weak right on the first, strong right on 1, 2, 3; the router's wishes in `wish`. */
static struct pair_figures small(const float wish[4])
{
    struct random_table r;
    random_table_make(&r, 4, 2, 0, 1);
    float weak[] = {1, 0, 0, 0}, strong[] = {1, 1, 1, 0};
    for (size_t q = 0; q < 4; q++) {
        r.outcomes[2 * q].score = weak[q];
        r.outcomes[2 * q + 1].score = strong[q];
        r.estimates[2 * q].quality = 0.25f;
        r.estimates[2 * q + 1].quality = 0.25f + wish[q];
    }
    struct pair p;
    cr_assert_eq(pair_make(&r.table, 0, 1, r.arena, &p, NULL), OK);
    struct pair_figures f = pair_measure(&p, NULL);
    random_table_done(&r);
    return f;
}

Test(pair, figures_by_hand)
{
    /* Perfect order 2, 3, then the useless ones: PGR 0, .5, 1, 1, 1 at calls 0, 1/4, 1/2, 3/4, 1. */
    struct pair_figures f = small((float[]){0.25f, 0.5f, 0.75f, 0});
    cr_assert_float_eq(f.apgr, 0.25 * (0.25 + 0.75 + 1 + 1), 1e-12);
    cr_assert_float_eq(f.cpt50, 0.25, 1e-12);
    cr_assert_float_eq(f.cpt80, 0.40, 1e-12);
    /* Worst order: PGR 0, 0, 0, .5, 1. */
    f = small((float[]){0.5f, 0, 0.25f, 0.75f});
    cr_assert_float_eq(f.apgr, 0.25 * (0 + 0 + 0.25 + 0.75), 1e-12);
    cr_assert_float_eq(f.cpt50, 0.75, 1e-12);
    cr_assert_float_eq(f.cpt80, 0.75 + 0.25 * 0.3 / 0.5, 1e-12);
}

Test(pair, a_constant_score_is_a_random_router)
{
    struct pair_figures f = small((float[]){0.5f, 0.5f, 0.5f, 0.5f});
    cr_assert_float_eq(f.apgr, 0.5, 1e-12);
    cr_assert_float_eq(f.cpt50, 0.5, 1e-12);
    cr_assert_float_eq(f.cpt80, 0.8, 1e-12);
}

/* 20,000 queries, predictions that know nothing: .5, 50 % and 80 % within noise. */
Test(pair, a_random_score_is_a_random_router)
{
    struct random_table r;
    struct pair p;
    random_table_make(&r, 20000, 2, 0, 5);
    cr_assert_eq(pair_make(&r.table, 0, 1, r.arena, &p, NULL), OK);
    struct pair_figures f = pair_measure(&p, NULL);
    cr_assert_float_eq(f.apgr, 0.5, 0.02, "%g", f.apgr);
    cr_assert_float_eq(f.cpt50, 0.5, 0.03, "%g", f.cpt50);
    cr_assert_float_eq(f.cpt80, 0.8, 0.03, "%g", f.cpt80);
    random_table_done(&r);
}

/* RouteLLM's own way: thresholds, one at a time, and PGR from the accuracies at each. */
Test(pair, agrees_with_thresholds)
{
    struct random_table r;
    struct pair p;
    random_table_make(&r, 400, 2, 0.5, 6);
    cr_assert_eq(pair_make(&r.table, 0, 1, r.arena, &p, NULL), OK);
    struct pair_figures f = pair_measure(&p, NULL);
    double weak = 0, strong = 0, apgr = 0, last_pgr = 0, cpt50 = NAN;
    for (size_t q = 0; q < 400; q++) {
        weak += (double)eval_outcome(&r.table, q, 0)->score;
        strong += (double)eval_outcome(&r.table, q, 1)->score;
    }
    for (size_t calls = 1; calls <= 400; calls++) {
        double score = weak;
        for (size_t i = 0; i < calls; i++) /* p.order was checked by hand above */
            score += (double)eval_outcome(&r.table, p.order[i], 1)->score -
                     (double)eval_outcome(&r.table, p.order[i], 0)->score;
        double pgr = (score - weak) / (strong - weak);
        apgr += (pgr + last_pgr) / 2 / 400;
        if (isnan(cpt50) && pgr >= 0.5)
            cpt50 = (double)calls / 400;
        last_pgr = pgr;
    }
    cr_assert_float_eq(f.apgr, apgr, 1e-9);
    cr_assert(f.cpt50 <= cpt50 && f.cpt50 > cpt50 - 1.0 / 400);
    for (size_t i = 1; i < 400; i++) {
        const struct estimate *a = eval_estimate(&r.table, p.order[i - 1], 0);
        const struct estimate *b = eval_estimate(&r.table, p.order[i], 0);
        cr_assert(a[1].quality - a[0].quality >= b[1].quality - b[0].quality);
    }
    random_table_done(&r);
}

Test(pair, weights_are_repetitions)
{
    struct random_table once, twice;
    struct pair p1, p2;
    random_table_make(&once, 50, 2, 0.5, 7);
    random_table_make(&twice, 100, 2, 0.5, 7);
    uint32_t weights[50];
    for (size_t q = 0; q < 50; q++)
        weights[q] = 2;
    for (size_t i = 0; i < 200; i++) {
        twice.estimates[i] = once.estimates[i % 100];
        twice.outcomes[i] = once.outcomes[i % 100];
    }
    cr_assert_eq(pair_make(&once.table, 0, 1, once.arena, &p1, NULL), OK);
    cr_assert_eq(pair_make(&twice.table, 0, 1, twice.arena, &p2, NULL), OK);
    struct pair_figures a = pair_measure(&p1, weights), b = pair_measure(&p2, NULL);
    cr_assert_float_eq(a.apgr, b.apgr, 1e-12);
    cr_assert_float_eq(a.cpt50, b.cpt50, 1e-12);
    cr_assert_float_eq(a.cpt80, b.cpt80, 1e-12);
    random_table_done(&once);
    random_table_done(&twice);
}

Test(pair, no_gap_no_figures)
{
    struct random_table r;
    struct pair p;
    random_table_make(&r, 10, 2, 0.5, 8);
    for (size_t q = 0; q < 10; q++)
        r.outcomes[2 * q].score = r.outcomes[2 * q + 1].score = 1;
    cr_assert_eq(pair_make(&r.table, 0, 1, r.arena, &p, NULL), OK);
    struct pair_figures f = pair_measure(&p, NULL);
    cr_assert(isnan(f.apgr) && isnan(f.cpt50) && isnan(f.cpt80));
    random_table_done(&r);
}
