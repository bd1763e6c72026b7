/* The search for plans, in worlds where it is known what there is to find. */
#include "train/train_plans.h"

#include "plan_world.h"

#define ROWS 1200

static enum status train_named(const struct plan_world *w, const char *named, uint64_t seed,
                               struct trained_plans *t, struct error *err)
{
    struct rng r;
    struct plan_options o = {
        .named = named, .combinations_max = 3, .forest = plan_world_forest(), .rng = &r};
    rng_seed(&r, seed);
    *err = (struct error){0};
    return train_plans(&w->rows, &o, w->arena, t, err);
}

static struct trained_plans train(const struct plan_world *w, const char *named, uint64_t seed)
{
    struct trained_plans t;
    struct error err;
    cr_assert_eq(train_named(w, named, seed, &t, &err), OK, "%s", err.text);
    return t;
}

static bool world_agrees(const struct plan_world *w, size_t row)
{
    return plan_world_outcome(w, row, 0)->answer_class ==
           plan_world_outcome(w, row, 1)->answer_class;
}

Test(train_plans, finds_the_voices_that_know)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_AGREE, ROWS, 10, 1);
    struct trained_plans t = train(w, NULL, 1);
    cr_assert_geq(t.combination_count, 1);
    const struct plan_figures *f = &t.combinations[0];
    cr_expect(str_equal(f->name, STR("sequential(weak-a,weak-b,strong)")), "%.*s",
              STR_FMT(f->name));
    cr_expect(isnan(f->agreed));
    cr_expect_gt(f->gain, 0.02);
    cr_expect_float_eq(f->calls, 2.4, 0.25);
    cr_expect_eq(t.set.panel_count, 1);
    cr_expect_eq(t.candidate_count, 5, "three pairs, one panel, one sequential: %zu",
                 t.candidate_count);
    trained_plans_done(&t);
    t = train(w, "panel(weak-a,weak-b->strong)", 1);
    f = &t.combinations[0];
    cr_expect_float_eq(f->agreed, 0.6, 0.05);
    cr_expect_eq(f->right_when_agreed, 1);
    cr_expect_gt(f->gain, 0.02);
    trained_plans_done(&t);
    plan_world_free(w);
}

/* The panel's escalation, run as the gateway runs it, asks the last where the first differ. */
Test(train_plans, its_check_asks_the_last_on_disagreement)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_AGREE, ROWS, 10, 1);
    struct plan_world *fresh = plan_world_make(PLAN_WORLD_AGREE, 300, 10, 99);
    struct trained_plans t = train(w, "panel(weak-a,weak-b->strong)", 1);
    size_t near = SIZE_MAX; /* of the arms with an escalation, the one nearest to 40 % */
    for (size_t k = 0; k < t.set.count; k++)
        if (t.set.plans[k].rule == PLAN_TRUST &&
            (near == SIZE_MAX ||
             fabsf(t.set.plans[k].share - 0.4f) < fabsf(t.set.plans[near].share - 0.4f)))
            near = k;
    cr_assert_neq(near, SIZE_MAX);
    size_t wrong = 0, right = 0;
    for (size_t row = 0; row < 300; row++) {
        struct plan_state s;
        struct plan_verdict v;
        plan_row_state(&fresh->rows, &t.set.plans[near], row, false, &s);
        plan_set_verdict(&t.set, near, &s, &v);
        wrong += (v.ask != 0) == world_agrees(fresh, row);
        if (v.ask) {
            plan_row_state(&fresh->rows, &t.set.plans[near], row, true, &s);
            plan_set_verdict(&t.set, near, &s, &v);
        }
        size_t winner = t.set.plans[near].members[v.winner];
        right += plan_world_outcome(fresh, row, winner)->score > 0;
    }
    cr_expect_leq(wrong, 15, "%zu of 300", wrong);
    cr_expect_geq(right, 290, "%zu of 300", right);
    trained_plans_done(&t);
    plan_world_free(w);
    plan_world_free(fresh);
}

/* Agreement has nothing to learn, so its figures can be counted. */
Test(train_plans, figures_are_those_of_the_recorded_calls)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_AGREE, ROWS, 10, 2);
    struct trained_plans t = train(w, "panel(weak-a,weak-b->strong)", 1);
    double score = 0, cost = 0, asked = 0, last = 0, last_asked = 0;
    size_t k = 0;
    while (k < t.set.count && t.set.plans[k].rule != PLAN_AGREE)
        k++;
    cr_assert_lt(k, t.set.count);
    for (size_t row = 0; row < ROWS; row++) {
        const struct outcome *o = plan_world_outcome(w, row, 0);
        bool agree = world_agrees(w, row);
        score += (double)(agree ? o[0].score : o[2].score) / ROWS;
        cost +=
            (plan_world_usd(&o[0]) + plan_world_usd(&o[1]) + !agree * plan_world_usd(&o[2])) / ROWS;
        asked += (double)!agree / ROWS;
        last += plan_world_usd(&o[2]) / ROWS;
        last_asked += !agree * plan_world_usd(&o[2]) / ROWS;
    }
    const struct plan_figures *f = &t.figures[k];
    cr_expect(str_equal(f->name, STR("panel(weak-a,weak-b→strong)")));
    cr_expect(str_equal(t.set.plans[k].name, f->name));
    cr_expect_eq(f->rows, ROWS);
    cr_expect_float_eq(f->accuracy, score, 1e-9);
    cr_expect_float_eq(f->cost_usd, cost, 1e-8);
    cr_expect_float_eq(f->escalated, asked, 1e-9);
    cr_expect_float_eq((double)t.set.plans[k].share, asked, 1e-6);
    cr_expect_float_eq((double)t.set.plans[k].next_cost_ratio, last_asked / asked / last, 1e-5);
    cr_expect_eq(t.set.escalation_of[k], NO_ESCALATION);
    trained_plans_done(&t);
    plan_world_free(w);
}

/* The heads are fitted: their mean over the rows is what happened. */
Test(train_plans, what_is_expected_of_a_plan_is_what_came)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_AGREE, ROWS, 10, 3);
    struct trained_plans t = train(w, NULL, 1);
    struct estimate plans[PLANS_MAX];
    double quality[PLANS_MAX] = {0}, cost[PLANS_MAX] = {0}, escalation[PLANS_MAX] = {0};
    cr_assert_gt(t.set.count, 0);
    for (size_t row = 0; row < ROWS; row++) {
        plan_set_estimate(&t.set, &w->estimates[row * PLAN_WORLD_EXPERTS], plans);
        for (size_t k = 0; k < t.set.count; k++) {
            quality[k] += (double)plans[k].quality / ROWS;
            cost[k] += (double)plans[k].cost_nano_usd / 1e9 / ROWS;
            escalation[k] += (double)plans[k].escalation / ROWS;
        }
    }
    for (size_t k = 0; k < t.set.count; k++) {
        const struct plan_figures *f = &t.figures[k];
        cr_expect_float_eq(quality[k], f->accuracy, 0.01, "%.*s", STR_FMT(f->name));
        double further = t.set.plans[k].kind == PLAN_SEQUENTIAL
                             ? (f->calls - 1) / (double)(t.set.plans[k].member_count - 1)
                             : f->escalated;
        cr_expect_float_eq(escalation[k], further, 0.01, "%.*s", STR_FMT(f->name));
        cr_expect_float_eq(cost[k], f->cost_usd, 0.03 * f->cost_usd, "%.*s", STR_FMT(f->name));
    }
    trained_plans_done(&t);
    plan_world_free(w);
}

Test(train_plans, arms_differ_and_their_names_say_how)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_AGREE, ROWS, 10, 4);
    struct trained_plans t = train(w, NULL, 1);
    cr_expect_leq(t.set.count, PLANS_MAX);
    cr_expect_leq(t.set.escalation_count, PLAN_ESCALATIONS_MAX);
    for (size_t k = 0; k < t.set.count; k++) {
        const struct plan *p = &t.set.plans[k];
        cr_expect(str_equal(p->name, t.figures[k].name));
        cr_expect(p->share >= 0 && p->share <= 1);
        cr_expect_eq(p->rule == PLAN_AGREE, t.set.escalation_of[k] == NO_ESCALATION);
        cr_expect(p->rule == PLAN_AGREE || t.set.escalation_of[k] < t.set.escalation_count);
        for (size_t i = 0; i < k; i++)
            cr_expect(!str_equal(p->name, t.set.plans[i].name), "%.*s twice", STR_FMT(p->name));
    }
    trained_plans_done(&t);
    plan_world_free(w);
}

/* Where nothing but agreement differs between rows, each fold has two gains: some thresholds divide nothing. */
Test(train_plans, thresholds_that_fall_together_are_one_arm)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_AGREE, 600, 10, 13);
    for (size_t i = 0; i < 600 * PLAN_WORLD_EXPERTS; i++) {
        static const int64_t costs[PLAN_WORLD_EXPERTS] = {1000000, 1100000, 10000000};
        memset(w->cells[i].stats, 0, sizeof(w->cells[i].stats));
        w->estimates[i].quality = 0.7f;
        w->estimates[i].cost_nano_usd = costs[i % PLAN_WORLD_EXPERTS];
        w->characters[i / PLAN_WORLD_EXPERTS] = 100;
        w->queries[i / PLAN_WORLD_EXPERTS].choice_count = 0;
        w->folds[i / PLAN_WORLD_EXPERTS] &= 1;
    }
    w->rows.fold_count = 2;
    struct trained_plans t = train(w, "panel(weak-a,weak-b->strong)", 1);
    for (size_t k = 0; k < t.set.count; k++)
        for (size_t i = 0; i < k; i++)
            cr_expect(!str_equal(t.set.plans[k].name, t.set.plans[i].name), "%.*s twice",
                      STR_FMT(t.set.plans[k].name));
    cr_expect_lt(t.set.count, 8, "%zu arms", t.set.count);
    trained_plans_done(&t);
    plan_world_free(w);
}

/* The strong one is hardly dearer than a weak one: two calls never pay. */
Test(train_plans, takes_nothing_where_nothing_is_to_be_gained)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_CLOSEST, ROWS, 1.05, 5);
    for (size_t row = 0; row < ROWS; row++)
        w->outcomes[row * PLAN_WORLD_EXPERTS + 2].score = 1;
    struct trained_plans t = train(w, NULL, 1);
    cr_expect_eq(t.set.count, 0, "%zu plans", t.set.count);
    cr_expect_eq(t.combination_count, 0);
    trained_plans_done(&t);
    plan_world_free(w);
}

static void expect_same_forest(const struct forest *a, const struct forest *b)
{
    cr_assert_eq(a->tree_count, b->tree_count);
    cr_assert_eq(a->experts, b->experts);
    cr_expect_eq(memcmp(a->trees, b->trees, a->tree_count * sizeof(*a->trees)), 0);
    cr_expect_eq(
        memcmp(a->leaves, b->leaves, a->tree_count * TREE_LEAVES_MAX * a->experts * sizeof(float)),
        0);
}

Test(train_plans, the_same_seed_gives_the_same_plans)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_AGREE, 600, 10, 6);
    struct trained_plans a = train(w, NULL, 3), b = train(w, NULL, 3);
    cr_assert_eq(a.set.count, b.set.count);
    cr_assert_eq(a.set.escalation_count, b.set.escalation_count);
    cr_assert_gt(a.set.count, 0);
    cr_expect_eq(memcmp(a.set.heads, b.set.heads, a.set.count * PLAN_HEADS * sizeof(float)), 0);
    for (size_t k = 0; k < a.set.count; k++) {
        cr_expect(str_equal(a.set.plans[k].name, b.set.plans[k].name));
        cr_expect_eq(a.set.plans[k].gain_per_usd, b.set.plans[k].gain_per_usd);
        cr_expect_eq(a.figures[k].accuracy, b.figures[k].accuracy);
    }
    for (size_t c = 0; c < a.set.escalation_count; c++) {
        size_t numbers = ESCALATION_STAGES * a.set.escalations[c].members * 2;
        cr_expect_eq(memcmp(a.set.escalations[c].calibration, b.set.escalations[c].calibration,
                            numbers * sizeof(float)),
                     0);
        for (size_t s = 0; s < ESCALATION_STAGES; s++)
            expect_same_forest(&a.set.escalations[c].forests[s], &b.set.escalations[c].forests[s]);
    }
    trained_plans_done(&a);
    trained_plans_done(&b);
    plan_world_free(w);
}

/* Named plans */

static size_t arms_of(const struct trained_plans *t, const char *pattern)
{
    size_t n = 0;
    for (size_t k = 0; k < t->set.count; k++)
        n += plan_matches(&t->set.plans[k], str_from(pattern));
    return n;
}

Test(train_plans, named_plans_are_learnt_and_no_others)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_AGREE, 600, 10, 7);
    struct trained_plans t =
        train(w, " cascade(weak-b→strong); ;panel( weak-b,weak-a -> strong );", 1);
    cr_expect_eq(t.combination_count, 2);
    cr_expect(str_equal(t.combinations[0].name, STR("cascade(weak-b→strong)")));
    cr_expect(str_equal(t.combinations[1].name, STR("panel(weak-b,weak-a→strong)")));
    cr_expect_gt(arms_of(&t, "cascade(weak-b->strong)"), 0);
    cr_expect_gt(arms_of(&t, "panel(weak-b,weak-a->strong)"), 0);
    cr_expect_eq(arms_of(&t, "cascade(weak-b->strong)") +
                     arms_of(&t, "panel(weak-b,weak-a->strong)"),
                 t.set.count);
    trained_plans_done(&t);
    plan_world_free(w);
}

/* Four families of arms do not fit: each keeps a place, also the one that nobody would take. */
Test(train_plans, every_named_plan_is_kept)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_AGREE, 600, 10, 8);
    const char *const names[] = {"panel(weak-a,weak-b->strong)", "panel(weak-b,weak-a->strong)",
                                 "cascade(strong->weak-a)", "panel(strong,weak-b->weak-a)"};
    struct trained_plans t = train(w,
                                   "panel(weak-a,weak-b->strong);panel(weak-b,weak-a->strong);"
                                   "cascade(strong->weak-a);panel(strong,weak-b->weak-a)",
                                   1);
    cr_expect_eq(t.set.count, PLANS_MAX);
    for (size_t i = 0; i < 4; i++)
        cr_expect_gt(arms_of(&t, names[i]), 0, "%s is lost", names[i]);
    trained_plans_done(&t);
    plan_world_free(w);
}

Test(train_plans, a_plan_named_twice_is_learnt_once)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_AGREE, 400, 10, 9);
    struct trained_plans t = train(w, "cascade(weak-a->strong);cascade(weak-a → strong)", 1);
    cr_expect_eq(t.combination_count, 1);
    trained_plans_done(&t);
    plan_world_free(w);
}

/* A name is as long as its experts' names are. */
Test(train_plans, long_names_are_no_obstacle)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_AGREE, 400, 10, 14);
    static char names[PLAN_WORLD_EXPERTS][3000];
    struct buf b;
    buf_init(&b, 1 << 20);
    for (size_t e = 0; e < PLAN_WORLD_EXPERTS; e++) {
        memset(names[e], 'x' + (int)e, sizeof(names[e]) - 1);
        w->experts[e].name = str_from(names[e]);
    }
    buf_addf(&b, "panel(%s,%s->%s)", names[0], names[1], names[2]);
    struct trained_plans t = train(w, b.ptr, 1);
    cr_expect_gt(arms_of(&t, b.ptr), 0);
    trained_plans_done(&t);
    buf_done(&b);
    plan_world_free(w);
}

static void expect_refusal(const struct plan_world *w, const char *named, enum status want,
                           const char *words)
{
    struct trained_plans t = {.candidate_count = 77};
    struct error err;
    cr_expect_eq(train_named(w, named, 1, &t, &err), want, "%s: %s", named, err.text);
    cr_expect_not_null(strstr(err.text, words), "%s: '%s'", named, err.text);
    cr_expect_eq(t.candidate_count, 77, "outputs stay untouched on failure");
}

Test(train_plans, what_cannot_be_learnt_is_refused)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_AGREE, 400, 10, 10);
    expect_refusal(w, "panel(weak-a,huge->strong)", ERR_NOT_FOUND, "no expert 'huge'");
    expect_refusal(w, "all", ERR_INPUT, "'all' is no plan");
    expect_refusal(w, "cascade(strong->strong)", ERR_INPUT, "twice");
    expect_refusal(w,
                   "cascade(weak-a->strong);cascade(weak-b->strong);cascade(weak-a->weak-b);"
                   "cascade(strong->weak-a);cascade(strong->weak-b)",
                   ERR_INPUT, "more than 4 cascades and panels");
    expect_refusal(w,
                   "sequential(weak-a,weak-b);sequential(weak-a,strong);sequential(weak-b,strong)",
                   ERR_INPUT, "more than 2 sequential plans");
    for (size_t row = 99; row < 400; row++)
        w->cells[row * PLAN_WORLD_EXPERTS + 1].present = false;
    expect_refusal(w, "cascade(weak-a->strong);panel(weak-a,weak-b->strong)", ERR_INPUT,
                   "panel(weak-a,weak-b→strong): only 99 queries");
    plan_world_free(w);
}

/* The search passes over combinations that too few rows know. */
Test(train_plans, rows_without_texts_are_left_out)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_AGREE, 600, 10, 11);
    for (size_t row = 0; row < 600; row++)
        w->cells[row * PLAN_WORLD_EXPERTS + 1].present = row < 99;
    struct trained_plans t = train(w, NULL, 1);
    cr_expect_eq(arms_of(&t, "panel(weak-a,weak-b->strong)"), 0);
    for (size_t c = 0; c < t.combination_count; c++)
        cr_expect_null(memmem(t.combinations[c].name.ptr, t.combinations[c].name.len, "weak-b", 6));
    trained_plans_done(&t);
    t = train(w, "cascade(weak-a->strong)", 1);
    cr_expect_eq(t.figures[0].rows, 600);
    trained_plans_done(&t);
    memset(w->cells, 0, 600 * PLAN_WORLD_EXPERTS * sizeof(*w->cells));
    t = train(w, NULL, 1);
    cr_expect_eq(t.set.count, 0);
    trained_plans_done(&t);
    plan_world_free(w);
}

/* Coins cannot be foretold: what a plan is said to reach is no better than a coin. */
Test(train_plans, figures_do_not_flatter)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_NOISE, ROWS, 10, 12);
    struct trained_plans t = train(w, "panel(weak-a,weak-b->strong);cascade(weak-a->strong)", 1);
    for (size_t k = 0; k < t.set.count; k++)
        cr_expect_float_eq(t.figures[k].accuracy, 0.5, 0.06, "%.*s: %g", STR_FMT(t.figures[k].name),
                           t.figures[k].accuracy);
    trained_plans_done(&t);
    plan_world_free(w);
}
