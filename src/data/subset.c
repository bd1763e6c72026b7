/* Copies the rows, shares everything behind them. */
#include "data/subset.h"

#include <string.h>

#include "base/check.h"

#define ARENA_CAP ((size_t)4 << 30)

static enum status fill(struct dataset *s, const struct dataset *d, const uint32_t *rows,
                        size_t count, struct error *err)
{
    size_t experts = d->expert_count;
    s->path = d->path;
    s->experts = d->experts;
    s->expert_count = experts;
    s->query_count = count;
    s->has_answers = d->has_answers;
    s->queries = ARENA_ARRAY(s->arena, count, struct query);
    if (d->outcomes)
        s->outcomes = ARENA_ARRAY(s->arena, count * experts, struct outcome);
    if (!s->queries || (d->outcomes && !s->outcomes))
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < count; i++) {
        CHECK(rows[i] < d->query_count);
        s->queries[i] = d->queries[rows[i]];
        if (d->outcomes)
            memcpy(s->outcomes + i * experts, d->outcomes + (size_t)rows[i] * experts,
                   experts * sizeof(*s->outcomes));
    }
    return OK;
}

enum status dataset_subset(const struct dataset *d, const uint32_t *rows, size_t count,
                           struct dataset **ret, struct error *err)
{
    struct arena *a = arena_create(ARENA_CAP);
    struct dataset *s = a ? ARENA_NEW(a, struct dataset) : NULL; /* dataset_free frees the arena */
    if (!s) {
        arena_free(a);
        return error_set(err, ERR_MEMORY, "out of memory");
    }
    s->arena = a;
    enum status status = fill(s, d, rows, count, err);
    if (status != OK)
        dataset_free(s);
    else
        *ret = s;
    return status;
}
