/* What a request is decided by: configuration, model, pool. Immutable (but for the budgets inside the pool, which have
 * locks), counted, swapped whole: a request keeps the one it began with to its end, whatever is loaded meanwhile. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "config/config.h"
#include "gate/gate.h"
#include "predict/model.h"
#include "route/pool.h"

struct verifier;

struct snapshot {
    atomic_size_t holders;
    const struct config *config;
    const struct model *model;
    struct pool *pool;
    struct verifier *
        *verifiers; /* [policy_count]; NULL where answers are not checked in this process */
    struct gates *table;
    struct gate **gates; /* [expert_count + embedder_count] of the table; they outlive this */
    uint64_t generation; /* of the process: no two snapshots have the same */
    bool owned;          /* configuration and model go with it; else they are the caller's */
};

/* Held once. On success an owned snapshot has taken configuration and model. config_bind must have succeeded. `gates`
 * must outlive it; the settings of its experts are in force there when this returns. */
NODISCARD enum status snapshot_create(const struct config *config, const struct model *model,
                                      struct gates *gates, bool owned, struct snapshot **ret,
                                      struct error *err);
struct snapshot *snapshot_hold(struct snapshot *s); /* any thread; returns s */
void snapshot_release(struct snapshot *s);          /* the last one frees it; NULL is fine */
