/* The bars of health, laid over those that are there already. */
#include "route/candidates.h"

#include <string.h>

static enum status copy_bars(const struct pool *p, struct pool_target *target, struct arena *a,
                             struct error *err)
{
    size_t count = pool_settings(p)->expert_count;
    if (!target->barred)
        return OK;
    struct pool_bar *copy = ARENA_ARRAY(a, count, struct pool_bar);
    if (!copy)
        return error_set(err, ERR_MEMORY, "out of memory for a decision");
    memcpy(copy, target->barred, count * sizeof(*copy));
    target->barred = copy;
    return OK;
}

/* Leaving the expert amid a turn costs what only that one can read, and its prompt cache. */
static bool is_worth_waiting_for(struct gate *gate, const struct pool_target *t, size_t expert,
                                 uint64_t now_ms)
{
    uint64_t until = 0;
    return t->is_held && t->holder == expert && gate_cools(gate, now_ms, now_ms, &until) &&
           until - now_ms <= CANDIDATES_HOLD_MS;
}

/* *ret: with them. False: nobody is to be barred, and *ret is not there. */
static enum status add_bars(const struct pool *p, struct gate *const *gates,
                            struct pool_target target, uint64_t now_ms, struct arena *a,
                            struct pool_target *ret, bool *ret_any, struct error *err)
{
    enum status status = OK;
    bool any = false;
    for (size_t i = 0; status == OK && i < pool_settings(p)->expert_count; i++) {
        uint64_t until = 0;
        const char *why = gate_barred(gates[i], now_ms, &until);
        if (!why || is_worth_waiting_for(gates[i], &target, i, now_ms))
            continue;
        if (!any)
            status = copy_bars(p, &target, a, err);
        any = true;
        if (status == OK)
            status = pool_bar_expert(p, &target, i, (struct pool_bar){why, ERR_OVERLOAD}, a, err);
    }
    if (status == OK) {
        *ret = target;
        *ret_any = any;
    }
    return status;
}

/* How long each is expected to take, where that counts. */
static enum status add_latencies(const struct pool *p, struct gate *const *gates, uint64_t now_ms,
                                 struct arena *a, struct pool_target *target, struct error *err)
{
    const struct pool_settings *s = pool_settings(p);
    bool limited = target->max_latency_ms > 0;
    if (target->policy == SIZE_MAX)
        return OK;
    if (!limited && s->policies[target->policy].policy.max_latency_ms == 0)
        return OK;
    uint32_t *ms = ARENA_ARRAY(a, s->expert_count, uint32_t);
    if (!ms)
        return error_set(err, ERR_MEMORY, "out of memory for a decision");
    for (size_t i = 0; i < s->expert_count; i++)
        ms[i] = gate_latency_ms(gates[i], now_ms);
    target->latency_ms = ms;
    return OK;
}

enum status candidates_choose(struct pool *p, struct gate *const *gates,
                              const struct openai_request *request, struct pool_target target,
                              uint64_t now_ms, const struct request_estimates *e, struct arena *a,
                              struct pool_choice *ret, struct error *err)
{
    struct pool_target barred;
    bool any = false;
    enum status status = add_latencies(p, gates, now_ms, a, &target, err);
    if (status == OK)
        status = add_bars(p, gates, target, now_ms, a, &barred, &any, err);
    if (status == OK && any)
        status = pool_choose(p, request, barred, e, a, ret, err);
    if (status == OK && any)
        return OK;
    if (status != OK && !(any && status == ERR_OVERLOAD))
        return status;
    return pool_choose(p, request, target, e, a, ret, err);
}
