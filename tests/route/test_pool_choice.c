/* Candidates, limits and decisions. */
#include "route/pool_choice.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "plan/quality_floor.h"
#include "serve/serve_test.h"

static struct model *model;
static struct config *config;
static struct pool *pool;
static struct arena *arena;

static void begin_with(struct model *m, const char *yaml)
{
    struct error err = {0};
    model = m;
    config = serve_test_config(model, yaml);
    arena = arena_create(1 << 20);
    const struct pool_settings settings = config_pool_settings(config);
    cr_assert_eq(pool_create(&settings, model, &pool, &err), OK, "%s", err.text);
}

static void begin(const char *yaml)
{
    begin_with(serve_test_model(), yaml);
}

static void end(void)
{
    pool_free(pool);
    arena_free(arena);
    config_free(config);
    model_free(model);
}

static enum status choose(const char *name, const char *body, struct pool_choice *ret,
                          struct error *err)
{
    struct openai_request request;
    struct pool_target target;
    cr_assert_eq(openai_request_parse(str_from(body), false, arena, &request, NULL, err), OK, "%s",
                 err->text);
    cr_assert_eq(pool_target_find(pool, str_from(name), &target, err), OK, "%s", err->text);
    return serve_test_choose(pool, &request, target, arena, ret, err);
}

static const char *chosen(const char *name, const char *body)
{
    static const char *const names[] = {"cheap", "mid", "dear"};
    struct pool_choice choice;
    struct error err = {0};
    cr_assert_eq(choose(name, body, &choice, &err), OK, "%s", err.text);
    cr_assert_eq(choice.order[0], choice.decision.arm);
    return names[choice.decision.arm];
}

#define EASY "{\"text\":\"hello cat sum two hello\"}"
#define HARD "{\"text\":\"prove lemma tensor quantum prove\"}"

Test(pool_choice, policies_trade_quality_for_money)
{
    begin(SERVE_TEST_EXPERTS "policies: {default: {lambda: 1000}, thrift: {lambda: 1e9}, some: "
                             "{lambda: 0, experts: [cheap, mid]}}\n");
    cr_expect_str_eq(chosen("leeroo", EASY), "cheap");
    cr_expect_str_eq(chosen("", HARD), "dear");
    cr_expect_str_eq(chosen("leeroo/thrift", HARD), "cheap");
    cr_expect_str_eq(chosen("leeroo/some", HARD), "mid");
    cr_expect_str_eq(chosen("dear", EASY), "dear");
    end();
}

Test(pool_choice, names_that_do_not_exist)
{
    static const char *const names[] = {"gpt",    "leeroo/none", "leeroo/",
                                        "LEEROO", "cheap ",      "default"};
    struct pool_target target;
    begin(SERVE_TEST_EXPERTS);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        cr_expect_eq(pool_target_find(pool, str_from(names[i]), &target, NULL), ERR_NOT_FOUND, "%s",
                     names[i]);
    end();
}

Test(pool_choice, fallbacks_are_the_others_in_order_of_worth)
{
    struct pool_choice choice;
    struct error err = {0};
    begin(SERVE_TEST_EXPERTS "policies: {default: {lambda: 0}}\n");
    cr_assert_eq(choose("leeroo", HARD, &choice, &err), OK);
    cr_assert_eq(choice.order_count, 3);
    cr_expect(choice.order[0] == 2 && choice.order[1] == 1 && choice.order[2] == 0);
    cr_assert_eq(choose("mid", HARD, &choice, &err), OK);
    cr_expect_eq(choice.order_count, 1, "who was asked by name is not replaced");
    end();
}

Test(pool_choice, estimates_are_the_models_own_at_the_trained_prices)
{
    struct pool_choice choice;
    struct estimate own[3];
    struct error err = {0};
    begin("experts: [{name: dear, url: \"http://h\"}, {name: cheap, url: \"http://h\", price: "
          "{input: 100, output: 0}}]\n");
    cr_assert_eq(choose("leeroo", HARD, &choice, &err), OK);
    struct features features;
    cr_assert_eq(features_init(&features, &err), OK);
    cr_assert_eq(
        model_estimate_text(model, STR("prove lemma tensor quantum prove"), &features, own, &err),
        OK);
    features_done(&features);
    const struct estimate *dear = &own[model_expert_index(model, STR("dear"))];
    const struct estimate *cheap = &own[model_expert_index(model, STR("cheap"))];
    cr_expect_eq(choice.estimates[0].cost_nano_usd, dear->cost_nano_usd);
    cr_expect_eq(choice.estimates[0].quality, dear->quality);
    cr_expect_eq(choice.estimates[1].cost_nano_usd, llroundf(cheap->input_tokens) * 100000);
    end();
}

Test(pool_choice, the_rest_of_the_conversation_costs_input)
{
    struct pool_choice alone, more;
    struct error err = {0};
    begin(SERVE_TEST_EXPERTS);
    cr_assert_eq(choose("leeroo", "{\"messages\":[{\"role\":\"user\",\"content\":\"hello cat\"}]}",
                        &alone, &err),
                 OK);
    cr_assert_eq(choose("leeroo",
                        "{\"messages\":[{\"role\":\"system\",\"content\":"
                        "\"0123456789012345678901234567890123456789\"},"
                        "{\"role\":\"user\",\"content\":\"hello cat\"}]}",
                        &more, &err),
                 OK);
    for (size_t i = 0; i < 3; i++) {
        const struct price *price = &config->experts[i].price;
        double slope = model_tokens_per_character(model, i); /* learnt, expert by expert */
        cr_expect_eq(more.estimates[i].quality, alone.estimates[i].quality);
        cr_expect_eq(more.estimates[i].cost_nano_usd,
                     alone.estimates[i].cost_nano_usd +
                         price_cost_nano_usd(price, (int64_t)ceil(40 * slope), 0));
    }
    end();
}

/* Never less than the table of scripts says, but for what was learnt of a script; a tokenizer's count stands. */
Test(pool_choice, the_least_of_an_estimate_follows_what_was_learnt)
{
    struct estimate e = {.input_tokens = 80};
    cr_expect_eq(pool_input_tokens(&e, 100), 100);
    e.input_excess = 30.5f; /* learnt to be fewer */
    cr_expect_eq(pool_least_tokens(&e, 100), 70);
    cr_expect_eq(pool_input_tokens(&e, 100), 80);
    e.input_excess = -30.5f; /* more */
    cr_expect_eq(pool_input_tokens(&e, 100), 131);
    e.input_excess = 1000;
    cr_expect_eq(pool_least_tokens(&e, 100), 0);
    e.counted = true;
    cr_expect_eq(pool_input_tokens(&e, 100), 80);
}

Test(pool_choice, who_cannot_serve_is_ruled_out_and_says_why)
{
    struct pool_choice choice;
    struct error err = {0};
    begin("experts: [{name: cheap, url: \"http://h\", context: 50},"
          " {name: mid, url: \"http://h\", capabilities: [tools]},"
          " {name: dear, url: \"http://h\", capabilities: [json]}]\n"
          "policies: {default: {lambda: 1e9}, capped: {lambda: 0, max_cost: 0.000000001}}\n");
    cr_assert_eq(choose("leeroo",
                        "{\"tools\":[{}],\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}",
                        &choice, &err),
                 OK);
    cr_expect_null(choice.ruled_out[0]);
    cr_expect_str_eq(choice.ruled_out[2], "no tools");
    cr_assert_eq(choose("leeroo",
                        "{\"max_tokens\":50,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}",
                        &choice, &err),
                 OK);
    cr_expect_str_eq(choice.ruled_out[0], "context too short");
    cr_expect_eq(choice.decision.arm, 1);
    cr_assert_eq(
        choose("leeroo",
               "{\"max_tokens\":50,\"tools\":[{}],\"response_format\":{\"type\":\"json_object\"},"
               "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}",
               &choice, &err),
        ERR_CONTEXT, "a shorter one could be served");
    cr_expect(strstr(err.text, "mid: no JSON mode") && strstr(err.text, "dear: no tools"), "%s",
              err.text);
    cr_expect_eq(choose("leeroo/capped", HARD, &choice, &err), ERR_BUDGET);
    end();
}

Test(pool_choice, a_budget_tightens_when_requests_cost_more_than_it_allows)
{
    struct pool_choice before, after;
    struct error err = {0};
    begin(SERVE_TEST_EXPERTS "policies: {default: {budget: 0.1}}\n");
    cr_assert_eq(choose("leeroo", HARD, &before, &err), OK);
    for (int i = 0; i < 200; i++)
        pool_observe(pool, before.target.policy, NANO_PER_USD / 1000, before.usual_usd);
    cr_assert_eq(choose("leeroo", HARD, &after, &err), OK);
    cr_expect_gt(after.decision.lambda, before.decision.lambda);
    pool_observe(pool, SIZE_MAX, 1, 0);
    end();
}

/* Plans */

#define CHAT(more) "{\"messages\":[{\"role\":\"user\",\"content\":\"hello cat\"}]" more "}"
#define PLAN_POLICIES                                                                              \
    "policies: {default: {lambda: 0}, none: {plans: none}, cascades: {plans: cascade}, two: "      \
    "{experts: [mid, cheap]}, one: {plans: \"panel(cheap,mid->dear)\"}}\n"

static size_t arm_called(const char *name)
{
    for (size_t i = 0; i < pool_arm_count(pool); i++)
        if (str_equal(pool_arm_at(pool, i)->name, str_from(name)))
            return i;
    cr_assert_fail("no arm %s", name);
    return 0;
}

static struct pool_choice choose_plan(const char *name, const char *body, const char *plans)
{
    struct openai_request request;
    struct pool_target target;
    struct pool_choice choice;
    struct error err = {0};
    cr_assert_eq(openai_request_parse(str_from(body), false, arena, &request, NULL, &err), OK);
    cr_assert_eq(pool_target_find(pool, str_from(name), &target, &err), OK);
    target.plans = str_from(plans);
    cr_assert_eq(serve_test_choose(pool, &request, target, arena, &choice, &err), OK, "%s",
                 err.text);
    return choice;
}

static void expect_ruled_out(const struct pool_choice *c, size_t arm, const char *why)
{
    cr_assert(c->ruled_out[arm], "%s", why);
    cr_expect_str_eq(c->ruled_out[arm], why);
    cr_expect_lt(c->decision.arm, config->expert_count);
}

Test(pool_choice, plans_that_are_not_wanted_or_cannot_be_run_say_why)
{
    begin_with(serve_test_plan_model(false), SERVE_TEST_EXPERTS PLAN_POLICIES);
    size_t panel = arm_called(SERVE_TEST_PANEL);
    struct pool_choice c = choose_plan("leeroo/none", CHAT(""), "");
    expect_ruled_out(&c, panel, "off in this policy");
    c = choose_plan("leeroo", CHAT(""), "none");
    expect_ruled_out(&c, panel, "off in this request");
    c = choose_plan("leeroo/cascades", CHAT(""), "panel");
    expect_ruled_out(&c, panel, "off in this policy");
    c = choose_plan("leeroo/two", CHAT(""), "");
    expect_ruled_out(&c, panel, "dear: not in this policy");
    c = choose_plan("cheap", CHAT(""), "");
    expect_ruled_out(&c, panel, "an expert was asked for by name");
    c = choose_plan("leeroo", CHAT(",\"n\":2"), "");
    expect_ruled_out(&c, panel, "answers with tools, formats, n or logprobs are not compared");
    c = choose_plan("leeroo/one", CHAT(""), "");
    cr_expect_null(c.ruled_out[panel]);
    end();
}

Test(pool_choice, a_plan_that_the_model_lacks_is_the_requests_fault)
{
    struct openai_request request;
    struct pool_choice choice;
    struct error err = {0};
    const struct pool_target target = {.expert = SIZE_MAX, .plans = STR("panel(x,y->z)")};
    struct model *const models[] = {serve_test_plan_model(false), serve_test_model()};
    for (size_t i = 0; i < 2; i++) {
        begin_with(models[i], SERVE_TEST_EXPERTS);
        cr_assert_eq(openai_request_parse(STR(CHAT("")), false, arena, &request, NULL, &err), OK);
        cr_expect_eq(serve_test_choose(pool, &request, target, arena, &choice, &err), ERR_INPUT);
        cr_expect(strstr(err.text, "panel(x,y->z)"), "%s", err.text);
        end();
    }
}

Test(pool_choice, plans_cost_what_their_members_cost_here)
{
    begin_with(
        serve_test_plan_model(false),
        "experts: [{name: dear, url: \"http://h\", price: {input: 7, output: 9}}, {name: mid, "
        "url: \"http://h\"}, {name: cheap, url: \"http://h\"}]\n"
        "policies: {default: {lambda: 0}}\n");
    size_t panel = arm_called(SERVE_TEST_PANEL);
    struct pool_choice c = choose_plan("leeroo", CHAT(""), "");
    const struct plan *plan = pool_arm_at(pool, panel);
    cr_expect(plan->members[0] == 2 && plan->members[1] == 1 && plan->members[2] == 0);
    int64_t most = 0;
    for (size_t i = 0; i < 3; i++)
        most += c.estimates[i].cost_nano_usd;
    cr_expect_eq(c.estimates[panel].cost_max_nano_usd, most);
    cr_expect_gt(c.estimates[panel].cost_nano_usd,
                 c.estimates[1].cost_nano_usd + c.estimates[2].cost_nano_usd);
    cr_expect_lt(c.estimates[panel].cost_nano_usd, most);
    cr_expect(str_equal(pool_arm_label(pool, panel), STR("panel(cheap,mid->dear)")));
    cr_expect(str_equal(pool_arm_label(pool, 0), STR("single")));
    end();
}

Test(pool_choice, members_come_first_in_the_order_then_the_other_experts)
{
    struct model *m = serve_test_plan_model(true);
    char yaml[1024];
    snprintf(yaml, sizeof(yaml), "%s%s", SERVE_TEST_EXPERTS,
             serve_test_policies(m, "hello cat", "cascade(cheap→dear~"));
    begin_with(m, yaml);
    struct pool_choice c = choose_plan("leeroo", CHAT(""), "");
    cr_expect_geq(c.decision.arm, 3);
    cr_assert_eq(c.order_count, 3);
    cr_expect(c.order[0] == 0 && c.order[1] == 2 && c.order[2] == 1);
    cr_expect_eq(c.characters, 9);
    end();
}

Test(pool_choice, a_plan_needs_all_of_its_members)
{
    begin_with(serve_test_plan_model(false),
               "experts: [{name: cheap, url: \"http://h\"}, {name: dear, "
               "url: \"http://h\"}]\n");
    cr_expect_gt(pool_arm_count(pool), 2, "the cascades are there");
    for (size_t i = 2; i < pool_arm_count(pool); i++)
        cr_expect_eq(pool_arm_at(pool, i)->kind, PLAN_CASCADE);
    end();
}

Test(pool_choice, plans_of_the_configuration_are_checked_against_the_model)
{
    static const char *const rows[][2] = {
        {"pannel", "test.yaml:8:29: plans: the model has no plan 'pannel'; it has panel("},
        {"\"panel(cheap,dear->mid)\"", "plans: the model has no plan 'panel(cheap,dear->mid)'"},
        {"\"panel(cheap,mid->dear)\", experts: [cheap, mid]", "or not one of policy 'default'"},
    };
    struct model *m = serve_test_plan_model(false);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[1024];
        struct config *c = NULL;
        struct error err = {0};
        snprintf(text, sizeof(text),
                 "listen: 127.0.0.1:0\nmodel: m\n" SERVE_TEST_EXPERTS
                 "default_policy: default\npolicies: {default: {plans: %s}}\n",
                 rows[i][0]);
        cr_assert_eq(config_parse(str_from(text), "test.yaml", &c, &err), OK, "%s", err.text);
        cr_expect_eq(config_bind(c, m, &err), ERR_INPUT);
        cr_expect(strstr(err.text, rows[i][1]), "'%s' is not in '%s'", rows[i][1], err.text);
        config_free(c);
    }
    model_free(m);
}

/* What a request brings itself */

static enum status choose_as(struct pool_target target, const char *body, struct pool_choice *ret,
                             struct error *err)
{
    struct openai_request request;
    cr_assert_eq(openai_request_parse(str_from(body), false, arena, &request, NULL, err), OK, "%s",
                 err->text);
    return serve_test_choose(pool, &request, target, arena, ret, err);
}

static struct pool_choice chosen_as(struct pool_target target, const char *body)
{
    struct pool_choice choice;
    struct error err = {0};
    cr_assert_eq(choose_as(target, body, &choice, &err), OK, "%s", err.text);
    return choice;
}

static struct pool_target target_of(const char *name)
{
    struct pool_target target;
    cr_assert_eq(pool_target_find(pool, str_from(name), &target, NULL), OK);
    return target;
}

Test(pool_choice, a_request_brings_its_own_target)
{
    begin(SERVE_TEST_EXPERTS "policies: {default: {lambda: 1e9}, floor: {min_quality: 0.9}, "
                             "budget: {budget: 0.0001}}\n");
    struct pool_target t = target_of("leeroo");
    cr_expect_eq(chosen_as(t, HARD).decision.arm, 0);
    t.has_lambda = true;
    struct pool_choice c = chosen_as(t, HARD);
    cr_expect(c.decision.arm == 2 && c.decision.lambda == 0);
    t = target_of("leeroo/floor");
    struct pool_choice own = chosen_as(t, HARD);
    t = target_of("leeroo");
    t.min_quality = 0.9;
    c = chosen_as(t, HARD);
    cr_expect_eq(c.decision.arm, own.decision.arm, "a floor calibrated as the policy's");
    cr_expect_float_eq(c.policy.min_quality, own.policy.min_quality,
                       1.0 / QUALITY_FLOOR_STEPS + 1e-6);
    t = target_of("leeroo/budget");
    c = chosen_as(t, HARD);
    cr_expect(c.usual_usd >= 0 && c.decision.lambda > 0);
    t.has_lambda = true;
    c = chosen_as(t, HARD);
    cr_expect(c.usual_usd == -1 && c.decision.lambda == 0, "the budget only hears of it");
    t = target_of("leeroo/floor");
    t.has_lambda = true;
    t.lambda = 1e9;
    cr_expect_eq(chosen_as(t, HARD).decision.arm, 0, "in place of the floor");
    end();
}

Test(pool_choice, a_request_may_lower_the_cap_and_never_raise_it)
{
    begin(SERVE_TEST_EXPERTS "policies: {default: {lambda: 0}, capped: {lambda: 0, max_cost: "
                             "0.00002}}\n");
    struct pool_choice free = chosen_as(target_of("leeroo"), HARD);
    cr_assert_eq(free.decision.arm, 2);
    cr_assert_gt(free.estimates[2].cost_nano_usd, 20000);
    cr_assert_neq(chosen_as(target_of("leeroo/capped"), HARD).decision.arm, 2);
    struct pool_target t = target_of("leeroo/capped");
    t.max_cost_nano_usd = NANO_PER_USD;
    struct pool_choice c = chosen_as(t, HARD);
    cr_expect(c.decision.arm != 2 && c.policy.max_cost_nano_usd == 20000);
    t = target_of("leeroo");
    t.max_cost_nano_usd = free.estimates[2].cost_nano_usd - 1;
    cr_expect_neq(chosen_as(t, HARD).decision.arm, 2);
    t = target_of("dear");
    struct pool_choice named;
    struct error err = {0};
    t.max_cost_nano_usd = free.estimates[2].cost_nano_usd - 1;
    cr_expect_eq(choose_as(t, HARD, &named, &err), ERR_BUDGET);
    cr_expect(strstr(err.text, "'dear'"), "%s", err.text);
    t.max_cost_nano_usd = 2 * free.estimates[2].cost_nano_usd;
    named = chosen_as(t, HARD);
    struct openai_request r;
    cr_assert_eq(openai_request_parse(STR(HARD), false, arena, &r, NULL, NULL), OK);
    int64_t most = pool_output_limit(pool, &r, &named, 0, 0, 0);
    cr_expect(most > 0 && most < 1000000, "%lld", (long long)most);
    int64_t half = free.estimates[2].cost_nano_usd / 2;
    cr_expect_lt(pool_output_limit(pool, &r, &named, 0, half, 0), most);
    cr_expect_eq(pool_output_limit(pool, &r, &named, 0, 0, half),
                 pool_output_limit(pool, &r, &named, 0, half, 0));
    cr_expect_eq(pool_output_limit(pool, &r, &named, 0, half, 4 * half), 0);
    end();
}

static int64_t worst_of(const char *body, size_t expert)
{
    struct openai_request r;
    struct pool_choice c = chosen_as(target_of("leeroo"), body);
    cr_assert_eq(openai_request_parse(str_from(body), false, arena, &r, NULL, NULL), OK);
    return pool_worst_nano_usd(pool, &r, &c, expert);
}

Test(pool_choice, what_a_call_may_cost_at_most)
{
    begin("experts:\n"
          "  - {name: cheap, url: http://x/v1, price: {input: 0, output: 1}, max_output_tokens: "
          "700}\n"
          "  - {name: mid, url: http://x/v1, price: {input: 0, output: 1, reasoning: 2}}\n"
          "  - {name: dear, url: http://x/v1, price: {input: 0, output: 1}, context: 1000}\n");
#define ASKED "{\"messages\":[{\"role\":\"user\",\"content\":\"hello cat\"}]"
    cr_expect_eq(worst_of(ASKED "}", 0), 700000, "as long as the expert's answers are");
    cr_expect_eq(worst_of(ASKED ",\"max_tokens\":100}", 0), 100000);
    cr_expect_eq(worst_of(ASKED ",\"max_tokens\":100,\"n\":3}", 0), 300000);
    cr_expect_eq(worst_of(ASKED ",\"max_tokens\":100}", 1), 200000, "of the dearest kind");
    int64_t left = worst_of(ASKED ",\"max_tokens\":900000}", 2);
    cr_expect(left > 800000 && left < 1000000, "what the context leaves: %lld", (long long)left);
    end();
}

/* A member's own failed tries come out of its own share; what the others cost does not. */
Test(pool_choice, members_of_a_plan_share_the_cap)
{
    begin_with(serve_test_plan_model(false),
               SERVE_TEST_EXPERTS "policies: {default: {lambda: 0, max_cost: 0.001}}\n");
    struct openai_request r;
    struct pool_choice c = choose_plan("leeroo", CHAT(""), "");
    size_t panel = arm_called(SERVE_TEST_PANEL);
    const struct plan *plan = pool_arm_at(pool, panel);
    c.decision.arm = panel;
    for (size_t k = 0; k < plan->member_count; k++)
        c.order[k] = plan->members[k];
    cr_assert_eq(openai_request_parse(STR(CHAT("")), false, arena, &r, NULL, NULL), OK);
    for (size_t k = 0; k < plan->member_count; k++) {
        int64_t most = pool_output_limit(pool, &r, &c, k, 0, 0);
        cr_expect_gt(most, 0);
        cr_expect_eq(pool_output_limit(pool, &r, &c, k, 900000, 0), most);
        cr_expect_lt(pool_output_limit(pool, &r, &c, k, 0, 10000), most);
        cr_expect_eq(pool_output_limit(pool, &r, &c, k, 0, 1000000), 0);
    }
    end();
}

/* Bars */

static struct pool_target bar(struct pool_target t, size_t expert, const char *why,
                              enum status status)
{
    cr_assert_eq(pool_bar_expert(pool, &t, expert, (struct pool_bar){why, status}, arena, NULL),
                 OK);
    return t;
}

Test(pool_choice, who_is_barred_does_not_serve_and_the_error_fits)
{
    struct pool_choice c;
    struct error err = {0};
    begin(SERVE_TEST_EXPERTS "policies: {default: {lambda: 0}}\n");
    struct pool_target t = bar(target_of("leeroo"), 2, "circuit open", ERR_OVERLOAD);
    t = bar(t, 2, "not for this key", ERR_FORBIDDEN);
    c = chosen_as(t, HARD);
    cr_expect_eq(c.decision.arm, 1);
    cr_expect_str_eq(c.ruled_out[2], "circuit open", "the first reason stays");
    t = bar(bar(t, 1, "not for this key", ERR_FORBIDDEN), 0, "not in this request", ERR_INPUT);
    cr_expect_eq(choose_as(t, HARD, &c, &err), ERR_OVERLOAD, "waiting may help");
    cr_expect(strstr(err.text, "dear: circuit open"), "%s", err.text);
    t = bar(target_of("leeroo"), 0, "not for this key", ERR_FORBIDDEN);
    t = bar(bar(t, 1, "not for this key", ERR_FORBIDDEN), 2, "not in this request", ERR_INPUT);
    cr_expect_eq(choose_as(t, HARD, &c, &err), ERR_FORBIDDEN);
    t = bar(target_of("mid"), 1, "not for this key", ERR_FORBIDDEN);
    cr_expect_eq(choose_as(t, HARD, &c, &err), ERR_FORBIDDEN);
    cr_expect_str_eq(err.text, "expert 'mid' cannot serve this request: not for this key");
    t = bar(target_of("mid"), 0, "not for this key", ERR_FORBIDDEN);
    cr_expect_eq(chosen_as(t, HARD).decision.arm, 1);
    end();
}

/* Fallbacks of an expert asked for by name */

Test(pool_choice, fallbacks_step_in_for_an_expert_asked_for_by_name)
{
    struct pool_choice c;
    struct error err = {0};
    begin(
        "experts: [{name: cheap, url: \"http://h\"}, {name: mid, url: \"http://h\"}, {name: dear, "
        "url: \"http://h\", fallbacks: [cheap, mid]}]\npolicies: {default: {lambda: 0}}\n");
    c = chosen_as(target_of("dear"), HARD);
    cr_assert_eq(c.order_count, 3);
    cr_expect(c.order[0] == 2 && c.order[1] == 0 && c.order[2] == 1, "in the order of the list");
    struct pool_target t = bar(target_of("dear"), 0, "not for this key", ERR_FORBIDDEN);
    c = chosen_as(t, HARD);
    cr_assert_eq(c.order_count, 2);
    cr_expect_eq(c.order[1], 1, "a key's rights hold for each");
    c = chosen_as(bar(t, 2, "circuit open", ERR_OVERLOAD), HARD);
    cr_assert_eq(c.order_count, 1);
    cr_expect_eq(c.order[0], 1);
    cr_expect_eq(c.decision.arm, 1);
    t = bar(bar(t, 2, "circuit open", ERR_OVERLOAD), 1, "circuit open", ERR_OVERLOAD);
    cr_expect_eq(choose_as(t, HARD, &c, &err), ERR_OVERLOAD);
    t = bar(target_of("dear"), 2, "not for this key", ERR_FORBIDDEN);
    cr_expect_eq(choose_as(t, HARD, &c, &err), ERR_FORBIDDEN, "nobody gets around a bar by it");
    t = bar(target_of("dear"), 2, "not in this request", ERR_INPUT);
    cr_expect_eq(choose_as(t, HARD, &c, &err), ERR_INPUT);
    t = target_of("dear");
    t.max_cost_nano_usd = 1;
    cr_expect_eq(choose_as(t, HARD, &c, &err), ERR_BUDGET);
    cr_expect_eq(chosen_as(target_of("mid"), HARD).order_count, 1, "it has none");
    end();
}

/* Turns */

static struct pool_target held(struct pool_target t, size_t holder)
{
    t.is_held = true;
    t.holder = holder;
    return t;
}

Test(pool_choice, a_turn_goes_on_where_it_began_while_that_one_may_serve)
{
    begin(SERVE_TEST_EXPERTS "policies: {default: {lambda: 0}}\n");
    struct pool_choice c = chosen_as(held(target_of("leeroo"), 0), HARD);
    cr_expect_eq(c.decision.arm, 0);
    cr_assert_eq(c.order_count, 3);
    cr_expect(c.order[0] == 0 && c.order[1] == 2 && c.order[2] == 1, "then the others, by worth");
    c = chosen_as(held(target_of("leeroo"), SIZE_MAX), HARD);
    cr_expect_eq(c.decision.arm, 2, "gone");
    struct pool_target t = bar(target_of("leeroo"), 0, "not for this key", ERR_FORBIDDEN);
    cr_expect_eq(chosen_as(held(t, 0), HARD).decision.arm, 2, "no right comes of it");
    cr_expect_eq(chosen_as(held(target_of("mid"), 0), HARD).decision.arm, 1, "a name counts more");
    end();
    begin(SERVE_TEST_EXPERTS "policies: {default: {lambda: 0, max_cost: 0.00005}}\n");
    cr_expect_neq(chosen_as(held(target_of("leeroo"), 2), HARD).decision.arm, 2, "over max_cost");
    end();
}

/* Dialects */

#define LOGPROBS                                                                                   \
    "{\"logprobs\":true,\"messages\":[{\"role\":\"user\",\"content\":\"prove lemma\"}]}"

Test(pool_choice, what_a_dialect_has_no_word_for_rules_its_experts_out)
{
    struct pool_choice c;
    struct error err = {0};
    begin("experts: [{name: cheap, url: \"http://h\"}, {name: mid, url: \"http://h\"},"
          " {name: dear, url: \"http://h\", dialect: anthropic}]\npolicies: {default: {lambda: "
          "0}}\n");
    cr_expect_eq(chosen_as(target_of("leeroo"), HARD).decision.arm, 2);
    c = chosen_as(target_of("leeroo"), LOGPROBS);
    cr_expect_eq(c.decision.arm, 1);
    cr_expect(c.ruled_out[2] && !strncmp(c.ruled_out[2], "cannot take ", 12), "%s",
              c.ruled_out[2] ? c.ruled_out[2] : "a candidate");
    cr_expect_eq(choose_as(target_of("dear"), LOGPROBS, &c, &err), ERR_UNSUPPORTED);
    cr_expect(strstr(err.text, "expert 'dear' cannot take "), "%s", err.text);
    struct pool_target t = target_of("leeroo");
    t.native_dialect = &dialect_anthropic;
    cr_expect_eq(chosen_as(t, LOGPROBS).decision.arm, 2, "asked in the client's own words");
    t.native_only = "thinking";
    c = chosen_as(t, EASY);
    cr_expect_eq(c.decision.arm, 2);
    cr_expect_str_eq(c.ruled_out[0], "cannot take thinking");
    cr_expect_eq(c.order_count, 1, "nobody else could take over");
    t.native_only = "a \"name\\ of \xc3\xa4 client";
    c = chosen_as(t, EASY);
    cr_expect_str_eq(c.ruled_out[0], "cannot take a ?name? of ?? client");
    t.native_only = "thinking";
    t.policy = SIZE_MAX;
    t.expert = 0;
    cr_expect_eq(choose_as(t, EASY, &c, &err), ERR_UNSUPPORTED);
    cr_expect_str_eq(err.text, "expert 'cheap' cannot take thinking");
    end();
}

/* Conversations */

#define SAYS(role, text) "{\"role\":\"" role "\",\"content\":\"" text "\"}"
#define TALK(messages)   "{\"messages\":[" messages "]}"
#define HARD_TEXT        "prove lemma tensor quantum prove"
/* Words enough to speak for itself. */
#define OWN_TEXT  "cat sum cat sum cat"
#define EASY_TEXT "hello cat sum two hello"

static void expect_qualities(const char *body, const char *like)
{
    struct pool_choice a = chosen_as(target_of("leeroo"), body),
                       b = chosen_as(target_of("leeroo"), like);
    for (size_t i = 0; i < 3; i++) {
        cr_expect_eq(a.estimates[i].quality, b.estimates[i].quality, "%s", body);
        cr_expect_eq(a.estimates[i].output_tokens, b.estimates[i].output_tokens, "%s", body);
        cr_expect_geq(a.estimates[i].cost_nano_usd, b.estimates[i].cost_nano_usd, "%s", body);
    }
}

Test(pool_choice, the_question_decides_not_what_surrounds_it)
{
    begin(SERVE_TEST_EXPERTS "policies: {default: {lambda: 1000}}\n");
    expect_qualities(TALK(SAYS("user", HARD_TEXT)), HARD);
    expect_qualities(TALK(SAYS("system", EASY_TEXT " " EASY_TEXT) "," SAYS("user", HARD_TEXT)),
                     HARD);
    expect_qualities(
        TALK(SAYS("user", OWN_TEXT) "," SAYS("assistant", EASY_TEXT) "," SAYS("user", HARD_TEXT)),
        HARD);
    expect_qualities(
        TALK(SAYS("user", HARD_TEXT) "," SAYS("assistant", "Done.") "," SAYS("user", OWN_TEXT)),
        "{\"text\":\"" OWN_TEXT "\"}");
    expect_qualities(
        "{\"tools\":[{}],\"messages\":[" SAYS(
            "user", HARD_TEXT) ",{\"role\":"
                               "\"assistant\",\"content\":null,\"tool_calls\":[{}]}," SAYS(
                                   "tool", EASY_TEXT) "]}",
        HARD);
    end();
}

Test(pool_choice, a_follow_up_is_about_the_question_before_it)
{
    begin(SERVE_TEST_EXPERTS "policies: {default: {lambda: 1000}}\n");
    expect_qualities(
        TALK(SAYS("user", HARD_TEXT) "," SAYS("assistant", "42") "," SAYS("user", "Are you sure?")),
        HARD);
    expect_qualities(
        TALK(SAYS("user", HARD_TEXT) "," SAYS("assistant", "42") "," SAYS("user", "Why?") "," SAYS(
            "assistant", "So.") "," SAYS("user", "And then?")),
        HARD);
    expect_qualities(TALK(SAYS("user", "Are you sure?")), "{\"text\":\"Are you sure?\"}");
    struct pool_choice mixed = chosen_as(
        target_of("leeroo"),
        TALK(SAYS("user", HARD_TEXT) "," SAYS("assistant", "42") "," SAYS("user", "why cat?")));
    struct pool_choice hard = chosen_as(target_of("leeroo"), HARD),
                       own = chosen_as(target_of("leeroo"), "{\"text\":\"why cat?\"}");
    for (size_t i = 0; i < 3; i++) {
        float want = 0.6f * hard.estimates[i].quality + 0.4f * own.estimates[i].quality;
        cr_expect_float_eq(mixed.estimates[i].quality, want, 1e-5f);
    }
    end();
}

/* The whole conversation must fit, by each expert's own count, with the answer that the client allows. */
Test(pool_choice, long_conversations_go_to_who_can_hold_them)
{
    begin("experts: [{name: cheap, url: \"http://h\", context: 2000}, {name: mid, url: "
          "\"http://h\", context: 4000}, {name: dear, url: \"http://h\"}]\n"
          "policies: {default: {lambda: 1e9}}\n");
    char body[32768], filler[16001];
    memset(filler, 'x', sizeof(filler) - 1);
    filler[16000] = '\0';
    cr_expect_eq(chosen_as(target_of("leeroo"), EASY).decision.arm, 0);
    snprintf(body, sizeof(body),
             TALK(SAYS("user", "%.9000s") "," SAYS("assistant", "ok") "," SAYS("user", EASY_TEXT)),
             filler);
    struct pool_choice c = chosen_as(target_of("leeroo"), body);
    cr_expect_str_eq(c.ruled_out[0], "context too short");
    cr_expect_eq(c.decision.arm, 1);
    snprintf(body, sizeof(body),
             "{\"max_completion_tokens\":3990,\"messages\":[" SAYS("user", EASY_TEXT " %.40s") "]}",
             filler);
    c = chosen_as(target_of("leeroo"), body);
    cr_expect_eq(c.decision.arm, 2);
    snprintf(
        body, sizeof(body),
        TALK("{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"" EASY_TEXT "\"}%s]}"),
        ",{\"type\":\"image_url\"},{\"type\":\"image_url\"},{\"type\":\"image_url\"}");
    c = chosen_as(target_of("leeroo"), body);
    cr_expect_str_eq(c.ruled_out[0], "context too short", "images count");
    cr_expect_eq(c.input_tokens, 6 + 3 * OPENAI_IMAGE_TOKENS);
    end();
}

/* Prompt caches: agentgateway #2572, litellm #38078, plano PR #827. */

Test(pool_choice, cached_input_is_estimated_at_its_price)
{
    begin("experts: [{name: cheap, url: \"http://h\", price: {input: 1, output: 1}}, {name: mid, "
          "url: "
          "\"http://h\", price: {input: 1.05, output: 1, cached_input: 0.1}}, {name: dear, url: "
          "\"http://h\", price: {input: 50, output: 100, cached_input: 5}}]\n"
          "policies: {default: {lambda: 200}}\n");
    static char body[32768], filler[16001];
    memset(filler, 'x', sizeof(filler) - 1);
    snprintf(body, sizeof(body), TALK(SAYS("system", "%s") "," SAYS("user", EASY_TEXT)), filler);
    const uint32_t held[3] = {1000, 1000, 0}, nothing[3] = {0};
    struct pool_target t = target_of("leeroo");
    struct pool_choice plain = chosen_as(t, body);
    cr_expect_eq(plain.decision.arm, 0, "cheaper, and no worse");
    t.cached_tokens = nothing;
    cr_expect_eq(chosen_as(t, body).decision.arm, 0);
    t.cached_tokens = held;
    struct pool_choice c = chosen_as(t, body);
    cr_expect_eq(c.decision.arm, 1, "it holds the prompt");
    cr_expect_eq(c.estimates[1].cost_nano_usd, plain.estimates[1].cost_nano_usd - 1000 * 950);
    cr_expect_eq(c.estimates[0].cost_nano_usd, plain.estimates[0].cost_nano_usd,
                 "without a price for cached input nothing changes");
    cr_expect(c.cached_tokens[0] == 0 && c.cached_tokens[1] == 1000);
    const uint32_t more[3] = {0, 4000000, 0};
    t.cached_tokens = more;
    c = chosen_as(t, body);
    cr_expect_eq(c.cached_tokens[1], (uint32_t)c.estimates[1].input_tokens, "no more than all");
    cr_expect_geq(c.estimates[1].cost_nano_usd, 0);
    snprintf(body, sizeof(body), TALK(SAYS("system", "%s") "," SAYS("user", HARD_TEXT)), filler);
    t.cached_tokens = held;
    t.has_lambda = true;
    t.lambda = 1;
    cr_expect_eq(chosen_as(t, body).decision.arm, 2, "a hard question is worth a switch");
    end();
}
