/* Verified plans run on recorded answers. */
#include "eval/verify_columns.h"

#include "data/scratch.h"
#include "eval/curve.h"
#include "random_table.h"

#define QUERIES 400
#define EXPERTS 4

struct made {
    struct random_table r;
    struct eval_set set;
    struct dataset data;
    struct query queries[QUERIES];
    struct dataset_expert experts[EXPERTS];
    uint32_t index[QUERIES];
    float shared_sd[QUERIES];
};

static void make(struct made *m, bool cascade)
{
    random_table_make(&m->r, QUERIES, EXPERTS, 0.7, 41);
    if (cascade)
        random_table_add_cascade(&m->r, 42);
    for (size_t q = 0; q < QUERIES; q++) {
        m->index[q] = (uint32_t)q;
        m->shared_sd[q] = 1;
        m->queries[q] = (struct query){.text_hash = q / 2 * UINT64_C(0x9E3779B97F4A7C15)};
    }
    for (size_t e = 0; e < EXPERTS; e++)
        m->experts[e].name = m->r.names[e];
    m->data = (struct dataset){.queries = m->queries,
                               .query_count = QUERIES,
                               .experts = m->experts,
                               .expert_count = EXPERTS};
    m->set = (struct eval_set){.table = m->r.table,
                               .estimates = m->r.estimates,
                               .outcomes = m->r.outcomes,
                               .runs = m->r.runs,
                               .shared_sd = m->shared_sd,
                               .query_index = m->index};
}

static void verify(struct made *m, const struct verify_options *o)
{
    struct error err = {0};
    cr_assert_eq(eval_verify(&m->set, &m->data, o, m->r.arena, &err), OK, "%s", err.text);
}

/* Walks the order by hand: each is paid with its check until one is passed. */
static void check_run(const struct made *m, size_t q, size_t column, int64_t price)
{
    const struct eval_table *t = &m->set.table;
    const struct eval_run *run = eval_plan_run(t, q, column);
    int64_t cost = 0;
    unsigned calls = 0;
    size_t passed = EVAL_NOBODY;
    for (size_t i = 0; i < eval_plan_size(t, q, column) && passed == EVAL_NOBODY; i++) {
        size_t e = eval_plan_member(t, q, column, i);
        calls |= 1u << i;
        cost += eval_outcome(t, q, e)->cost_nano_usd + price;
        if (eval_outcome(t, q, e)->score >= 0.5f)
            passed = e;
    }
    cr_assert_eq(run->calls, calls);
    cr_assert_eq(eval_outcome(t, q, column)->cost_nano_usd, cost);
    cr_assert_eq(run->check, passed == EVAL_NOBODY ? PLAN_REJECTED : PLAN_PASSED);
    cr_assert_eq((double)eval_outcome(t, q, column)->score, passed == EVAL_NOBODY ? 0 : 1);
    if (passed != EVAL_NOBODY)
        cr_assert_eq(eval_plan_member(t, q, column, run->winner), passed);
}

Test(verify_columns, a_perfect_check_passes_the_first_that_is_right)
{
    struct made m;
    make(&m, true);
    const struct verify_options o = {.column = "score", .price_nano_usd = 500, .seed = 3};
    verify(&m, &o);
    const struct eval_table *t = &m.set.table;
    cr_assert_eq(t->experts, EXPERTS + 1 + VERIFIED_PLANS_MAX);
    cr_assert_eq(eval_single_count(t), EXPERTS);
    cr_assert(str_equal(t->names[EXPERTS], STR("cascade(first→last)")));
    cr_assert(str_equal(t->names[EXPERTS + 1], STR("verified 1")));
    cr_assert_eq(t->plans[EXPERTS].kind, PLAN_CASCADE);
    cr_assert_eq((double)t->verified->believed[0].false_pass, 0);
    cr_assert_eq((double)t->verified->believed[1].false_alarm, 0);
    for (size_t q = 0; q < QUERIES; q++) {
        cr_assert_eq(eval_plan_run(t, q, EXPERTS)->calls,
                     m.r.runs[q * (EXPERTS + 1) + EXPERTS].calls);
        cr_assert_eq(eval_outcome(t, q, 2)->score, m.r.outcomes[q * (EXPERTS + 1) + 2].score);
        for (size_t c = EXPERTS + 1; c < t->experts; c++) {
            check_run(&m, q, c, 500);
            cr_assert_geq(eval_estimate(t, q, c)->quality, 0);
        }
    }
    random_table_done(&m.r);
}

Test(verify_columns, plans_are_those_of_the_estimates)
{
    struct made m;
    make(&m, false);
    const struct verify_options o = {.column = "score"};
    verify(&m, &o);
    const struct eval_table *t = &m.set.table;
    for (size_t q = 0; q < QUERIES; q++) {
        const struct verified_terms terms = {.shared_sd = 1};
        struct verified_plan plans[VERIFIED_PLANS_MAX];
        size_t n = verified_plans(&terms, &m.r.estimates[q * EXPERTS], NULL, EXPERTS, 8, plans);
        for (size_t k = 0; k < VERIFIED_PLANS_MAX; k++) {
            const struct verified_plan *p = &plans[k < n ? k : n - 1];
            size_t column = EXPERTS + k;
            cr_assert_eq(eval_plan_size(t, q, column), p->member_count);
            for (size_t i = 0; i < p->member_count; i++)
                cr_assert_eq(eval_plan_member(t, q, column, i), p->members[i]);
            cr_assert_eq(eval_estimate(t, q, column)->cost_nano_usd, p->estimate.cost_nano_usd);
        }
    }
    random_table_done(&m.r);
}

Test(verify_columns, those_outside_the_pool_are_never_asked)
{
    struct made m;
    make(&m, false);
    m.r.pool[1] = false;
    const struct verify_options o = {.column = "score"};
    verify(&m, &o);
    cr_assert_not(eval_in_pool(&m.set.table, 1));
    for (size_t i = 0; i < QUERIES * VERIFIED_PLANS_MAX * PLAN_MEMBERS_MAX; i++)
        cr_assert_neq(m.set.table.verified->members[i], 1);
    random_table_done(&m.r);
    make(&m, false);
    m.r.pool[0] = m.r.pool[1] = m.r.pool[2] = false;
    struct error err = {0};
    cr_assert_eq(eval_verify(&m.set, &m.data, &o, m.r.arena, &err), ERR_INPUT);
    cr_assert_not_null(strstr(err.text, "--experts"), "%s", err.text);
    random_table_done(&m.r);
}

Test(verify_columns, errors_are_turned_once_and_counted_on_the_other_half)
{
    struct made m;
    make(&m, false);
    const struct verify_options o = {
        .column = "score", .false_pass = 0.1, .false_alarm = 0.3, .seed = 5};
    verify(&m, &o);
    for (size_t h = 0; h < 2; h++) {
        cr_assert_float_eq((double)m.set.table.verified->believed[h].false_pass, 0.1, 0.04);
        cr_assert_float_eq((double)m.set.table.verified->believed[h].false_alarm, 0.3, 0.06);
    }
    cr_assert_neq(m.set.table.verified->believed[0].false_pass,
                  m.set.table.verified->believed[1].false_pass);
    size_t wrong = 0, passed = 0, last = m.set.table.experts - 1;
    for (size_t q = 0; q < QUERIES; q++) {
        bool pass = eval_plan_run(&m.set.table, q, last)->check == PLAN_PASSED;
        passed += pass;
        wrong += pass && eval_outcome(&m.set.table, q, last)->score < 0.5f;
    }
    cr_assert_gt(wrong, passed / 50);
    cr_assert_lt(wrong, passed / 4);
    struct made again;
    make(&again, false);
    verify(&again, &o);
    for (size_t q = 0; q < QUERIES; q++)
        cr_assert_eq(eval_plan_run(&again.set.table, q, last)->calls,
                     eval_plan_run(&m.set.table, q, last)->calls);
    random_table_done(&m.r);
    random_table_done(&again.r);
}

Test(verify_columns, a_column_says_it_and_where_it_is_silent_the_answer_stands)
{
    struct made m;
    struct scratch s = scratch_make();
    struct buf text;
    struct error err = {0};
    make(&m, false);
    buf_init(&text, 1 << 20);
    buf_add_c(&text, "id,model,score,tests\n");
    for (size_t q = 0; q < QUERIES; q++) {
        m.queries[q].id = str_from(arena_printf(m.r.arena, "q%zu", q));
        for (size_t e = 0; e < EXPERTS; e++)
            buf_addf(&text, "q%zu,%.*s,1,%s\n", q, STR_FMT(m.r.names[e]),
                     q < 10   ? ""
                     : e == 2 ? "1"
                              : "0");
    }
    scratch_write(&s, "outcomes.csv", text.ptr);
    m.data.path = str_from(s.path);
    const struct verify_options o = {.column = "tests"};
    verify(&m, &o);
    size_t last = m.set.table.experts - 1;
    for (size_t q = 0; q < QUERIES; q++) {
        const struct eval_run *run = eval_plan_run(&m.set.table, q, last);
        if (q < 10)
            cr_assert(run->calls == 1 && run->check == PLAN_CHECK_DOWN && run->winner == 0);
        else if (run->check == PLAN_PASSED)
            cr_assert_eq(eval_plan_member(&m.set.table, q, last, run->winner), 2);
    }
    struct made other;
    make(&other, false);
    other.data.path = str_from(s.path);
    for (size_t q = 0; q < QUERIES; q++)
        other.queries[q].id = m.queries[q].id;
    const struct verify_options none = {.column = "lint"};
    cr_assert_eq(eval_verify(&other.set, &other.data, &none, other.r.arena, &err), ERR_INPUT);
    cr_assert_not_null(strstr(err.text, "no column 'lint'"), "%s", err.text);
    buf_done(&text);
    scratch_remove(&s);
    random_table_done(&m.r);
    random_table_done(&other.r);
}

Test(verify_columns, rates_of_errors_are_read)
{
    struct verify_options o = {0};
    cr_assert(verify_errors_read("0.05", &o));
    cr_assert(o.false_pass == 0.05 && o.false_alarm == 0.05);
    cr_assert(verify_errors_read("0, .2", &o));
    cr_assert(o.false_pass == 0 && o.false_alarm == 0.2);
    static const char *const bad[] = {"",     "0.6",  "-0.1",        "5%",
                                      "0.1,", ",0.1", "0.1,0.2,0.3", "nan"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_expect_not(verify_errors_read(bad[i], &o), "%s", bad[i]);
    cr_assert(o.false_pass == 0 && o.false_alarm == 0.2);
}
