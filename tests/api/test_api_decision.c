/* Decisions and their words. */
#include <criterion/criterion.h>
#include <string.h>

#include "api_test.h"
#include "base/json.h"
#include "base/str.h"

static struct leeroo_decision *decide_on(const struct leeroo_policy *p, const char *text)
{
    struct leeroo_query q = api_test_query(text);
    struct leeroo_decision *d = NULL;
    struct leeroo_error err;
    cr_assert_eq(leeroo_route(p, &q, &d, &err), LEEROO_OK, "%s", err.text);
    return d;
}

Test(api_decision, a_decision_outlives_all_that_it_was_made_of)
{
    struct leeroo_policy_options o = LEEROO_POLICY_OPTIONS_INIT;
    o.lambda = 1000;
    o.plans = "none";
    struct leeroo_policy *p = api_test_policy(&o);
    struct leeroo_decision *d = decide_on(p, "hello cat");
    struct leeroo_estimate e = LEEROO_ESTIMATE_INIT;
    size_t fallbacks[8] = {9, 9, 9};
    leeroo_policy_free(p);
    cr_expect_eq(leeroo_decision_arm(d), 0);
    cr_expect_str_eq(leeroo_decision_expert(d), "cheap");
    cr_assert_eq(leeroo_decision_estimate(d, 0, &e, NULL), LEEROO_OK);
    cr_expect_eq(e.quality, leeroo_decision_quality(d));
    cr_expect_eq(e.cost_nano_usd, leeroo_decision_cost_nano_usd(d));
    cr_expect_eq(leeroo_decision_lambda(d), 1000);
    cr_expect(leeroo_decision_considers(d, 2) && !leeroo_decision_considers(d, 3));
    cr_expect_eq(leeroo_decision_fallbacks(d, fallbacks, 1), 2);
    cr_expect(fallbacks[0] != 0 && fallbacks[0] < 3 && fallbacks[1] == 9);
    leeroo_decision_free(d);
}

Test(api_decision, nobody_affordable_and_nobody_at_all_are_errors)
{
    struct leeroo_policy_options o = LEEROO_POLICY_OPTIONS_INIT;
    struct leeroo_query q = api_test_query("hello cat");
    struct leeroo_decision *d = NULL;
    struct leeroo_error err;
    const char *const none[1] = {NULL};
    o.max_cost_nano_usd = 1;
    struct leeroo_policy *poor = api_test_policy(&o);
    cr_expect_eq(leeroo_route(poor, &q, &d, &err), LEEROO_ERR_BUDGET);
    cr_expect_neq(err.text[0], '\0');
    o.max_cost_nano_usd = 0;
    o.experts = none;
    struct leeroo_policy *nobody = api_test_policy(&o);
    cr_expect_eq(leeroo_route(nobody, &q, &d, &err), LEEROO_ERR_NOT_FOUND);
    cr_expect_null(d);
    leeroo_policy_free(nobody);
    leeroo_policy_free(poor);
}

Test(api_decision, estimates_of_another_router_are_refused)
{
    struct leeroo_policy *p = api_test_policy(NULL);
    struct leeroo_router *r = api_test_router();
    struct leeroo_query q = api_test_query("hello cat");
    struct leeroo_estimates *e = NULL;
    struct leeroo_decision *d = NULL;
    cr_assert_eq(leeroo_estimate(r, &q, &e, NULL), LEEROO_OK);
    cr_expect_eq(leeroo_decide(p, e, &d, NULL), LEEROO_ERR_INPUT);
    cr_expect_eq(leeroo_decide(NULL, e, &d, NULL), LEEROO_ERR_INPUT);
    cr_expect_eq(leeroo_route(NULL, &q, &d, NULL), LEEROO_ERR_INPUT);
    cr_expect_null(d);
    leeroo_estimates_free(e);
    leeroo_router_free(r);
    leeroo_policy_free(p);
}

Test(api_decision, no_decision_has_no_figures)
{
    char *text = NULL;
    cr_expect_eq(leeroo_decision_arm(NULL), SIZE_MAX);
    cr_expect_null(leeroo_decision_expert(NULL));
    cr_expect_eq(leeroo_decision_fallbacks(NULL, NULL, 0), 0);
    cr_expect_eq(leeroo_decision_json(NULL, NULL, &text, NULL), LEEROO_ERR_INPUT);
    cr_expect_eq(leeroo_decision_explain(NULL, &text, NULL), LEEROO_ERR_INPUT);
    cr_expect_null(text);
    leeroo_decision_free(NULL);
}

static void expect_members(const char *text, const char *const *names, size_t count)
{
    struct json_value object, key, value;
    size_t i = 0;
    cr_assert_eq(json_parse(str_from(text), "test", 1, &object, NULL), OK, "%s", text);
    struct json_iter it = json_iter_begin(object);
    for (; json_object_next(&it, &key, &value); i++)
        cr_expect(i < count && json_string_equal(key, str_from(names[i])), "%s", text);
    cr_expect_eq(i, count);
}

Test(api_decision, its_words_have_the_members_of_route_and_explanations_those_of_v1_route)
{
    const char *const members[] = {
        "id",      "plan",  "expert",    "quality",   "cost_usd", "lambda",       "estimates",
        "members", "plans", "fallbacks", "ruled_out", "floor",    "max_cost_usd", "model_checksum"};
    const char *const some[] = {"cheap", "dear"};
    struct leeroo_policy_options o = LEEROO_POLICY_OPTIONS_INIT;
    o.experts = some;
    o.expert_count = 2;
    struct leeroo_policy *p = api_test_policy(&o);
    struct leeroo_decision *d = decide_on(p, "350 hello cat two hello sum"); /* as in training */
    char *line = NULL, *bare = NULL, *why = NULL;
    cr_assert_eq(leeroo_decision_json(d, "q1", &line, NULL), LEEROO_OK);
    cr_assert_eq(leeroo_decision_json(d, NULL, &bare, NULL), LEEROO_OK);
    cr_assert_eq(leeroo_decision_explain(d, &why, NULL), LEEROO_OK);
    expect_members(line, members, 7);
    expect_members(bare, members + 1, 6);
    expect_members(why, members + 1, 13);
    cr_expect_not_null(strstr(why, "\"ruled_out\": {\"mid\": \"not in this policy\", \"panel("));
    leeroo_string_free(line);
    leeroo_string_free(bare);
    leeroo_string_free(why);
    leeroo_decision_free(d);
    leeroo_policy_free(p);
}
