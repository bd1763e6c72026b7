/* Copies the rows of a data set and shares everything that they point to. */
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
    s->prices = d->prices;
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

/* dataset_free frees the arena that the set itself lives in. */
static struct dataset *subset_create(void)
{
    struct arena *a = arena_create(ARENA_CAP);
    struct dataset *s = a ? ARENA_NEW(a, struct dataset) : NULL;
    if (s)
        s->arena = a;
    else
        arena_free(a);
    return s;
}

enum status dataset_subset(const struct dataset *d, const uint32_t *rows, size_t count,
                           struct dataset **ret, struct error *err)
{
    struct dataset *s = subset_create();
    if (!s)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = fill(s, d, rows, count, err);
    if (status != OK)
        dataset_free(s);
    else
        *ret = s;
    return status;
}

static enum status fill_experts(struct dataset *s, const struct dataset *d, const size_t *experts,
                                size_t count)
{
    s->path = d->path;
    s->queries = d->queries;
    s->query_count = d->query_count;
    s->expert_count = count;
    s->has_answers = d->has_answers;
    s->experts = ARENA_ARRAY(s->arena, count, struct dataset_expert);
    if (d->outcomes)
        s->outcomes = ARENA_ARRAY(s->arena, count * d->query_count, struct outcome);
    if (d->prices)
        s->prices = ARENA_ARRAY(s->arena, count, struct dataset_price);
    if (!s->experts || (d->outcomes && !s->outcomes) || (d->prices && !s->prices))
        return ERR_MEMORY;
    for (size_t i = 0; i < count; i++) {
        CHECK(experts[i] < d->expert_count);
        s->experts[i] = d->experts[experts[i]];
        if (d->prices)
            s->prices[i] = d->prices[experts[i]];
        for (size_t q = 0; d->outcomes && q < d->query_count; q++)
            s->outcomes[q * count + i] = *dataset_outcome(d, q, experts[i]);
    }
    return OK;
}

enum status dataset_subset_experts(const struct dataset *d, const size_t *experts, size_t count,
                                   struct dataset **ret, struct error *err)
{
    struct dataset *s = subset_create();
    if (!s || fill_experts(s, d, experts, count) != OK) {
        dataset_free(s);
        return error_set(err, ERR_MEMORY, "out of memory");
    }
    *ret = s;
    return OK;
}
