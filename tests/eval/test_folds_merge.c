/* Folds with unlike plans become one table in which every column is a way to answer. */
#include "eval/folds_int.h"

#include <criterion/criterion.h>
#include <string.h>

#define QUERIES 10

/* A fold over the experts a and b, with cascades a→b that ask b on the first asks[i] of its queries. */
struct made {
    struct estimate estimates[QUERIES * 4];
    struct outcome outcomes[QUERIES * 4];
    struct eval_run runs[QUERIES * 4];
    struct str names[4];
    bool pool[4];
    struct eval_plan plans[4];
    uint32_t index[QUERIES], rows[QUERIES];
    float shared_sd[QUERIES];
    struct fold fold;
};

static void fold_make(struct made *m, uint32_t first, const size_t *asks, size_t count)
{
    static const struct str names[] = {{"a", 1}, {"b", 1}, {"p", 1}, {"q", 1}};
    size_t columns = 2 + count;
    memset(m, 0, sizeof(*m));
    for (size_t c = 0; c < columns; c++) {
        m->names[c] = names[c];
        m->pool[c] = true;
        m->plans[c] = c < 2 ? (struct eval_plan){PLAN_SINGLE, 1, {c}}
                            : (struct eval_plan){PLAN_CASCADE, 2, {0, 1}};
    }
    for (uint32_t q = 0; q < QUERIES; q++) {
        m->index[q] = q;
        m->rows[q] = first + q;
        m->shared_sd[q] = 1 + (float)first / 10;
        for (size_t c = 0; c < columns; c++) {
            bool asked = c >= 2 && q < asks[c - 2];
            m->estimates[q * columns + c].quality = (float)(c + 1) / 10;
            m->outcomes[q * columns + c] =
                (struct outcome){.known = true, .cost_known = true, .score = (float)c / 10};
            m->runs[q * columns + c] =
                (struct eval_run){.calls = asked ? 3 : 1, .winner = asked ? 1 : 0};
        }
    }
    m->fold = (struct fold){.rows = m->rows,
                            .set = {.query_index = m->index,
                                    .shared_sd = m->shared_sd,
                                    .left_out = 1,
                                    .table = {.queries = QUERIES,
                                              .experts = columns,
                                              .names = m->names,
                                              .estimates = m->estimates,
                                              .outcomes = m->outcomes,
                                              .pool = m->pool,
                                              .reference = 1,
                                              .plans = count ? m->plans : NULL,
                                              .runs = count ? m->runs : NULL}}};
}

Test(folds_merge, plans_of_equal_members_share_columns_by_how_often_they_ask)
{
    static struct made made[3];
    struct fold folds[3];
    struct eval_set set;
    struct arena *a = arena_create(1 << 24);
    fold_make(&made[0], 0, (const size_t[]){8, 2}, 2);
    fold_make(&made[1], 10, (const size_t[]){5}, 1);
    fold_make(&made[2], 20, NULL, 0);
    for (size_t i = 0; i < 3; i++)
        folds[i] = made[i].fold;
    cr_assert_eq(folds_merge(folds, 3, a, &set, NULL), OK);
    const struct eval_table *t = &set.table;
    cr_assert_eq(t->queries, 30);
    for (size_t q = 0; q < 30; q++) /* each row's of the model that estimated it */
        cr_assert_eq(set.shared_sd[q], 1 + (float)(q / 10));
    cr_assert_eq(set.left_out, 3);
    cr_assert_eq(t->experts, 4);
    cr_assert_eq(t->reference, 1);
    cr_assert_eq(eval_single_count(t), 2);
    /* (2 + 5 + 10) / 30 and (8 + 5 + 10) / 30 */
    cr_expect(str_equal(t->names[2], STR("cascade(a→b ~57%)")), "%.*s", STR_FMT(t->names[2]));
    cr_expect(str_equal(t->names[3], STR("cascade(a→b ~77%)")), "%.*s", STR_FMT(t->names[3]));
    for (size_t q = 0; q < 30; q++)
        cr_assert_eq(set.query_index[q], q);
    cr_expect_eq(eval_plan_run(t, 1, 2)->calls, 3);
    cr_expect_eq(eval_plan_run(t, 2, 2)->calls, 1, "the second plan of the fold asks less");
    cr_expect_eq(eval_plan_run(t, 2, 3)->calls, 3);
    cr_expect_eq(eval_outcome(t, 0, 2)->score, 0.3f);
    cr_expect_eq(eval_outcome(t, 0, 3)->score, 0.2f);
    cr_expect_eq(eval_outcome(t, 10, 2)->score, 0.2f, "the only one of its fold, twice");
    cr_expect_eq(eval_outcome(t, 10, 3)->score, 0.2f);
    for (size_t c = 2; c < 4; c++) { /* b alone */
        cr_expect_eq(eval_outcome(t, 25, c)->score, 0.1f);
        cr_expect_eq(eval_estimate(t, 25, c)->quality, 0.2f);
        cr_expect_eq(eval_plan_run(t, 25, c)->calls, 2);
        cr_expect_eq(eval_plan_run(t, 25, c)->winner, 1);
    }
    arena_free(a);
}

Test(folds_merge, without_plans_there_are_none)
{
    static struct made made[2];
    struct fold folds[2];
    struct eval_set set;
    struct arena *a = arena_create(1 << 24);
    for (size_t i = 0; i < 2; i++) {
        fold_make(&made[i], (uint32_t)i * 10, NULL, 0);
        folds[i] = made[i].fold;
    }
    cr_assert_eq(folds_merge(folds, 2, a, &set, NULL), OK);
    cr_assert_null(set.table.plans);
    cr_assert_null(set.table.runs);
    cr_assert_eq(set.table.experts, 2);
    arena_free(a);
}
