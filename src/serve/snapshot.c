/* Making snapshots, and counting the requests and threads that still hold one. */
#include "serve/snapshot.h"

#include <stdlib.h>

#include "base/clock.h"

static enum status bind_gates(struct snapshot *s, const struct config *c, struct error *err)
{
    uint64_t now = clock_now_ms();
    size_t experts = c->expert_count;
    s->gates = calloc(experts + c->embedder_count, sizeof(struct gate *));
    if (!s->gates)
        return error_set(err, ERR_MEMORY, "out of memory for a configuration");
    enum status status = gates_bind(s->table, GATE_CHAT, c->experts, experts, now, s->gates, err);
    if (status != OK)
        return status;
    status = gates_bind(s->table, GATE_EMBEDDINGS, c->embedders, c->embedder_count, now,
                        s->gates + experts, err);
    if (status != OK)
        gates_release(s->table, s->gates, experts);
    return status;
}

enum status snapshot_create(const struct config *config, const struct model *model,
                            struct gates *gates, bool owned, struct snapshot **ret,
                            struct error *err)
{
    struct snapshot *s = calloc(1, sizeof(*s));
    if (!s)
        return error_set(err, ERR_MEMORY, "out of memory for a configuration");
    s->table = gates;
    const struct pool_settings settings = config_pool_settings(config);
    enum status status = pool_create(&settings, model, &s->pool, err);
    if (status == OK)
        status = bind_gates(s, config, err);
    if (status != OK) {
        pool_free(s->pool);
        free(s->gates);
        free(s);
        return status;
    }
    static atomic_uint_fast64_t generations;
    s->generation = atomic_fetch_add(&generations, 1);
    atomic_store(&s->holders, 1);
    s->config = config;
    s->model = model;
    s->owned = owned;
    *ret = s;
    return OK;
}

struct snapshot *snapshot_hold(struct snapshot *s)
{
    atomic_fetch_add_explicit(&s->holders, 1, memory_order_relaxed);
    return s;
}

void snapshot_release(struct snapshot *s)
{
    if (!s || atomic_fetch_sub(&s->holders, 1) != 1)
        return;
    pool_free(s->pool);
    gates_release(s->table, s->gates, s->config->expert_count + s->config->embedder_count);
    free(s->gates);
    if (s->owned) {
        model_free((struct model *)s->model);
        config_free((struct config *)s->config);
    }
    free(s);
}
