/* Counting who still needs a configuration. */
#include "serve/snapshot.h"

#include <stdlib.h>

enum status snapshot_create(const struct config *config, const struct model *model, bool owned,
                            struct snapshot **ret, struct error *err)
{
    struct snapshot *s = calloc(1, sizeof(*s));
    if (!s)
        return error_set(err, ERR_MEMORY, "out of memory for a configuration");
    enum status status = pool_create(config, model, &s->pool, err);
    if (status != OK) {
        free(s);
        return status;
    }
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
    if (s->owned) {
        model_free((struct model *)s->model);
        config_free((struct config *)s->config);
    }
    free(s);
}
