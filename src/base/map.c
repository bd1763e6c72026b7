/* Open addressing with linear probing; at most half of the slots are taken, so a search always ends. */
#include "base/map.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/hash.h"

struct slot {
    struct str key; /* ptr NULL: empty */
    uint64_t hash;
    uint32_t value;
};

struct map {
    struct slot *slots;
    size_t capacity, count; /* capacity is a power of two */
};

static const char empty_key[] = "";

struct map *map_create(size_t expected)
{
    struct map *m = calloc(1, sizeof(*m));
    if (!m)
        return NULL;
    m->capacity = 16;
    while (m->capacity / 2 < expected && m->capacity < SIZE_MAX / 4)
        m->capacity *= 2;
    m->slots = calloc(m->capacity, sizeof(*m->slots));
    if (!m->slots) {
        free(m);
        return NULL;
    }
    return m;
}

void map_free(struct map *m)
{
    if (!m)
        return;
    free(m->slots);
    free(m);
}

static struct slot *find(const struct map *m, struct str key, uint64_t hash)
{
    size_t mask = m->capacity - 1;
    for (size_t i = (size_t)hash & mask;; i = (i + 1) & mask) {
        struct slot *s = &m->slots[i];
        if (!s->key.ptr || (s->hash == hash && str_equal(s->key, key)))
            return s;
    }
}

static enum status grow(struct map *m)
{
    struct map bigger = {.capacity = m->capacity * 2, .count = m->count};
    bigger.slots = calloc(bigger.capacity, sizeof(*bigger.slots));
    if (!bigger.slots)
        return ERR_MEMORY;
    for (size_t i = 0; i < m->capacity; i++)
        if (m->slots[i].key.ptr)
            *find(&bigger, m->slots[i].key, m->slots[i].hash) = m->slots[i];
    free(m->slots);
    *m = bigger;
    return OK;
}

enum status map_put(struct map *m, struct str key, uint32_t value)
{
    if ((m->count + 1) * 2 > m->capacity && grow(m) != OK)
        return ERR_MEMORY;
    if (!key.ptr)
        key.ptr = empty_key;
    uint64_t hash = hash64(key, 0);
    struct slot *s = find(m, key, hash);
    if (!s->key.ptr)
        m->count++;
    CHECK(m->count < m->capacity);
    *s = (struct slot){key, hash, value};
    return OK;
}

bool map_get(const struct map *m, struct str key, uint32_t *ret)
{
    const struct slot *s = find(m, key, hash64(key, 0));
    if (!s->key.ptr)
        return false;
    *ret = s->value;
    return true;
}

size_t map_count(const struct map *m)
{
    return m->count;
}
