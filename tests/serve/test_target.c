/* What requests say of their routing: read, checked, applied. */
#include "serve/target.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "serve_test.h"

static struct model *model;
static struct config *config;
static struct pool *pool;
static struct arena *arena;

static void setup(void)
{
    struct error err = {0};
    model = serve_test_model();
    config = serve_test_config(model, SERVE_TEST_EXPERTS
                               "policies: {default: {lambda: 3}, other: {lambda: 0}, capped: "
                               "{lambda: 0, max_cost: 0.5}}\n");
    arena = arena_create(1 << 20);
    const struct pool_settings settings = config_pool_settings(config);
    cr_assert_eq(pool_create(&settings, model, &pool, &err), OK, "%s", err.text);
}

static void teardown(void)
{
    pool_free(pool);
    arena_free(arena);
    config_free(config);
    model_free(model);
}

TestSuite(target, .init = setup, .fini = teardown);

struct outcome {
    enum status status;
    struct pool_target target;
    const char *param, *code;
    struct error err;
};

/* `leeroo`: its value, NULL for none; headers as name, value, ..., NULL. */
static struct outcome ask(const char *name, const char *leeroo, const char *const *headers)
{
    struct openai_request request;
    struct http_header list[8];
    struct outcome o = {0};
    size_t count = 0;
    for (; headers && headers[2 * count]; count++)
        list[count] =
            (struct http_header){str_from(headers[2 * count]), str_from(headers[2 * count + 1])};
    struct http_exchange x = {.headers = list, .header_count = count, .arena = arena};
    const char *body = arena_printf(
        arena, "{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]%s%s}", name,
        leeroo ? ",\"leeroo\":" : "", leeroo ? leeroo : "");
    cr_assert_eq(openai_request_parse(str_from(body), true, arena, &request, NULL, &o.err), OK,
                 "%s", o.err.text);
    o.status = target_read(pool, NULL, &x, &request, &o.target, &o.param, &o.code, &o.err);
    return o;
}

static struct pool_target good(const char *name, const char *leeroo, const char *const *headers)
{
    struct outcome o = ask(name, leeroo, headers);
    cr_assert_eq(o.status, OK, "%s: %s", leeroo ? leeroo : headers[0], o.err.text);
    return o.target;
}

Test(target, nothing_said_is_nothing_changed)
{
    struct pool_target t = good("leeroo", NULL, NULL);
    cr_expect(t.policy == 0 && t.expert == SIZE_MAX && !t.has_lambda && t.min_quality == 0);
    cr_expect(t.max_cost_nano_usd == 0 && !t.barred && t.plans.len == 0 && !t.plans_param);
    t = good("leeroo", "{}", NULL);
    cr_expect(!t.has_lambda && !t.barred);
}

Test(target, everything_in_the_body)
{
    struct pool_target t = good("leeroo/other",
                                "{\"experts\":[\"mid\",\"d\\u0065ar\"],\"lambda\":1e2,\"max_cost\":"
                                "0.01,\"plans\":[\"none\",\"panel\"],\"policy\":\"capped\"}",
                                NULL);
    cr_expect_eq(t.policy, 2, "the request's policy stands");
    cr_expect(t.has_lambda && t.lambda == 100);
    cr_expect_eq(t.max_cost_nano_usd, 10000000);
    cr_expect(str_equal(t.plans, STR("none;panel")));
    cr_expect_str_eq(t.plans_param, "leeroo.plans");
    cr_assert(t.barred);
    cr_expect_str_eq(t.barred[0].why, "not in this request");
    cr_expect(!t.barred[1].why && !t.barred[2].why);
    t = good("leeroo", "{\"min_quality\":0.75,\"max_cost\":\"2e-9\",\"plan\":\"none\"}", NULL);
    cr_expect(t.min_quality == 0.75 && t.max_cost_nano_usd == 2);
    cr_expect(str_equal(t.plans, STR("none")));
    t = good("leeroo", "{\"experts\":\"cheap, mid\",\"lambda\":0}", NULL);
    cr_expect(!t.barred[0].why && !t.barred[1].why && t.barred[2].why);
    cr_expect(t.has_lambda && t.lambda == 0, "zero given is given");
}

Test(target, headers_say_the_same)
{
    const char *const headers[] = {"X-Leeroo-Experts",
                                   " dear ",
                                   "x-leeroo-min-quality",
                                   "0.5",
                                   "x-leeroo-max-cost",
                                   "0.25",
                                   "x-leeroo-policy",
                                   "other",
                                   "x-leeroo-plans",
                                   "all",
                                   NULL};
    struct pool_target t = good("leeroo", NULL, headers);
    cr_expect(t.policy == 1 && t.min_quality == 0.5 && t.max_cost_nano_usd == 250000000);
    cr_expect(t.barred[0].why && t.barred[1].why && !t.barred[2].why);
    cr_expect(str_equal(t.plans, STR("all")));
}

Test(target, a_time_is_a_text_or_milliseconds)
{
    const char *const headers[] = {"x-leeroo-max-latency", "2s", NULL};
    cr_expect_eq(good("leeroo", "{}", NULL).max_latency_ms, 0);
    cr_expect_eq(good("leeroo", "{\"max_latency\":1500}", NULL).max_latency_ms, 1500);
    cr_expect_eq(good("leeroo", "{\"max_latency\":\"800ms\"}", headers).max_latency_ms, 800);
    cr_expect_eq(good("leeroo", NULL, headers).max_latency_ms, 2000);
}

Test(target, the_body_wins_over_a_header)
{
    const char *const headers[] = {"x-leeroo-lambda",
                                   "7",
                                   "x-leeroo-max-cost",
                                   "1",
                                   "x-leeroo-experts",
                                   "cheap",
                                   "x-leeroo-plan",
                                   "panel",
                                   NULL};
    struct pool_target t =
        good("leeroo", "{\"min_quality\":0.9,\"experts\":[\"mid\"],\"plans\":\"none\"}", headers);
    cr_expect(!t.has_lambda && t.min_quality == 0.9, "one target: the body's");
    cr_expect(t.barred[0].why && !t.barred[1].why);
    cr_expect(str_equal(t.plans, STR("none")));
    cr_expect_eq(t.max_cost_nano_usd, NANO_PER_USD, "what only the header says counts");
}

Test(target, mistakes_name_the_field)
{
    static const struct {
        const char *name, *leeroo, *param, *text;
    } rows[] = {
        {"leeroo", "null", "leeroo", "must be an object"},
        {"leeroo", "[]", "leeroo", "must be an object"},
        {"leeroo", "{\"lamda\":1}", "leeroo", "no member 'lamda'; did you mean 'lambda'?"},
        {"leeroo", "{\"budget\":1}", "leeroo", "there are experts, lambda"},
        {"leeroo", "{\"lambda\":1,\"lambda\":1}", "leeroo.lambda", "given twice"},
        {"leeroo", "{\"lambda\":-1}", "leeroo.lambda", "not negative"},
        {"leeroo", "{\"lambda\":1e16}", "leeroo.lambda", "must be a number"},
        {"leeroo", "{\"lambda\":\"1\"}", "leeroo.lambda", "must be a number"},
        {"leeroo", "{\"lambda\":null}", "leeroo.lambda", "must be a number"},
        {"leeroo", "{\"min_quality\":0}", "leeroo.min_quality", "above 0"},
        {"leeroo", "{\"min_quality\":1.01}", "leeroo.min_quality", "at most 1"},
        {"leeroo", "{\"lambda\":1,\"min_quality\":0.5}", "leeroo.min_quality",
         "leeroo.lambda and leeroo.min_quality exclude each other"},
        {"leeroo", "{\"max_cost\":0}", "leeroo.max_cost", "above 0"},
        {"leeroo", "{\"max_cost\":-1}", "leeroo.max_cost", "above 0"},
        {"leeroo", "{\"max_cost\":\"cheap\"}", "leeroo.max_cost", "USD"},
        {"leeroo", "{\"max_cost\":[1]}", "leeroo.max_cost", "USD"},
        {"leeroo", "{\"max_latency\":0}", "leeroo.max_latency", "duration above 0"},
        {"leeroo", "{\"max_latency\":\"2 days\"}", "leeroo.max_latency", "like 1.5s"},
        {"leeroo", "{\"max_latency\":\"25h\"}", "leeroo.max_latency", "like 1.5s"},
        {"cheap", "{\"max_latency\":1}", "leeroo.max_latency", "model names the expert"},
        {"leeroo", "{\"experts\":[]}", "leeroo.experts", "list of experts"},
        {"leeroo", "{\"experts\":\" ,\"}", "leeroo.experts", "list of experts"},
        {"leeroo", "{\"experts\":[1]}", "leeroo.experts", "list of experts"},
        {"leeroo", "{\"experts\":{}}", "leeroo.experts", "list of experts"},
        {"leeroo", "{\"experts\":[\"gpt\"]}", "leeroo.experts",
         "no expert 'gpt'; there are cheap, mid, dear"},
        {"leeroo", "{\"plans\":1}", "leeroo.plans", "must be a text"},
        {"leeroo", "{\"plans\":[]}", "leeroo.plans", "must be a text"},
        {"leeroo", "{\"plans\":[1]}", "leeroo.plans", "must be a text"},
        {"leeroo", "{\"plan\":\"all\",\"plans\":\"all\"}", "leeroo.plan", "exclude each other"},
        {"leeroo", "{\"policy\":\"none\"}", "leeroo.policy", "no policy 'none'"},
        {"leeroo", "{\"policy\":3}", "leeroo.policy", "name of a policy"},
        {"cheap", "{\"lambda\":3}", "leeroo.lambda", "model names the expert"},
        {"cheap", "{\"min_quality\":1}", "leeroo.min_quality", "model names the expert"},
        {"cheap", "{\"policy\":\"other\"}", "leeroo.policy", "model names the expert"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct outcome o = ask(rows[i].name, rows[i].leeroo, NULL);
        cr_expect_eq(o.status, ERR_INPUT, "%s", rows[i].leeroo);
        cr_assert(o.param, "%s", rows[i].leeroo);
        cr_expect_str_eq(o.param, rows[i].param, "%s", rows[i].leeroo);
        cr_expect(strstr(o.err.text, rows[i].text), "%s: %s", rows[i].leeroo, o.err.text);
    }
}

Test(target, mistakes_in_headers_name_the_header)
{
    static const char *const rows[][3] = {
        {"x-leeroo-lambda", "much", "must be a number"},
        {"x-leeroo-lambda", "nan", "must be a number"},
        {"x-leeroo-min-quality", "", "above 0"},
        {"x-leeroo-max-cost", "1 USD", "above 0"},
        {"x-leeroo-experts", "cheap; mid", "no expert 'cheap; mid'"},
        {"x-leeroo-policy", "", "no policy ''"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *const headers[] = {rows[i][0], rows[i][1], NULL};
        struct outcome o = ask("leeroo", NULL, headers);
        cr_expect_eq(o.status, ERR_INPUT, "%s", rows[i][0]);
        cr_assert(o.param);
        cr_expect_str_eq(o.param, rows[i][0]);
        cr_expect(strstr(o.err.text, rows[i][2]), "%s", o.err.text);
    }
}

Test(target, an_unknown_model_has_its_code)
{
    struct outcome o = ask("gpt", NULL, NULL);
    cr_expect_eq(o.status, ERR_NOT_FOUND);
    cr_expect_str_eq(o.param, "model");
    cr_expect_str_eq(o.code, "model_not_found");
}

/* By name: only what narrows. */
Test(target, an_expert_by_name_may_have_a_cap_and_must_be_among_the_experts)
{
    struct pool_target t = good("mid", "{\"max_cost\":0.001,\"experts\":[\"cheap\"]}", NULL);
    cr_expect_eq(t.expert, 1);
    cr_expect(t.max_cost_nano_usd == 1000000 && t.barred[1].why);
    cr_expect_eq(t.barred[1].status, ERR_INPUT);
}
