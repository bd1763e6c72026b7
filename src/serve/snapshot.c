/* Making snapshots, and counting the requests and threads that still hold one. */
#include "serve/snapshot.h"

#include <stdlib.h>

#include "base/clock.h"
#include "verify/verify.h"

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

static enum status open_verifiers(struct snapshot *s, struct error *err)
{
    const struct config *c = s->config;
    enum status status = OK;
    if (!c->verify)
        return OK;
    s->verifiers = calloc(c->policy_count, sizeof(*s->verifiers));
    if (!s->verifiers)
        return error_set(err, ERR_MEMORY, "out of memory for a configuration");
    for (size_t i = 0; i < c->policy_count && status == OK; i++)
        if (c->verify[i].kind != VERIFY_NONE && c->verify[i].kind != VERIFY_EXPERT)
            status = verifier_create(&c->verify[i], &s->verifiers[i], err);
    return status;
}

static void close_verifiers(struct snapshot *s)
{
    for (size_t i = 0; s->verifiers && i < s->config->policy_count; i++)
        verifier_free(s->verifiers[i]);
    free(s->verifiers);
}

/* One piece: what is made is unmade in the opposite order where something fails. */
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
    s->config = config;
    if (status == OK)
        status = open_verifiers(s, err);
    if (status == OK)
        status = bind_gates(s, config, err);
    if (status != OK) {
        close_verifiers(s);
        pool_free(s->pool);
        free(s->gates);
        free(s);
        return status;
    }
    static atomic_uint_fast64_t generations;
    s->generation = atomic_fetch_add(&generations, 1);
    atomic_store(&s->holders, 1);
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
    close_verifiers(s);
    pool_free(s->pool);
    gates_release(s->table, s->gates, s->config->expert_count + s->config->embedder_count);
    free(s->gates);
    if (s->owned) {
        model_free((struct model *)s->model);
        config_free((struct config *)s->config);
    }
    free(s);
}
