/* Which arms are too slow: see in_time.h. */
#include "route/in_time.h"

#include <string.h>

#include "predict/timed.h"

static const char over_max_latency[] = "over max_latency";

static bool is_limited(const struct pool_choice *c, const bool *use)
{
    const struct pool_target *t = &c->target;
    bool stays = t->is_held && t->holder != SIZE_MAX && use[t->holder];
    return c->policy.max_latency_ms > 0 && t->latency_ms && !stays;
}

static void fill_latencies(const struct pool_choice *c, size_t arm, uint32_t *ms)
{
    const struct plan *p = &c->arms[arm];
    for (size_t k = 0; k < p->member_count; k++)
        ms[k] = c->target.latency_ms[p->members[k]];
}

static uint64_t arm_ms(const struct pool_choice *c, size_t arm)
{
    uint32_t ms[PLAN_MEMBERS_MAX] = {0};
    fill_latencies(c, arm, ms);
    return timed_plan_ms(&c->arms[arm], ms);
}

void in_time_rule_out(struct pool_choice *c, size_t from, bool *use)
{
    uint64_t quickest = UINT64_MAX, most = c->policy.max_latency_ms;
    if (!is_limited(c, use))
        return;
    for (size_t i = from; i < c->arm_count; i++)
        if (use[i] && arm_ms(c, i) < quickest)
            quickest = arm_ms(c, i);
    most = quickest > most ? quickest : most;
    for (size_t i = from; i < c->arm_count; i++)
        if (use[i] && arm_ms(c, i) > most) {
            use[i] = false;
            c->ruled_out[i] = over_max_latency;
        }
}

static void price(const struct pool_choice *c, size_t arm, struct estimate *e)
{
    const struct plan *p = &c->arms[arm];
    struct plan_state s = {.is_timed = true,
                           .left_ms = c->policy.max_latency_ms,
                           .calls_max = (uint8_t)c->policy.max_calls};
    fill_latencies(c, arm, s.latency_ms);
    for (size_t k = 0; k < p->member_count; k++)
        s.members[k] = &c->estimates[p->members[k]];
    timed_estimate(p, &s, e);
}

enum status in_time_price(const bool *use, struct arena *a, struct pool_choice *c,
                          struct error *err)
{
    if (!is_limited(c, use))
        return OK;
    struct estimate *own = ARENA_ARRAY(a, c->arm_count, struct estimate);
    if (!own)
        return error_set(err, ERR_MEMORY, "out of memory for a decision");
    memcpy(own, c->estimates, c->arm_count * sizeof(*own));
    for (size_t i = 0; i < c->arm_count; i++)
        if (use[i] && c->arms[i].kind == PLAN_SEQUENTIAL)
            price(c, i, &own[i]);
    c->estimates = own;
    return OK;
}
