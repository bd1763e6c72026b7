/* What is achieved on each query. */
#include "gaps/scores.h"

#include "planted.h"

#define ROWS 600

static struct score_set score(const struct model *m, const struct dataset *d, const char *experts,
                              struct arena *a)
{
    struct score_pool pool;
    struct score_set s;
    struct error err;
    cr_assert_eq(score_pool_find(m, d, experts, a, &pool, &err), OK);
    cr_assert_eq(score_queries(m, d, &pool, NULL, NULL, a, &s, &err), OK);
    return s;
}

Test(scores, the_best_by_estimate_is_chosen_and_its_score_counts)
{
    struct planted *train = planted_make(ROWS, 1, false), *p = planted_make(ROWS, 2, false);
    struct arena *a = arena_create(1 << 28);
    struct model *m = planted_model(train);
    struct score_set s = score(m, &p->d, NULL, a);
    size_t ships = 0, right = 0;
    cr_expect_eq(s.recorded, ROWS);
    cr_expect_eq(s.seen, 0);
    for (size_t q = 0; q < ROWS; q++) {
        const struct score_query *x = &s.queries[q];
        for (size_t e = 0; e < PLANTED_EXPERTS; e++)
            cr_expect_leq(s.quality[q * 3 + e], x->expected);
        cr_expect_eq(x->achieved, p->outcomes[q * 3 + x->expert].score);
        cr_expect_eq(x->without, p->outcomes[q * 3 + x->next].score);
        cr_expect(x->next != x->expert && x->compared && x->best >= x->achieved);
        cr_expect_eq(s.missed[q], 1 - x->achieved);
        if (p->subject[q] == PLANTED_SHIPS) {
            ships++;
            right += x->expert == 1;
        }
    }
    cr_expect_gt((double)right, 0.95 * (double)ships);
    model_free(m);
    arena_free(a);
    planted_free(train);
    planted_free(p);
}

/* A model that knows the answers by heart: scores are coins, so whoever is chosen is right on half of them. */
Test(scores, what_the_model_remembers_does_not_count)
{
    struct planted *p = planted_make(ROWS, 1, false);
    struct arena *a = arena_create(1 << 28);
    struct rng r;
    struct error err;
    static const uint32_t one_group[ROWS];
    rng_seed(&r, 3);
    for (size_t i = 0; i < ROWS * PLANTED_EXPERTS; i++)
        p->outcomes[i].score = rng_uniform(&r) < 0.5;
    struct model *m = planted_model(p);
    struct score_set s = score(m, &p->d, NULL, a);
    cr_expect_eq(s.seen, ROWS);
    cr_assert_eq(score_seen(&s, one_group, 1, false, a, &err), OK);
    double achieved = 0;
    for (size_t q = 0; q < ROWS; q++)
        achieved += (double)s.queries[q].achieved / ROWS;
    cr_expect_float_eq(achieved, 0.5, 0.06);
    model_free(m);
    arena_free(a);
    planted_free(p);
}

Test(scores, a_score_counts_as_far_as_it_is_believed)
{
    struct planted *train = planted_make(ROWS, 1, false), *p = planted_make(50, 2, false);
    struct arena *a = arena_create(1 << 28);
    struct model *m = planted_model(train);
    for (size_t e = 0; e < PLANTED_EXPERTS; e++) {
        p->outcomes[e].score = 1;
        p->outcomes[e].confidence = 0.6f;
        p->outcomes[3 + e].known = false;
    }
    struct score_set s = score(m, &p->d, NULL, a);
    const struct score_query *x = s.queries;
    cr_expect_float_eq(x[0].achieved, 0.6 + 0.4 * (double)x[0].expected, 1e-6);
    cr_expect_eq(x[1].achieved, x[1].expected);
    cr_expect_not(x[1].recorded || x[1].compared);
    cr_expect_float_eq(s.noise[1], x[1].expected * (1 - x[1].expected), 1e-6);
    cr_expect_eq(s.noise[0], 0);
    model_free(m);
    arena_free(a);
    planted_free(train);
    planted_free(p);
}

Test(scores, the_pool_is_who_is_named_or_shared)
{
    struct planted *p = planted_make(ROWS, 1, false);
    struct arena *a = arena_create(1 << 28);
    struct model *m = planted_model(p);
    struct score_pool pool;
    struct error err;
    cr_assert_eq(score_pool_find(m, &p->d, "poor, wide", a, &pool, &err), OK);
    cr_expect(pool.count == 2 && str_equal(pool.names[0], STR("poor")));
    cr_expect_eq(score_pool_find(m, &p->d, "nobody", a, &pool, &err), ERR_NOT_FOUND);
    p->d.expert_count = 0;
    cr_expect_eq(score_pool_find(m, &p->d, NULL, a, &pool, &err), ERR_INPUT);
    p->d.outcomes = NULL;
    cr_assert_eq(score_pool_find(m, &p->d, NULL, a, &pool, &err), OK);
    cr_expect(pool.count == 3 && pool.in_data[0] == SIZE_MAX);
    model_free(m);
    arena_free(a);
    planted_free(p);
}

Test(scores, one_expert_has_no_other)
{
    struct planted *p = planted_make(ROWS, 1, false);
    struct arena *a = arena_create(1 << 28);
    struct model *m = planted_model(p);
    struct score_set s = score(m, &p->d, "wide", a);
    static const uint32_t one_group[ROWS];
    struct error err;
    cr_assert_eq(score_seen(&s, one_group, 1, false, a, &err), OK);
    cr_expect(s.queries[0].expert == 0 && s.queries[0].next == 0 && s.queries[0].without == 0);
    model_free(m);
    arena_free(a);
    planted_free(p);
}
