/* Policies over texts: who may be chosen, and budgets that go on. */
#include "route/text_router.h"

#include <criterion/criterion.h>
#include <math.h>

#include "serve/serve_test.h"

static struct model *model;
static struct text_router *router;
static struct features features;
static struct estimate estimates[MODEL_ARMS_MAX];

static void begin(const char *text)
{
    model = serve_test_plan_model(false);
    cr_assert_eq(features_init(&features, NULL), OK);
    cr_assert_eq(text_router_create(model, true, &router, NULL), OK);
    cr_assert_eq(text_router_estimate(router, str_from(text), &features, estimates, NULL), OK);
}

static void end(void)
{
    text_router_free(router);
    features_done(&features);
    model_free(model);
}

static struct text_policy *policy_of(struct policy policy, const char *plans, const bool *use)
{
    struct text_policy *p = NULL;
    struct error err = {0};
    const struct text_policy_settings s = {policy, str_from(plans), use};
    cr_assert_eq(text_policy_create(router, &s, &p, &err), OK, "%s", err.text);
    return p;
}

Test(text_policy, only_arms_in_use_are_chosen_and_fall_back)
{
    begin("prove lemma tensor");
    const bool use[] = {true, true, false};
    struct text_policy *p = policy_of((struct policy){.lambda = 0}, "none", use);
    struct text_decision d;
    size_t order[MODEL_EXPERTS_MAX];
    cr_assert_eq(text_policy_decide(p, estimates, &d, NULL), OK);
    size_t best = estimates[1].quality > estimates[0].quality;
    cr_expect_eq(d.decision.arm, best, "the best of the two");
    cr_expect_gt(estimates[2].quality, estimates[best].quality, "who is not in use is better");
    cr_expect_eq(text_policy_fallbacks(p, estimates, &d.decision, order), 1);
    cr_expect_eq(order[0], 1 - best);
    cr_expect_lt(d.usual_usd, 0, "without a budget");
    for (size_t i = 2; i < model_arm_count(model); i++)
        cr_expect(!text_policy_uses(p, i));
    text_policy_free(p);
    text_policy_free(NULL);
    end();
}

Test(text_policy, nobody_in_use_and_nobody_affordable_are_told_apart)
{
    begin("hello cat");
    const bool none[] = {false, false, false};
    struct text_policy *nobody = policy_of((struct policy){0}, "", none);
    struct text_policy *poor = policy_of((struct policy){.max_cost_nano_usd = 1}, "", NULL);
    struct text_decision d = {.usual_usd = 7};
    cr_expect_eq(text_policy_decide(nobody, estimates, &d, NULL), ERR_NOT_FOUND);
    cr_expect_eq(text_policy_decide(poor, estimates, &d, NULL), ERR_BUDGET);
    cr_expect_eq(d.usual_usd, 7, "untouched");
    text_policy_free(poor);
    text_policy_free(nobody);
    end();
}

Test(text_policy, an_unknown_plan_is_refused)
{
    begin("hello cat");
    struct text_policy *p = NULL;
    struct error err = {0};
    const struct text_policy_settings s = {.plans = STR("panel(cheap,nobody->dear)")};
    cr_expect_eq(text_policy_create(router, &s, &p, &err), ERR_NOT_FOUND);
    cr_expect_null(p);
    end();
}

Test(text_policy, a_budget_raises_lambda_when_too_much_is_spent_and_goes_on)
{
    begin("prove lemma tensor");
    struct text_policy *p = policy_of((struct policy){.budget_usd_per_1k = 0.01}, "none", NULL);
    struct text_policy *next = policy_of((struct policy){.budget_usd_per_1k = 0.01}, "none", NULL);
    struct text_decision d;
    double before = text_policy_lambda(p);
    for (int i = 0; i < 200; i++) {
        cr_assert_eq(text_policy_decide(p, estimates, &d, NULL), OK);
        text_policy_observe(p, &d, 0.001);
    }
    cr_expect_gt(text_policy_lambda(p), before);
    struct budget_state state = text_policy_budget(p);
    cr_expect_eq(state.queries, 200);
    cr_assert_eq(text_policy_resume(next, &state, NULL), OK);
    cr_expect_eq(text_policy_lambda(next), text_policy_lambda(p));
    state.spent_usd = -1;
    cr_expect_eq(text_policy_resume(next, &state, NULL), ERR_CORRUPT);
    text_policy_free(next);
    text_policy_free(p);
    end();
}

Test(text_policy, a_quality_is_a_promise_on_average)
{
    begin("hello cat");
    struct text_policy *p = policy_of((struct policy){.min_quality = 0.6}, "", NULL);
    cr_expect_geq(text_policy_in_force(p)->min_quality, 0.6);
    cr_expect_eq(text_policy_router(p), router);
    text_policy_free(p);
    end();
}
