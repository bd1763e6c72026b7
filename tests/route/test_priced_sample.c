/* Policies are calibrated at the prices in force. */
#include "route/priced_sample.h"

#include <criterion/criterion.h>

#include "route/pool_int.h"
#include "route/text_router.h"
#include "serve/serve_test.h"

#define TIMES 10

static const struct route_policy policies[] = {
    {.name = {"thrifty", 7}, .policy = {.budget_usd_per_1k = 0.05}},
    {.name = {"rich", 4}, .policy = {.budget_usd_per_1k = 0.05 * TIMES}},
};

static struct pool *pool_at(const struct model *m, int64_t times)
{
    static struct expert experts[3];
    struct pool *p = NULL;
    struct error err = {0};
    for (size_t e = 0; e < 3; e++) {
        const struct model_expert *from = model_expert_at(m, e);
        experts[e] = (struct expert){.name = from->name, .price = from->price};
        experts[e].price.input_nano_usd_per_m *= times;
        experts[e].price.output_nano_usd_per_m *= times;
    }
    const struct pool_settings settings = {
        .experts = experts, .expert_count = 3, .policies = policies, .policy_count = 2};
    cr_assert_eq(pool_create(&settings, m, &p, &err), OK, "%s", err.text);
    return p;
}

static double lambda_of(struct pool *p, size_t policy)
{
    return budget_cell_lambda(p->policies[policy].live.budget);
}

/* Ten times the prices and ten times the budget choose as before, so a dollar is worth a tenth. */
Test(priced_sample, a_pools_budgets_know_its_prices)
{
    struct model *m = serve_test_model();
    struct pool *trained = pool_at(m, 1), *dear = pool_at(m, TIMES);
    double before = lambda_of(trained, 0);
    cr_assert_gt(before, 0);
    cr_expect_float_eq(lambda_of(dear, 1) * TIMES, before, 1e-3 * before);
    cr_expect_gt(lambda_of(dear, 0), 0);
    pool_free(trained);
    pool_free(dear);
    model_free(m);
}

Test(priced_sample, a_text_routers_too)
{
    struct model *m = serve_test_model();
    double lambdas[2];
    for (int i = 0; i < 2; i++) {
        struct text_router *r;
        struct text_policy *p;
        const struct text_policy_settings s = {.policy = policies[i].policy};
        cr_assert_eq(text_router_create(m, false, &r, NULL), OK);
        for (size_t e = 0; e < model_expert_count(m); e++) {
            struct price price = model_expert_at(m, e)->price;
            price.input_nano_usd_per_m *= i ? TIMES : 1;
            price.output_nano_usd_per_m *= i ? TIMES : 1;
            cr_assert_eq(text_router_add(r, model_expert_at(m, e)->name, &price, NULL), OK);
        }
        cr_assert_eq(text_policy_create(r, &s, &p, NULL), OK);
        lambdas[i] = text_policy_lambda(p);
        text_policy_free(p);
        text_router_free(r);
    }
    cr_expect_float_eq(lambdas[1] * TIMES, lambdas[0], 1e-3 * lambdas[0]);
    model_free(m);
}

Test(priced_sample, at_the_trained_prices_nothing_is_copied)
{
    struct model *m = serve_test_model();
    struct price prices[MODEL_EXPERTS_MAX];
    struct priced_sample s;
    for (size_t e = 0; e < model_expert_count(m); e++)
        prices[e] = model_expert_at(m, e)->price;
    cr_assert_eq(priced_sample_init(&s, m, prices, NULL), OK);
    cr_expect_eq(s.sample.cost_usd, model_sample(m).cost_usd);
    prices[0].output_nano_usd_per_m++;
    cr_assert_eq(priced_sample_init(&s, m, prices, NULL), OK);
    cr_expect_neq(s.sample.cost_usd, model_sample(m).cost_usd);
    cr_expect_eq(s.sample.quality, model_sample(m).quality);
    priced_sample_done(&s);
    model_free(m);
}
