/* A policy made ready: which plans, what floor, what budget. */
#include "route/live_policy.h"

#include <criterion/criterion.h>
#include <string.h>

#include "serve/serve_test.h"

static struct model *model;
static bool use[MODEL_ARMS_MAX];

static void begin(struct model *m)
{
    model = m;
    for (size_t i = 0; i < model_expert_count(m); i++)
        use[i] = true;
}

static struct live_policy live(struct policy from, const char *plans)
{
    struct live_policy p = {0};
    const struct model_sample sample = model_sample(model);
    struct error err = {0};
    cr_assert_eq(live_policy_init(&p, model, &sample, &from, str_from(plans), use, &err), OK, "%s",
                 err.text);
    return p;
}

Test(live_policy, plans_are_those_of_the_patterns_and_the_experts)
{
    begin(serve_test_plan_model(false));
    size_t first = model_expert_count(model), count = model_arm_count(model);
    cr_assert_gt(count, first);
    struct live_policy p = live((struct policy){.lambda = 3}, "none");
    for (size_t i = first; i < count; i++)
        cr_expect_not(use[i]);
    cr_expect(p.policy.lambda == 3 && !p.budget);
    live_policy_done(&p);
    p = live((struct policy){0}, "");
    for (size_t i = first; i < count; i++)
        cr_expect(use[i]);
    live_policy_done(&p);
    model_free(model);
}

Test(live_policy, a_promised_mean_becomes_a_floor)
{
    begin(serve_test_model());
    struct live_policy p = live((struct policy){.min_quality = 0.9}, "");
    cr_expect(p.policy.min_quality >= 0.9 && p.policy.min_quality <= 1);
    live_policy_done(&p);
    model_free(model);
}

Test(live_policy, an_unknown_plan_leaves_it_untouched)
{
    begin(serve_test_model());
    const struct policy from = {.budget_usd_per_1k = 1};
    struct live_policy p = {.policy = {.lambda = 7}};
    const struct model_sample sample = model_sample(model);
    struct error err = {0};
    cr_expect_eq(live_policy_init(&p, model, &sample, &from, STR("panel(x,y->z)"), use, &err),
                 ERR_NOT_FOUND);
    cr_expect(p.policy.lambda == 7 && !p.budget && strstr(err.text, "panel(x,y->z)"));
    model_free(model);
}

/* What a request brings in place of the budget decides without it; the budget still hears of the cost. */
Test(live_policy, the_budget_decides_where_it_is_in_force)
{
    begin(serve_test_model());
    struct live_policy p = live((struct policy){.budget_usd_per_1k = 0.1}, "");
    const struct policy own = {.lambda = 1e9};
    struct estimate estimates[MODEL_ARMS_MAX] = {{.quality = 0.5f, .cost_nano_usd = 1000},
                                                 {.quality = 0.6f, .cost_nano_usd = 2000},
                                                 {.quality = 0.9f, .cost_nano_usd = 900000}};
    struct decision d;
    double usual = 0;
    cr_assert_eq(live_policy_decide(&p, &p.policy, estimates, use, 3, &d, &usual, NULL), OK);
    cr_expect_gt(usual, 0);
    cr_expect_gt(d.lambda, 0);
    cr_assert_eq(live_policy_decide(&p, &own, estimates, use, 3, &d, &usual, NULL), OK);
    cr_expect(usual == -1 && d.lambda == 1e9 && d.arm == 0);
    live_policy_observe(&p, 0.5, usual);
    cr_expect_eq(budget_cell_state(p.budget).queries, 1);
    live_policy_done(&p);
    live_policy_done(&p);
    struct live_policy none = live((struct policy){0}, "");
    live_policy_observe(&none, 1, 1);
    live_policy_done(&none);
    model_free(model);
}
