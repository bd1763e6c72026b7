/* A policy that verifies: its arms, what is chosen, and why something is not checked. */
#include <criterion/criterion.h>
#include <string.h>

#include "route/pool_asked.h"
#include "route/verified_arms.h"
#include "serve/serve_test.h"

#define CHAT(more) "{\"messages\":[{\"role\":\"user\",\"content\":\"hello cat\"}]" more "}"
#define VERIFY                                                                                     \
    "policies: {default: {lambda: 0, verify: {schema: true}}, thrift: {lambda: 1e9, verify: "      \
    "{schema: true}}, strict: {verify: {schema: true, strict: true}}, two: {lambda: 0, "           \
    "max_calls: 2, verify: {schema: true}}, budget: {budget: 0.02, verify: {schema: true}}, "      \
    "floor: {min_quality: 0.6, verify: {schema: true}}}\n"

static struct model *model;
static struct config *config;
static struct pool *pool;
static struct arena *arena;

static void begin(void)
{
    struct error err = {0};
    model = serve_test_plan_model(false);
    config = serve_test_config(model, SERVE_TEST_EXPERTS VERIFY);
    const struct pool_settings settings = config_pool_settings(config);
    cr_assert_eq(pool_create(&settings, model, &pool, &err), OK, "%s", err.text);
    cr_assert(arena = arena_create(1 << 20));
}

static void end(void)
{
    arena_free(arena);
    pool_free(pool);
    config_free(config);
    model_free(model);
}

static enum status choose(const char *name, const char *body, const char *unchecked,
                          struct pool_choice *ret, struct error *err)
{
    struct openai_request *request = ARENA_NEW(arena, struct openai_request);
    struct pool_target target;
    cr_assert_eq(openai_request_parse(str_from(body), false, arena, request, NULL, err), OK);
    cr_assert_eq(pool_target_find(pool, str_from(name), &target, err), OK);
    target.unchecked = unchecked;
    return serve_test_choose(pool, request, target, arena, ret, err);
}

static struct pool_choice chosen(const char *name)
{
    struct pool_choice c;
    struct error err = {0};
    cr_assert_eq(choose(name, CHAT(""), NULL, &c, &err), OK, "%s", err.text);
    return c;
}

Test(verified_arms, stand_behind_the_pool_and_nothing_else_is_chosen)
{
    begin();
    struct pool_choice c = chosen("leeroo");
    size_t before = pool_arm_count(pool), experts = config->expert_count;
    cr_assert_gt(c.arm_count, before + 1);
    cr_expect(c.is_verified && c.decision.arm >= before);
    for (size_t k = before; k < c.arm_count; k++) {
        cr_expect(c.arms[k].kind == PLAN_VERIFIED && c.arms[k].member_count <= experts);
        if (k > before)
            cr_expect_gt(c.estimates[k].quality, c.estimates[k - 1].quality);
    }
    const struct plan *all = &c.arms[c.decision.arm];
    cr_expect_eq(all->member_count, experts, "at lambda 0 everybody is asked if need be");
    for (size_t i = 0; i < all->member_count; i++)
        cr_expect_eq(c.order[i], all->members[i]);
    cr_expect(str_starts(c.label, STR("verified(")) && str_find(c.label, STR("->"), 0) != SIZE_MAX);
    for (size_t i = experts; i < before; i++)
        cr_expect_str_eq(c.ruled_out[i], "this policy has its answers verified");
    end();
}

Test(verified_arms, lambda_and_calls_say_how_far_to_go)
{
    begin();
    struct pool_choice c = chosen("leeroo/thrift");
    cr_expect(c.is_verified);
    cr_expect_eq(c.arms[c.decision.arm].member_count, 1);
    c = chosen("leeroo/two");
    cr_expect_eq(c.arms[c.decision.arm].member_count, 2);
    for (size_t k = pool_arm_count(pool); k < c.arm_count; k++)
        cr_expect_leq(c.arms[k].member_count, 2);
    end();
}

/* What the policy's budget allows is counted in verified plans: their mean predicted cost over the sample. */
Test(verified_arms, budgets_and_floors_are_calibrated)
{
    begin();
    struct pool_choice c = chosen("leeroo/budget");
    cr_expect(c.is_verified && c.usual_usd >= 0);
    cr_expect_gt(c.decision.lambda, 0);
    c = chosen("leeroo/floor");
    cr_expect(c.is_verified);
    cr_expect_geq(c.decision.quality, 0.6 - 1e-6);
    end();
}

Test(verified_arms, what_cannot_be_checked_says_why)
{
    begin();
    struct pool_choice c;
    struct error err = {0};
    cr_assert_eq(choose("leeroo", CHAT(""), "no schema", &c, &err), OK);
    cr_expect_not(c.is_verified);
    cr_expect_str_eq(c.unchecked, "no schema");
    cr_expect_eq(c.arm_count, pool_arm_count(pool));
    cr_assert_eq(choose("leeroo", CHAT(",\"n\":2"), NULL, &c, &err), OK);
    cr_expect(!c.is_verified && strstr(c.unchecked, "(n)"));
    cr_expect_eq(choose("leeroo/strict", CHAT(",\"n\":2"), NULL, &c, &err), ERR_UNSUPPORTED);
    cr_expect(strstr(err.text, "'strict'") && strstr(err.text, "cannot be checked"), "%s",
              err.text);
    cr_assert_eq(choose("cheap", CHAT(""), NULL, &c, &err), OK);
    cr_expect(!c.is_verified && !c.unchecked);
    end();
}

Test(verified_arms, what_checks_say_moves_the_estimates)
{
    begin();
    struct pool_choice before = chosen("leeroo"), after;
    size_t first = before.order[0], arm = before.arm_count - 1;
    for (int i = 0; i < 200; i++)
        pool_check_observe(pool, &before, first, false, (double)before.estimates[first].quality);
    after = chosen("leeroo");
    cr_expect_lt(after.estimates[arm].quality, before.estimates[arm].quality);
    cr_expect_neq(after.order[0], first);
    cr_expect_eq(pool_checks_heard(pool), 200);
    end();
}

/* Whoever is a member of a verified plan is asked by some policy. */
Test(verified_arms, members_are_not_told_of_as_never_asked)
{
    begin();
    struct pool_asked asked[3] = {{0}};
    uint64_t decisions = 0;
    struct error err = {0};
    cr_assert_eq(pool_asked(pool, asked, &decisions, &err), OK, "%s", err.text);
    cr_expect_gt(decisions, 0);
    for (size_t i = 0; i < 3; i++)
        cr_expect(asked[i].in_plan > 0 && !pool_never_asks(&asked[i]), "%zu", i);
    end();
}
