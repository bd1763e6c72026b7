/* What a caller is told of its limits, and what its key bars. */
#include "keys/caller.h"

#include "keys/key_scene.h"
#include "serve/serve_test.h"

static struct keys *keys;
static struct caller caller;

/* One key; `limit` sets what it may. */
static void begin(void (*limit)(struct key_limits *))
{
    char secret[KEY_SECRET_BYTES];
    limit(&key_scene_add("key_a", secret)->limits);
    key_scene_save();
    keys = key_scene_open();
    caller = (struct caller){.key = key_scene_find(keys, secret)};
    cr_assert_not_null(caller.key);
}

static void end(void)
{
    client_key_release(caller.key);
    keys_close(keys);
}

TestSuite(caller, .init = key_scene_begin, .fini = key_scene_end);

static const char *header(const struct http_header *headers, size_t count, const char *name)
{
    static char value[64];
    for (size_t i = 0; i < count; i++)
        if (str_equal(headers[i].name, str_from(name))) {
            snprintf(value, sizeof(value), "%.*s", STR_FMT(headers[i].value));
            return value;
        }
    return "none";
}

Test(caller, without_a_key_everything_goes)
{
    struct http_header headers[CALLER_HEADERS_MAX];
    struct cost cost = {.nano_usd = 5};
    struct caller nobody = {0};
    cr_expect_eq(
        caller_may_spend(&nobody, (struct key_reserved){.nano_usd = INT64_MAX, .tokens = 1}, NULL),
        OK);
    cr_expect_eq(caller_may_spend(NULL, (struct key_reserved){.nano_usd = 1, .tokens = 1}, NULL),
                 OK);
    caller_settle(NULL, &cost);
    caller_settle(&nobody, &cost);
    cr_expect_eq(caller_headers(&nobody, true, key_scene.arena, headers), 0);
    cr_expect(caller_may_use(&nobody, NULL, 0, SIZE_MAX));
}

static void ten_a_day(struct key_limits *l)
{
    l->budget_nano_usd[KEY_DAY] = INT64_C(10500000000);
}

Test(caller, a_budget_says_which_and_until_when)
{
    struct http_header headers[CALLER_HEADERS_MAX];
    struct error err;
    begin(ten_a_day);
    cr_expect_eq(caller_may_spend(&caller,
                                  (struct key_reserved){.nano_usd = 10 * NANO_PER_USD, .tokens = 7},
                                  &err),
                 OK);
    cr_expect_eq(caller_may_spend(&caller,
                                  (struct key_reserved){.nano_usd = 11 * NANO_PER_USD, .tokens = 7},
                                  &err),
                 ERR_QUOTA);
    cr_expect(strstr(err.text, "10.50 USD for the day") && strstr(err.text, "T00:00:00Z"), "%s",
              err.text);
    cr_expect(caller.refused);
    size_t n = caller_headers(&caller, true, key_scene.arena, headers);
    cr_expect_str_eq(header(headers, n, "x-should-retry"), "false");
    cr_expect_leq(atoi(header(headers, n, "retry-after")), 86400);
    cr_expect_eq(caller_headers(&caller, false, key_scene.arena, headers), 0);
    const struct cost cost = {.nano_usd = 3, .tokens = {.input = 1, .output = 2}};
    caller_settle(&caller, &cost);
    cr_expect_eq(caller.reserved.nano_usd, 0);
    end();
}

static void nothing_ever(struct key_limits *l)
{
    l->budget_nano_usd[KEY_TOTAL] = 0;
}

Test(caller, a_total_never_begins_anew)
{
    struct http_header headers[CALLER_HEADERS_MAX];
    struct error err;
    begin(nothing_ever);
    cr_expect_eq(caller_may_spend(&caller, (struct key_reserved){.nano_usd = 1, .tokens = 1}, &err),
                 ERR_QUOTA);
    cr_expect(strstr(err.text, "0.00 USD in total") && strstr(err.text, "never"), "%s", err.text);
    size_t n = caller_headers(&caller, true, key_scene.arena, headers);
    cr_expect_str_eq(header(headers, n, "retry-after"), "none");
    end();
}

static void slow(struct key_limits *l)
{
    l->requests_per_minute = 1;
    l->tokens_per_minute = 60;
}

Test(caller, rates_are_told_as_openai_does)
{
    struct http_header headers[CALLER_HEADERS_MAX];
    struct error err;
    int seconds = 0, minutes = 0;
    begin(slow);
    cr_expect(client_key_admit(caller.key, &caller.refusal));
    cr_expect_eq(
        caller_may_spend(&caller, (struct key_reserved){.nano_usd = 0, .tokens = 600}, &err), OK);
    size_t n = caller_headers(&caller, false, key_scene.arena, headers);
    cr_expect_eq(n, 6);
    cr_expect_str_eq(header(headers, n, "x-ratelimit-limit-requests"), "1");
    cr_expect_str_eq(header(headers, n, "x-ratelimit-remaining-requests"), "0");
    cr_expect_str_eq(header(headers, n, "x-ratelimit-remaining-tokens"), "0");
    const char *reset = header(headers, n, "x-ratelimit-reset-requests");
    cr_expect(!strcmp(reset, "1m0s") || (sscanf(reset, "%d", &seconds) == 1 && seconds >= 50), "%s",
              reset);
    reset = header(headers, n, "x-ratelimit-reset-tokens");
    cr_expect_eq(sscanf(reset, "%dm%ds", &minutes, &seconds), 2, "%s", reset);
    cr_expect(minutes == 9 || (minutes == 10 && seconds == 0));
    cr_expect_not(client_key_admit(caller.key, &caller.refusal));
    cr_expect_eq(caller_refuse(&caller, &err), ERR_RATE);
    cr_expect(strstr(err.text, "per minute"), "%s", err.text);
    n = caller_headers(&caller, true, key_scene.arena, headers);
    cr_expect_gt(atoi(header(headers, n, "retry-after")), 0);
    cr_expect_str_eq(header(headers, n, "x-should-retry"), "none");
    end();
}

static void only_mid(struct key_limits *l)
{
    static const struct str list[] = {{"mid", 3}};
    l->experts = (struct key_names){list, 1};
}

static void only_thrift(struct key_limits *l)
{
    static const struct str list[] = {{"thrift", 6}};
    l->policies = (struct key_names){list, 1};
}

static struct pool *pool;
static struct model *model;
static struct config *config;

static void make_pool(void)
{
    struct error err = {0};
    model = serve_test_model();
    config = serve_test_config(model, SERVE_TEST_EXPERTS
                               "policies: {default: {lambda: 0}, thrift: {lambda: 1e9}}\n");
    const struct pool_settings settings = config_pool_settings(config);
    cr_assert_eq(pool_create(&settings, model, &pool, &err), OK, "%s", err.text);
}

static void free_pool(void)
{
    pool_free(pool);
    config_free(config);
    model_free(model);
}

static enum status restrict_to(const char *name, struct pool_target *target)
{
    struct error err = {0};
    cr_assert_eq(pool_target_find(pool, str_from(name), target, &err), OK, "%s", err.text);
    return caller_restrict(&caller, pool, target, key_scene.arena, &err);
}

Test(caller, experts_that_are_not_listed_are_barred)
{
    struct pool_target target;
    make_pool();
    begin(only_mid);
    cr_expect_eq(restrict_to("leeroo", &target), OK);
    cr_assert_not_null(target.barred);
    cr_expect(target.barred[0].why && !target.barred[1].why && target.barred[2].why);
    cr_expect_eq(target.barred[0].status, ERR_FORBIDDEN);
    cr_expect_eq(restrict_to("mid", &target), OK);
    cr_expect_eq(restrict_to("dear", &target), ERR_FORBIDDEN);
    cr_expect(caller_may_use(&caller, pool, 0, SIZE_MAX));
    cr_expect_not(caller_may_use(&caller, pool, SIZE_MAX, 0));
    cr_expect(caller_may_name(&caller, STR("mid")));
    end();
    free_pool();
}

Test(caller, a_key_of_policies_names_no_experts)
{
    struct pool_target target;
    make_pool();
    begin(only_thrift);
    cr_expect_eq(restrict_to("leeroo/thrift", &target), OK);
    cr_expect_null(target.barred);
    cr_expect_eq(restrict_to("leeroo", &target), ERR_FORBIDDEN);
    cr_expect_eq(restrict_to("cheap", &target), ERR_FORBIDDEN);
    cr_expect_not(caller_may_name(&caller, STR("cheap")));
    end();
    free_pool();
}

/* What lists of policies say holds against everything that a request may say of its own. */
Test(caller, a_key_of_policies_has_them_as_they_are)
{
    const struct pool_bar bar = {"not in this request", ERR_INPUT};
    struct pool_target target;
    struct error err = {0};
    make_pool();
    begin(only_thrift);
    cr_assert_eq(restrict_to("leeroo/thrift", &target), OK);
    target.max_cost_nano_usd = 1;
    target.plans = STR("none");
    cr_expect_eq(caller_restrict(&caller, pool, &target, key_scene.arena, &err), OK, "it narrows");
    struct pool_target lambda = target, floor = target, named = target, hurried = target;
    lambda.has_lambda = true;
    hurried.max_latency_ms = 100;
    cr_expect_eq(caller_restrict(&caller, pool, &hurried, key_scene.arena, &err), ERR_FORBIDDEN);
    cr_expect(strstr(err.text, "may not set max_latency"), "%s", err.text);
    floor.min_quality = 0.1;
    named.names_experts = true;
    cr_expect_eq(caller_restrict(&caller, pool, &lambda, key_scene.arena, &err), ERR_FORBIDDEN);
    cr_expect(strstr(err.text, "may not set lambda"), "%s", err.text);
    cr_expect_eq(caller_restrict(&caller, pool, &floor, key_scene.arena, &err), ERR_FORBIDDEN);
    cr_expect(strstr(err.text, "may not set min_quality"), "%s", err.text);
    cr_assert_eq(pool_bar_expert(pool, &named, 0, bar, key_scene.arena, &err), OK);
    cr_expect_eq(caller_restrict(&caller, pool, &named, key_scene.arena, &err), ERR_FORBIDDEN);
    cr_expect(strstr(err.text, "'mid'"), "%s", err.text);
    end();
    free_pool();
}

static void thrift_and_mid(struct key_limits *l)
{
    only_mid(l);
    only_thrift(l);
}

Test(caller, a_key_of_policies_and_experts_names_those)
{
    const struct pool_bar bar = {"not in this request", ERR_INPUT};
    struct pool_target target;
    struct error err = {0};
    make_pool();
    begin(thrift_and_mid);
    cr_assert_eq(pool_target_find(pool, STR("leeroo/thrift"), &target, &err), OK);
    target.names_experts = true;
    cr_assert_eq(pool_bar_expert(pool, &target, 0, bar, key_scene.arena, &err), OK);
    cr_expect_eq(caller_restrict(&caller, pool, &target, key_scene.arena, &err), ERR_FORBIDDEN);
    cr_assert_eq(pool_bar_expert(pool, &target, 2, bar, key_scene.arena, &err), OK);
    cr_expect_eq(caller_restrict(&caller, pool, &target, key_scene.arena, &err), OK);
    cr_expect(caller_may_see(&caller, pool, pool_arm_at(pool, 1)) &&
              !caller_may_see(&caller, pool, pool_arm_at(pool, 0)));
    cr_expect(caller_may_hear_of(&caller, STR("mid")) && !caller_may_hear_of(&caller, STR("dear")));
    cr_expect(caller_may_see(NULL, pool, pool_arm_at(pool, 0)) &&
              caller_may_hear_of(NULL, STR("dear")));
    end();
    free_pool();
}
