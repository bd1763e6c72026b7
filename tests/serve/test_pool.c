/* Candidates, limits and decisions. */
#include "serve/pool.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "serve_test.h"

static struct model *model;
static struct config *config;
static struct pool *pool;
static struct arena *arena;
static struct features features;

static void begin(const char *yaml)
{
    struct error err = {0};
    model = serve_test_model();
    config = serve_test_config(model, yaml);
    arena = arena_create(1 << 20);
    cr_assert_eq(features_init(&features, &err), OK);
    cr_assert_eq(pool_create(config, model, &pool, &err), OK, "%s", err.text);
}

static void end(void)
{
    pool_free(pool);
    features_done(&features);
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
    return pool_choose(pool, &request, target, &features, arena, ret, err);
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

Test(pool, policies_trade_quality_for_money)
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

Test(pool, names_that_do_not_exist)
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

Test(pool, fallbacks_are_the_others_in_order_of_worth)
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

Test(pool, estimates_are_the_models_own_at_the_trained_prices)
{
    struct pool_choice choice;
    struct estimate own[3];
    struct error err = {0};
    begin("experts: [{name: dear, url: \"http://h\"}, {name: cheap, url: \"http://h\", price: "
          "{input: 100, output: 0}}]\n");
    cr_assert_eq(choose("leeroo", HARD, &choice, &err), OK);
    cr_assert_eq(
        encode_text(model_encoder(model), STR("prove lemma tensor quantum prove"), &features, &err),
        OK);
    model_estimate(model, &features, own);
    const struct estimate *dear = &own[model_expert_index(model, STR("dear"))];
    const struct estimate *cheap = &own[model_expert_index(model, STR("cheap"))];
    cr_expect_eq(choice.estimates[0].cost_nano_usd, dear->cost_nano_usd);
    cr_expect_eq(choice.estimates[0].quality, dear->quality);
    cr_expect_eq(choice.estimates[1].cost_nano_usd, llroundf(cheap->input_tokens) * 100000);
    end();
}

Test(pool, the_rest_of_the_conversation_costs_input)
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
        cr_expect_eq(more.estimates[i].quality, alone.estimates[i].quality);
        cr_expect_eq(more.estimates[i].cost_nano_usd,
                     alone.estimates[i].cost_nano_usd + price_cost_nano_usd(price, 10, 0));
    }
    end();
}

Test(pool, who_cannot_serve_is_ruled_out_and_says_why)
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
        ERR_UNSUPPORTED);
    cr_expect(strstr(err.text, "mid: no JSON mode") && strstr(err.text, "dear: no tools"), "%s",
              err.text);
    cr_expect_eq(choose("leeroo/capped", HARD, &choice, &err), ERR_BUDGET);
    end();
}

Test(pool, a_budget_tightens_when_requests_cost_more_than_it_allows)
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
