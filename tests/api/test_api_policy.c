/* Policies: what may be said, and budgets that go on. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "api_test.h"

#define OPTIONS(...)                                                                               \
    (&(struct leeroo_policy_options){.size = sizeof(struct leeroo_policy_options), __VA_ARGS__})

static int refused(const struct leeroo_policy_options *options)
{
    struct leeroo_router *r = api_test_router();
    struct leeroo_policy *p = NULL;
    struct leeroo_error err = {0};
    int code = leeroo_policy_create(r, options, &p, &err);
    cr_expect_null(p);
    cr_expect_neq(err.text[0], '\0');
    leeroo_router_free(r);
    return code;
}

Test(api_policy, numbers_out_of_bounds_and_pairs_that_exclude_each_other_are_refused)
{
    cr_expect_eq(refused(OPTIONS(.lambda = -1)), LEEROO_ERR_INPUT);
    cr_expect_eq(refused(OPTIONS(.lambda = NAN)), LEEROO_ERR_INPUT);
    cr_expect_eq(refused(OPTIONS(.budget_usd_per_1k = INFINITY)), LEEROO_ERR_INPUT);
    cr_expect_eq(refused(OPTIONS(.min_quality = 1.1)), LEEROO_ERR_INPUT);
    cr_expect_eq(refused(OPTIONS(.min_quality = NAN)), LEEROO_ERR_INPUT);
    cr_expect_eq(refused(OPTIONS(.max_cost_nano_usd = -1)), LEEROO_ERR_INPUT);
    cr_expect_eq(refused(OPTIONS(.lambda = 1, .min_quality = 0.5)), LEEROO_ERR_INPUT);
    cr_expect_eq(refused(&(struct leeroo_policy_options){0}), LEEROO_ERR_INPUT, "no size");
}

Test(api_policy, unknown_plans_and_experts_are_refused)
{
    const char *const nobody[] = {"nobody"}, *const null[] = {NULL};
    cr_expect_eq(refused(OPTIONS(.plans = "panel(a,b->c)")), LEEROO_ERR_NOT_FOUND);
    cr_expect_eq(refused(OPTIONS(.experts = nobody, .expert_count = 1)), LEEROO_ERR_NOT_FOUND);
    cr_expect_eq(refused(OPTIONS(.experts = null, .expert_count = 1)), LEEROO_ERR_NOT_FOUND);
}

Test(api_policy, lambda_is_what_was_asked_for)
{
    struct leeroo_policy *p = api_test_policy(OPTIONS(.lambda = 12.5));
    struct leeroo_policy *best = api_test_policy(NULL);
    char *state = NULL;
    cr_expect_eq(leeroo_policy_lambda(p), 12.5);
    cr_expect_eq(leeroo_policy_lambda(best), 0);
    cr_expect_eq(leeroo_policy_lambda(NULL), 0);
    cr_expect_eq(leeroo_policy_state(p, &state, NULL), LEEROO_ERR_INPUT, "no budget");
    cr_expect_eq(leeroo_policy_resume(p, "{}", NULL), LEEROO_ERR_INPUT);
    cr_expect_null(state);
    leeroo_policy_free(best);
    leeroo_policy_free(p);
    leeroo_policy_free(NULL);
}

static void spend(struct leeroo_policy *p, int texts, int64_t nano_usd)
{
    struct leeroo_query q = api_test_query("prove lemma tensor");
    for (int i = 0; i < texts; i++) {
        struct leeroo_decision *d = NULL;
        cr_assert_eq(leeroo_route(p, &q, &d, NULL), LEEROO_OK);
        cr_assert_eq(leeroo_observe(p, d, nano_usd, NULL), LEEROO_OK);
        leeroo_decision_free(d);
    }
}

Test(api_policy, a_budget_that_is_overspent_raises_lambda_and_goes_on_elsewhere)
{
    struct leeroo_policy *p = api_test_policy(OPTIONS(.budget_usd_per_1k = 0.01));
    struct leeroo_policy *next = api_test_policy(OPTIONS(.budget_usd_per_1k = 0.01));
    struct leeroo_policy *other = api_test_policy(OPTIONS(.budget_usd_per_1k = 0.02));
    char *state = NULL;
    double before = leeroo_policy_lambda(p);
    spend(p, 200, 1000000);
    cr_expect_gt(leeroo_policy_lambda(p), before);
    cr_assert_eq(leeroo_policy_state(p, &state, NULL), LEEROO_OK);
    cr_assert_eq(leeroo_policy_resume(next, state, NULL), LEEROO_OK);
    cr_expect_eq(leeroo_policy_lambda(next), leeroo_policy_lambda(p));
    cr_expect_eq(leeroo_policy_resume(other, state, NULL), LEEROO_ERR_NOT_FOUND);
    cr_expect_neq(leeroo_policy_resume(next, "nonsense", NULL), LEEROO_OK);
    leeroo_string_free(state);
    leeroo_policy_free(other);
    leeroo_policy_free(next);
    leeroo_policy_free(p);
}

Test(api_policy, a_cost_that_is_unknown_counts_as_predicted)
{
    struct leeroo_policy *p = api_test_policy(OPTIONS(.budget_usd_per_1k = 0.01));
    struct leeroo_policy *q = api_test_policy(OPTIONS(.budget_usd_per_1k = 0.01));
    struct leeroo_query text = api_test_query("hello cat");
    struct leeroo_decision *d = NULL, *e = NULL;
    cr_assert_eq(leeroo_route(p, &text, &d, NULL), LEEROO_OK);
    cr_assert_eq(leeroo_route(q, &text, &e, NULL), LEEROO_OK);
    cr_expect_eq(leeroo_observe(p, e, 1, NULL), LEEROO_ERR_INPUT, "of another policy");
    cr_assert_eq(leeroo_observe(p, d, -1, NULL), LEEROO_OK);
    cr_assert_eq(leeroo_observe(q, e, leeroo_decision_cost_nano_usd(e), NULL), LEEROO_OK);
    cr_expect_eq(leeroo_policy_lambda(p), leeroo_policy_lambda(q));
    leeroo_decision_free(d);
    leeroo_decision_free(e);
    leeroo_policy_free(p);
    leeroo_policy_free(q);
}
