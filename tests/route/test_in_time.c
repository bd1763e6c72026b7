/* Who is too slow for a policy, and who is asked all the same. Experts are cheap, mid, dear; dear is the best. */
#include "route/in_time.h"

#include <criterion/criterion.h>
#include <string.h>

#include "serve/serve_test.h"

#define HARD "{\"messages\":[{\"role\":\"user\",\"content\":\"prove lemma tensor quantum\"}]}"
#define POLICIES                                                                                   \
    "policies: {default: {lambda: 0, max_latency: 5s}, free: {lambda: 0}, checked: {lambda: 0, "   \
    "max_latency: 5s, verify: {schema: true}}}\n"

static struct model *model;
static struct config *config;
static struct pool *pool;
static struct arena *arena;

static void begin(void)
{
    struct error err = {0};
    model = serve_test_plan_model(false);
    config = serve_test_config(model, SERVE_TEST_EXPERTS POLICIES);
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

static struct pool_target target_of(const char *name)
{
    struct pool_target t;
    cr_assert_eq(pool_target_find(pool, str_from(name), &t, NULL), OK);
    t.plans = STR("none");
    return t;
}

static struct pool_choice chosen(struct pool_target t, const uint32_t *ms)
{
    struct openai_request *request = ARENA_NEW(arena, struct openai_request);
    struct pool_choice c;
    struct error err = {0};
    cr_assert_eq(openai_request_parse(str_from(HARD), false, arena, request, NULL, &err), OK);
    t.latency_ms = ms;
    cr_assert_eq(serve_test_choose(pool, request, t, arena, &c, &err), OK, "%s", err.text);
    return c;
}

Test(in_time, who_is_too_slow_is_ruled_out_and_asked_last)
{
    static const uint32_t ms[] = {400, 800, 6000}, exactly[] = {400, 800, 5000};
    begin();
    struct pool_choice c = chosen(target_of("leeroo"), ms);
    cr_expect_eq(c.decision.arm, 0);
    cr_expect_str_eq(c.ruled_out[2], "over max_latency");
    cr_assert_eq(c.order_count, 3);
    cr_expect(c.order[0] == 0 && c.order[1] == 1 && c.order[2] == 2, "late is better than never");
    cr_expect_eq(chosen(target_of("leeroo"), exactly).decision.arm, 2);
    end();
}

Test(in_time, what_is_unknown_rules_nobody_out)
{
    static const uint32_t ms[] = {6000, 6000, 0};
    begin();
    cr_expect_eq(chosen(target_of("leeroo"), NULL).decision.arm, 2);
    cr_expect_eq(chosen(target_of("leeroo"), ms).decision.arm, 2);
    end();
}

Test(in_time, where_all_are_too_slow_the_quickest_is_asked)
{
    static const uint32_t ms[] = {9000, 8000, 12000};
    begin();
    struct pool_choice c = chosen(target_of("leeroo"), ms);
    cr_expect_eq(c.decision.arm, 1);
    cr_expect(c.ruled_out[0] && !c.ruled_out[1] && c.ruled_out[2]);
    cr_assert_eq(c.order_count, 3);
    cr_expect(c.order[1] == 2 && c.order[2] == 0, "the others by their worth");
    end();
}

Test(in_time, a_request_may_lower_the_bound_and_never_raise_it)
{
    static const uint32_t ms[] = {800, 400, 4000};
    begin();
    struct pool_target t = target_of("leeroo");
    t.max_latency_ms = 700;
    struct pool_choice c = chosen(t, ms);
    cr_expect(c.decision.arm == 1 && c.policy.max_latency_ms == 700);
    t.max_latency_ms = 9000;
    cr_expect_eq(chosen(t, ms).policy.max_latency_ms, 5000);
    t = target_of("leeroo/free");
    cr_expect(chosen(t, ms).decision.arm == 2);
    t.max_latency_ms = 1000;
    cr_expect_neq(chosen(t, ms).decision.arm, 2);
    end();
}

Test(in_time, a_turn_goes_on_however_long_it_takes)
{
    static const uint32_t ms[] = {400, 800, 9000};
    begin();
    struct pool_target t = target_of("leeroo");
    t.is_held = true;
    t.holder = 2;
    cr_expect_eq(chosen(t, ms).decision.arm, 2);
    end();
}

Test(in_time, a_plan_takes_as_long_as_its_turns)
{
    static const uint32_t quick[] = {2000, 2000, 3000}, slow[] = {2000, 2500, 3000};
    begin();
    struct pool_target t = target_of("leeroo");
    t.plans = STR("all");
    size_t found = 0;
    for (size_t i = config->expert_count; i < pool_arm_count(pool); i++) {
        const struct plan *p = pool_arm_at(pool, i);
        if (p->kind != PLAN_PANEL || p->members[2] != 2)
            continue;
        found++;
        cr_expect_not(chosen(t, quick).ruled_out[i]);
        cr_expect_str_eq(chosen(t, slow).ruled_out[i], "over max_latency");
    }
    cr_expect_gt(found, 0);
    end();
}

Test(in_time, a_verified_plan_goes_no_further_than_there_is_time)
{
    static const uint32_t ms[] = {2000, 2000, 2000}, one[] = {6000, 400, 6000};
    begin();
    struct pool_choice c = chosen(target_of("leeroo/checked"), ms);
    cr_assert(c.is_verified);
    cr_expect_eq(c.arms[c.decision.arm].member_count, 2);
    cr_expect_str_eq(c.ruled_out[c.arm_count - 1], "over max_latency");
    c = chosen(target_of("leeroo/checked"), one);
    cr_assert(c.is_verified);
    cr_expect(c.arms[c.decision.arm].member_count == 1 && c.order[0] == 1);
    cr_expect_eq(c.order_count, 3);
    end();
}

/* Sequential plans, made by hand */

static struct pool_choice by_hand(struct plan *arms, struct estimate *estimates, uint32_t most_ms,
                                  const uint32_t *ms)
{
    static const char *ruled_out[4];
    memset(ruled_out, 0, sizeof(ruled_out));
    for (size_t i = 0; i < 3; i++) {
        arms[i] = (struct plan){.kind = PLAN_SINGLE, .member_count = 1, .members = {i}};
        estimates[i] = (struct estimate){.cost_nano_usd = 100, .cost_max_nano_usd = 100};
    }
    arms[3] = (struct plan){
        .kind = PLAN_SEQUENTIAL, .member_count = 3, .members = {0, 1, 2}, .cost_ratio = {1, 1, 1}};
    estimates[3] = (struct estimate){.asked = {1, 0.6f, 0.3f}, .cost_nano_usd = 190};
    return (struct pool_choice){.arms = arms,
                                .arm_count = 4,
                                .estimates = estimates,
                                .ruled_out = ruled_out,
                                .policy = {.max_latency_ms = most_ms},
                                .target = {.latency_ms = ms}};
}

Test(in_time, a_sequential_plan_does_without_members_that_are_too_slow)
{
    static const uint32_t one[] = {400, 800, 9000}, two[] = {400, 9000, 9000};
    struct plan arms[4];
    struct estimate estimates[4];
    bool use[] = {true, true, true, true};
    struct pool_choice c = by_hand(arms, estimates, 1000, one);
    in_time_rule_out(&c, 0, use);
    cr_expect(use[0] && use[1] && !use[2] && use[3]);
    c = by_hand(arms, estimates, 1000, two);
    in_time_rule_out(&c, 0, use);
    cr_expect(use[0] && !use[1] && !use[3], "one is no panel");
    cr_expect_str_eq(c.ruled_out[3], "over max_latency");
}

Test(in_time, a_wave_is_weighed_by_what_it_costs)
{
    static const uint32_t ms[] = {700, 700, 700};
    static const bool use[] = {true, true, true, true};
    struct plan arms[4];
    struct estimate estimates[4];
    struct error err;
    struct pool_choice c = by_hand(arms, estimates, 1000, ms);
    arena = arena_create(1 << 20);
    cr_assert_eq(in_time_price(use, arena, &c, &err), OK);
    cr_expect_eq(c.estimates[3].cost_nano_usd, 200, "the two that are likely to be asked");
    c = by_hand(arms, estimates, 1400, ms);
    cr_assert_eq(in_time_price(use, arena, &c, &err), OK);
    cr_expect_eq(c.estimates[3].cost_nano_usd, 190, "there is time for turns");
    arena_free(arena);
}
