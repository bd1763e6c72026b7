/* Experts of a model for texts: who is there, and what they are estimated at. */
#include "route/text_router.h"

#include <criterion/criterion.h>
#include <string.h>

#include "route/pool.h"
#include "serve/serve_test.h"

static struct model *model;
static struct features features;

static void begin(void)
{
    model = serve_test_plan_model(false);
    cr_assert_eq(features_init(&features, NULL), OK);
}

static void end(void)
{
    features_done(&features);
    model_free(model);
}

static struct text_router *router_of(const char *name, const struct price *price)
{
    struct text_router *r = NULL;
    struct error err = {0};
    cr_assert_eq(text_router_create(model, true, &r, &err), OK);
    if (name)
        cr_assert_eq(text_router_add(r, str_from(name), price, &err), OK, "%s", err.text);
    return r;
}

static void estimate(const struct text_router *r, struct estimate *into)
{
    cr_assert_eq(text_router_estimate(r, STR("prove lemma"), &features, into, NULL), OK);
}

Test(text_router, at_the_trained_prices_estimates_are_the_models_bit_by_bit)
{
    begin();
    struct estimate ours[MODEL_ARMS_MAX] = {0}, theirs[MODEL_ARMS_MAX] = {0};
    const struct price trained = model_expert_at(model, 1)->price;
    struct text_router *r = router_of("mid", &trained);
    estimate(r, ours);
    cr_assert_eq(model_estimate_text(model, STR("prove lemma"), &features, theirs, NULL), OK);
    cr_expect_eq(memcmp(ours, theirs, model_arm_count(model) * sizeof(*ours)), 0);
    text_router_free(r);
    end();
}

Test(text_router, another_price_moves_an_expert_and_the_plans_that_ask_it)
{
    begin();
    struct estimate before[MODEL_ARMS_MAX], after[MODEL_ARMS_MAX];
    struct price price = model_expert_at(model, 1)->price;
    price.input_nano_usd_per_m *= 1000;
    price.output_nano_usd_per_m *= 1000;
    struct text_router *trained = router_of(NULL, NULL), *r = router_of("mid", &price);
    estimate(trained, before);
    estimate(r, after);
    size_t moved = 0;
    for (size_t i = 0; i < model_arm_count(model); i++) {
        const struct plan *p = model_arm_at(model, i);
        bool asks = false;
        for (size_t k = 0; k < p->member_count; k++)
            asks = asks || p->members[k] == 1;
        cr_expect_eq(before[i].cost_nano_usd != after[i].cost_nano_usd, asks, "arm %zu", i);
        cr_expect_eq(before[i].quality, after[i].quality);
        moved += asks;
    }
    cr_expect_geq(moved, 2, "mid and a panel");
    cr_expect_eq(text_router_price(r, 1)->input_nano_usd_per_m, price.input_nano_usd_per_m);
    text_router_free(r);
    text_router_free(trained);
    end();
}

Test(text_router, prices_count_as_a_gateways_do)
{
    begin();
    struct error err = {0};
    struct openai_request request;
    struct pool_target target;
    struct pool_choice choice;
    struct pool *pool = NULL;
    struct arena *a = arena_create(1 << 20);
    struct config *config = serve_test_config(
        model, "experts:\n  - {name: mid, url: \"http://127.0.0.1:1\", price: {input: 7, output: "
               "9}}\npolicies: {default: {lambda: 0}}\n");
    const struct pool_settings settings = config_pool_settings(config);
    cr_assert_eq(pool_create(&settings, model, &pool, &err), OK, "%s", err.text);
    struct str body = STR("{\"text\": \"prove lemma\"}");
    cr_assert_eq(openai_request_parse(body, false, a, &request, NULL, &err), OK);
    cr_assert_eq(pool_target_find(pool, STR("leeroo"), &target, &err), OK);
    cr_assert_eq(serve_test_choose(pool, &request, target, a, &choice, &err), OK);
    struct estimate ours[MODEL_ARMS_MAX];
    struct text_router *r = router_of("mid", &settings.experts[0].price);
    estimate(r, ours);
    cr_expect_eq(ours[1].cost_nano_usd, choice.estimates[0].cost_nano_usd);
    cr_expect_eq(ours[1].quality, choice.estimates[0].quality);
    text_router_free(r);
    pool_free(pool);
    config_free(config);
    arena_free(a);
    end();
}

Test(text_router, an_unknown_expert_is_refused_with_those_that_there_are)
{
    begin();
    struct text_router *r = NULL;
    struct error err = {0};
    cr_assert_eq(text_router_create(model, false, &r, &err), OK);
    cr_expect_eq(text_router_add(r, STR("nobody"), NULL, &err), ERR_NOT_FOUND);
    cr_expect_str_eq(err.text, "the model has no expert 'nobody'; it has cheap, mid, dear");
    cr_expect_eq(text_router_add(r, STR("mid"), NULL, &err), OK);
    cr_expect(text_router_has(r, 1) && !text_router_has(r, 0) && !text_router_has(r, 2));
    text_router_free(r);
    text_router_free(NULL);
    end();
}
