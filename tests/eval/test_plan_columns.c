/* Plans run on recorded answers: what each called, paid and answered, recomputed by hand. */
#include "eval/plan_columns.h"

#include <math.h>

#include "eval/build.h"
#include "plan/plan_set.h"

#define PLANS "panel(a,b->c);cascade(a->c)"

/* Columns of the table are the experts of the data set, in order. */
static void run(const struct plan_set_fixture *f, size_t arm, size_t query, struct outcome *o,
                struct eval_run *ran)
{
    const struct plan *p = model_arm_at(f->model, arm);
    struct plan_column c = {.arm = arm};
    struct estimate estimates[MODEL_ARMS_MAX];
    const struct answer_cell *cells[PLAN_SET_EXPERTS];
    struct features features;
    cr_assert_eq(features_init(&features, NULL), OK);
    cr_assert_eq(model_encode(f->model, f->data->queries[query].prompt, &features, NULL), OK);
    model_estimate(f->model, &features, estimates);
    for (size_t i = 0; i < p->member_count; i++)
        c.members[i] = p->members[i];
    for (size_t e = 0; e < PLAN_SET_EXPERTS; e++)
        cells[e] = &f->answers.cells[query * PLAN_SET_EXPERTS + e];
    plan_column_run(f->model, &c, (float)features.characters, 4, estimates,
                    dataset_outcome(f->data, query, 0), cells, o, ran);
    features_done(&features);
}

/* Cost and tokens of just the calls made; score and answer of the winner. */
static void expect_outcome(const struct outcome *experts, const struct plan *p,
                           const struct outcome *got, const struct eval_run *ran)
{
    int64_t cost = 0;
    int32_t in = 0, out = 0;
    for (size_t i = 0; i < p->member_count; i++) {
        if (!(ran->calls >> i & 1))
            continue;
        cost += experts[p->members[i]].cost_nano_usd;
        in += experts[p->members[i]].input_tokens;
        out += experts[p->members[i]].output_tokens;
    }
    const struct outcome *winner = &experts[p->members[ran->winner]];
    cr_assert(ran->calls >> ran->winner & 1, "who was not asked does not win");
    cr_assert_eq(got->cost_nano_usd, cost);
    cr_assert_eq(got->input_tokens, in);
    cr_assert_eq(got->output_tokens, out);
    cr_assert_eq(got->score, winner->score);
    cr_assert_eq(got->answer_class, winner->answer_class);
    cr_assert(str_equal(got->answer, winner->answer));
    cr_assert(got->known && got->cost_known && got->present && got->tokens_known);
}

static size_t agreement_arm(const struct model *m)
{
    size_t arm = PLAN_SET_EXPERTS;
    while (arm < model_arm_count(m) && model_arm_at(m, arm)->rule != PLAN_AGREE)
        arm++;
    cr_assert_lt(arm, model_arm_count(m));
    return arm;
}

Test(plan_columns, agreement_by_hand)
{
    struct plan_set_fixture f = plan_set_make();
    plan_set_train(&f, PLANS);
    size_t arm = agreement_arm(f.model);
    for (size_t q = 0; q < PLAN_SET_QUERIES; q++) {
        const struct outcome *o = dataset_outcome(f.data, q, 0);
        struct outcome got;
        struct eval_run ran;
        run(&f, arm, q, &got, &ran);
        bool agree = o[0].answer_class == o[1].answer_class;
        cr_assert_eq(ran.calls, agree ? 3 : 7);
        cr_assert_eq(ran.winner, agree ? 0 : 2);
        expect_outcome(o, model_arm_at(f.model, arm), &got, &ran);
    }
    plan_set_done(&f);
}

Test(plan_columns, every_arm_pays_its_calls)
{
    struct plan_set_fixture f = plan_set_make();
    plan_set_train(&f, PLANS);
    for (size_t arm = PLAN_SET_EXPERTS; arm < model_arm_count(f.model); arm++) {
        const struct plan *p = model_arm_at(f.model, arm);
        size_t asked = 0;
        for (size_t q = 0; q < PLAN_SET_QUERIES; q++) {
            struct outcome got;
            struct eval_run ran;
            run(&f, arm, q, &got, &ran);
            unsigned first = (1u << plan_first_count(p)) - 1, all = (1u << p->member_count) - 1;
            cr_assert(ran.calls == first || ran.calls == all);
            asked += ran.calls == all;
            expect_outcome(dataset_outcome(f.data, q, 0), p, &got, &ran);
        }
        cr_expect_float_eq((double)asked / PLAN_SET_QUERIES, (double)p->share, 0.2, "%.*s: %zu",
                           STR_FMT(p->name), asked);
    }
    plan_set_done(&f);
}

/* Tokens that were not recorded for one call are not known of the plan. */
Test(plan_columns, unknown_tokens_stay_unknown)
{
    struct plan_set_fixture f = plan_set_make();
    plan_set_train(&f, PLANS);
    size_t arm = agreement_arm(f.model), seen = 0;
    for (size_t q = 0; q < PLAN_SET_QUERIES; q++) {
        struct outcome got;
        struct eval_run ran;
        f.data->outcomes[q * PLAN_SET_EXPERTS + 2].tokens_known = false;
        run(&f, arm, q, &got, &ran);
        cr_assert_eq(got.tokens_known, ran.calls == 3);
        seen += ran.calls == 7;
    }
    cr_expect_gt(seen, 0);
    plan_set_done(&f);
}

/* In the table */

static enum status build(struct plan_set_fixture *f, const char *experts, const char *plans,
                         struct eval_set *s, struct error *err)
{
    struct dataset *d = NULL; /* fresh: without answers yet */
    *err = (struct error){0};
    cr_assert_eq(dataset_load(f->path, DATASET_ALL, &d, NULL), OK);
    dataset_free(f->data);
    f->data = d;
    return eval_set_build(f->model, d, &(struct eval_pool){experts, NULL, plans}, f->arena, s, err);
}

Test(plan_columns, the_table_has_them_behind_the_experts)
{
    struct plan_set_fixture f = plan_set_make();
    struct eval_set s;
    struct error err;
    plan_set_train(&f, PLANS);
    size_t plans = model_arm_count(f.model) - PLAN_SET_EXPERTS;
    cr_assert_eq(build(&f, NULL, NULL, &s, &err), OK, "%s", err.text);
    cr_assert_eq(s.table.experts, PLAN_SET_EXPERTS + plans);
    cr_assert_eq(s.table.queries, PLAN_SET_QUERIES);
    for (size_t i = 0; i < s.table.experts; i++) {
        cr_expect_eq(eval_is_plan(&s.table, i), i >= PLAN_SET_EXPERTS);
        cr_expect(str_equal(s.table.names[i], model_arm_at(f.model, i)->name));
    }
    for (size_t q = 0; q < PLAN_SET_QUERIES; q++)
        for (size_t i = PLAN_SET_EXPERTS; i < s.table.experts; i++)
            expect_outcome(dataset_outcome(f.data, q, 0), model_arm_at(f.model, i),
                           eval_outcome(&s.table, q, i), eval_plan_run(&s.table, q, i));
    plan_set_done(&f);
}

Test(plan_columns, patterns_and_the_pool_choose)
{
    struct plan_set_fixture f = plan_set_make();
    struct eval_set s;
    struct error err;
    plan_set_train(&f, PLANS);
    cr_assert_eq(build(&f, NULL, "none", &s, &err), OK, "%s", err.text);
    cr_expect_eq(s.table.experts, PLAN_SET_EXPERTS);
    cr_expect_null(s.table.plans);
    cr_assert_eq(build(&f, "a,c", NULL, &s, &err), OK, "%s", err.text);
    cr_expect_gt(s.table.experts, 2);
    for (size_t i = 2; i < s.table.experts; i++)
        cr_expect_eq(s.table.plans[i].kind, PLAN_CASCADE, "b is not in the pool");
    cr_expect_eq(build(&f, NULL, "panel(b,c->a)", &s, &err), ERR_NOT_FOUND);
    plan_set_done(&f);
}

/* Without the texts of a member its plans are left out, and counted; a query without a text is left out. */
Test(plan_columns, plans_need_the_texts_of_their_members)
{
    struct plan_set_fixture f = plan_set_make();
    struct eval_set s;
    struct error err;
    struct buf text;
    char path[128];
    plan_set_train(&f, PLANS);
    size_t plans = model_arm_count(f.model) - PLAN_SET_EXPERTS, panels = 0;
    for (size_t i = PLAN_SET_EXPERTS; i < model_arm_count(f.model); i++)
        panels += model_arm_at(f.model, i)->kind == PLAN_PANEL;
    snprintf(path, sizeof(path), "%s/responses/b.jsonl", f.path);
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(build(&f, NULL, NULL, &s, &err), OK, "%s", err.text);
    cr_expect_eq(s.plans_without_texts, panels);
    cr_expect_eq(s.table.experts, PLAN_SET_EXPERTS + plans - panels);
    buf_init(&text, 1 << 10);
    buf_add_c(&text, "{\"id\":\"q7\",\"text\":\"The answer is (A).\"}\n");
    plan_set_write(f.path, "responses/a.jsonl", &text);
    cr_assert_eq(build(&f, NULL, NULL, &s, &err), OK, "%s", err.text);
    cr_expect_eq(s.table.queries, 1);
    cr_expect_eq(s.query_index[0], 7);
    cr_expect_eq(s.left_out, PLAN_SET_QUERIES - 1);
    snprintf(path, sizeof(path), "rm -r %s/responses", f.path);
    cr_assert_eq(system(path), 0);
    cr_assert_eq(build(&f, NULL, NULL, &s, &err), OK, "%s", err.text);
    cr_expect_eq(s.plans_without_texts, plans);
    cr_expect_eq(s.table.queries, PLAN_SET_QUERIES);
    buf_done(&text);
    plan_set_done(&f);
}
