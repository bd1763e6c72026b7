/* Which plans may be chosen. */
#include "plan/plan_filter.h"

#include "plan_set.h"

#define PLANS "panel(a,b->c);cascade(a->c)"

/* Whether just those plans are in use that the words say: of them, "p" panels over a, b, c, "c" cascades over a, c. */
static void expect_use(const struct plan_set_fixture *f, const bool *experts, const char *patterns,
                       bool panels, bool cascades)
{
    bool use[MODEL_ARMS_MAX];
    struct error err = {0};
    size_t seen[2] = {0};
    memset(use, 1, sizeof(use));
    memcpy(use, experts, PLAN_SET_EXPERTS * sizeof(*experts));
    cr_assert_eq(plan_filter_apply(f->model, str_from(patterns), use, &err), OK, "%s: %s", patterns,
                 err.text);
    cr_expect_eq(memcmp(use, experts, PLAN_SET_EXPERTS * sizeof(*experts)), 0);
    for (size_t i = PLAN_SET_EXPERTS; i < model_arm_count(f->model); i++) {
        const struct plan *p = model_arm_at(f->model, i);
        bool panel = p->kind == PLAN_PANEL;
        seen[panel]++;
        cr_expect_eq(use[i], panel ? panels : cascades, "'%s': %.*s", patterns, STR_FMT(p->name));
    }
    cr_assert(seen[0] > 1 && seen[1] > 1);
}

static const bool everyone[] = {true, true, true, true};

Test(plan_filter, patterns)
{
    struct plan_set_fixture f = plan_set_make();
    plan_set_train(&f, PLANS);
    expect_use(&f, everyone, "", true, true);
    expect_use(&f, everyone, "all", true, true);
    expect_use(&f, everyone, " all ; none", true, true);
    expect_use(&f, everyone, "none", false, false);
    expect_use(&f, everyone, "panel", true, false);
    expect_use(&f, everyone, "cascade", false, true);
    expect_use(&f, everyone, "cascade;panel", true, true);
    expect_use(&f, everyone, "panel(a,b->c)", true, false);
    expect_use(&f, everyone, "; panel( a, b → c ) ;", true, false);
    plan_set_done(&f);
}

Test(plan_filter, a_plan_needs_all_its_members)
{
    struct plan_set_fixture f = plan_set_make();
    plan_set_train(&f, PLANS);
    expect_use(&f, (bool[]){true, false, true, true}, "all", false, true);
    expect_use(&f, (bool[]){true, true, false, true}, "all", false, false);
    expect_use(&f, (bool[]){false, true, true, true}, "panel(a,b->c)", false, false);
    expect_use(&f, (bool[]){true, true, true, false}, "all", true, true);
    plan_set_done(&f);
}

/* A name with a share means that arm alone. */
Test(plan_filter, one_arm_of_a_family)
{
    struct plan_set_fixture f = plan_set_make();
    plan_set_train(&f, PLANS);
    for (size_t i = PLAN_SET_EXPERTS; i < model_arm_count(f.model); i++) {
        const struct plan *p = model_arm_at(f.model, i);
        bool use[MODEL_ARMS_MAX] = {true, true, true, true};
        cr_assert_eq(plan_filter_apply(f.model, p->name, use, NULL), OK);
        for (size_t k = PLAN_SET_EXPERTS; k < model_arm_count(f.model); k++)
            cr_expect(use[k] == (k == i) || p->rule == PLAN_AGREE, "%.*s", STR_FMT(p->name));
    }
    plan_set_done(&f);
}

static void expect_refusal(const struct plan_set_fixture *f, const char *patterns,
                           const char *words)
{
    bool use[MODEL_ARMS_MAX] = {true, true, true, true}, before[MODEL_ARMS_MAX];
    struct error err = {0};
    memset(use + PLAN_SET_EXPERTS, 1, sizeof(use) - PLAN_SET_EXPERTS);
    memcpy(before, use, sizeof(use));
    cr_expect_eq(plan_filter_apply(f->model, str_from(patterns), use, &err), ERR_NOT_FOUND, "%s",
                 patterns);
    cr_expect_not_null(strstr(err.text, words), "%s: '%s'", patterns, err.text);
    cr_expect_eq(memcmp(use, before, sizeof(use)), 0, "outputs stay untouched on failure");
}

Test(plan_filter, a_name_that_means_nothing_is_refused)
{
    struct plan_set_fixture f = plan_set_make();
    plan_set_train(&f, PLANS);
    expect_refusal(&f, "panel(a,c->b)", "no plan 'panel(a,c->b)'; it has ");
    expect_refusal(&f, "all;cascade(a->b)", "cascade(a->b)");
    expect_refusal(&f, "everything", "everything");
    plan_set_done(&f);
}

Test(plan_filter, a_model_without_plans_says_how_to_get_some)
{
    struct plan_set_fixture f = plan_set_make();
    bool use[MODEL_ARMS_MAX] = {true, true, true, true};
    plan_set_train(&f, NULL);
    expect_refusal(&f, "panel(a,b->c)", "the model has learnt none; train it on a data set with");
    cr_expect_eq(plan_filter_apply(f.model, STR("panel"), use, NULL), OK, "a kind may mean nobody");
    cr_expect_eq(plan_filter_apply(f.model, STR(""), use, NULL), OK);
    plan_set_done(&f);
}

static void expect_calls(const struct plan_set_fixture *f, uint32_t max_calls, enum plan_kind kind,
                         bool want)
{
    bool use[MODEL_ARMS_MAX];
    for (size_t i = 0; i < model_arm_count(f->model); i++)
        use[i] = true;
    plan_filter_calls(f->model, max_calls, use);
    for (size_t i = 0; i < model_arm_count(f->model); i++)
        if (i < PLAN_SET_EXPERTS)
            cr_expect(use[i], "experts stay");
        else if (model_arm_at(f->model, i)->kind == kind)
            cr_expect_eq(use[i], want, "%u calls: %.*s", max_calls,
                         STR_FMT(model_arm_at(f->model, i)->name));
}

/* A cascade makes two calls at most, a panel three; a sequential plan stops where it must. */
Test(plan_filter, calls_may_be_limited)
{
    struct plan_set_fixture f = plan_set_make();
    plan_set_train(&f, PLANS ";sequential(a,b,c)");
    static const struct {
        uint32_t max_calls;
        bool cascade, panel, sequential;
    } cases[] = {
        {0, true, true, true}, {1, false, false, false}, {2, true, false, true},
        {3, true, true, true}, {8, true, true, true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        expect_calls(&f, cases[i].max_calls, PLAN_CASCADE, cases[i].cascade);
        expect_calls(&f, cases[i].max_calls, PLAN_PANEL, cases[i].panel);
        expect_calls(&f, cases[i].max_calls, PLAN_SEQUENTIAL, cases[i].sequential);
    }
    plan_set_done(&f);
}
