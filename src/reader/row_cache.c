/* All rows lie in one array that grows by doubling up to its limit, with chains of indices by key and a list by use:
 * a full cache replaces its oldest row where it lies, and nothing is allocated any more.
 *
 * Its owner calls with a lock held, from any thread, so nothing here may wait; memory that cannot be had means that
 * fewer rows are kept, and is never an error. */
#include "reader/row_cache.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NONE       UINT32_MAX
#define SLOTS_FEW  64u
#define SLOTS_MOST (1u << 22)

struct slot {
    struct digest key;
    uint32_t chain, older, newer;
};

struct row_cache {
    size_t width, limit; /* `limit`: slots at most */
    struct slot *slots;  /* [room] */
    float *rows;         /* [room × width] */
    uint32_t *buckets;   /* [bucket_count], a power of two */
    size_t count, room, bucket_count;
    uint32_t newest, oldest;
};

struct row_cache *row_cache_create(size_t width, size_t bytes_max)
{
    struct row_cache *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    size_t each = sizeof(struct slot) + width * sizeof(float) + sizeof(uint32_t);
    c->width = width;
    c->limit = bytes_max / each < SLOTS_MOST ? bytes_max / each : SLOTS_MOST;
    c->newest = c->oldest = NONE;
    return c;
}

void row_cache_free(struct row_cache *c)
{
    if (!c)
        return;
    free(c->slots);
    free(c->rows);
    free(c->buckets);
    free(c);
}

/* The digest's bits are as good as random. */
static uint32_t *bucket_of(const struct row_cache *c, const struct digest *key)
{
    uint64_t at;
    memcpy(&at, key->bytes, sizeof(at));
    return &c->buckets[at & (c->bucket_count - 1)];
}

static uint32_t find(const struct row_cache *c, const struct digest *key)
{
    if (!c->bucket_count)
        return NONE;
    uint32_t at = *bucket_of(c, key);
    while (at != NONE && !digest_equal(&c->slots[at].key, key))
        at = c->slots[at].chain;
    return at;
}

static void list_remove(struct row_cache *c, uint32_t at)
{
    const struct slot *s = &c->slots[at];
    *(s->newer != NONE ? &c->slots[s->newer].older : &c->newest) = s->older;
    *(s->older != NONE ? &c->slots[s->older].newer : &c->oldest) = s->newer;
}

static void list_add(struct row_cache *c, uint32_t at)
{
    c->slots[at].newer = NONE;
    c->slots[at].older = c->newest;
    *(c->newest != NONE ? &c->slots[c->newest].newer : &c->oldest) = at;
    c->newest = at;
}

static void chain_add(struct row_cache *c, uint32_t at)
{
    uint32_t *bucket = bucket_of(c, &c->slots[at].key);
    c->slots[at].chain = *bucket;
    *bucket = at;
}

static void chain_remove(struct row_cache *c, uint32_t at)
{
    uint32_t *link = bucket_of(c, &c->slots[at].key);
    while (*link != at)
        link = &c->slots[*link].chain;
    *link = c->slots[at].chain;
}

/* Twice the room; where memory is short it stays as it is. */
static void grow(struct row_cache *c)
{
    size_t room = c->room ? c->room * 2 : SLOTS_FEW, buckets = SLOTS_FEW;
    room = room < c->limit ? room : c->limit;
    while (buckets < room)
        buckets *= 2;
    struct slot *slots = realloc(c->slots, room * sizeof(*slots));
    c->slots = slots ? slots : c->slots;
    float *rows = slots ? realloc(c->rows, room * c->width * sizeof(*rows)) : NULL;
    c->rows = rows ? rows : c->rows;
    uint32_t *table = rows ? malloc(buckets * sizeof(*table)) : NULL;
    if (!table)
        return;
    free(c->buckets);
    c->buckets = table;
    c->bucket_count = buckets;
    c->room = room;
    for (size_t i = 0; i < buckets; i++)
        table[i] = NONE;
    for (size_t i = 0; i < c->count; i++)
        chain_add(c, (uint32_t)i);
}

const float *row_cache_get(struct row_cache *c, const struct digest *key)
{
    uint32_t at = find(c, key);
    if (at == NONE)
        return NULL;
    list_remove(c, at);
    list_add(c, at);
    return c->rows + at * c->width;
}

void row_cache_put(struct row_cache *c, const struct digest *key, const float *row)
{
    if (row_cache_get(c, key))
        return;
    if (c->count == c->room && c->room < c->limit)
        grow(c);
    if (!c->room || !c->rows) /* none may be kept, or there was no memory for one */
        return;
    uint32_t at = (uint32_t)c->count;
    if (c->count < c->room) {
        c->count++;
    } else {
        at = c->oldest;
        list_remove(c, at);
        chain_remove(c, at);
    }
    c->slots[at].key = *key;
    memcpy(c->rows + at * c->width, row, c->width * sizeof(*row));
    chain_add(c, at);
    list_add(c, at);
}

size_t row_cache_count(const struct row_cache *c)
{
    return c->count;
}
