/* Open addressing with linear probing; at most half of the slots are taken. Removing moves later entries back, so there
 * are no tombstones. */
#include "store/open_set.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/hash.h"

struct open_set {
    uint64_t *slots; /* 0: empty */
    size_t capacity, count, limit;
};

struct open_set *open_set_create(size_t limit)
{
    struct open_set *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->limit = limit;
    s->capacity = 16;
    while (s->capacity < 2 * limit)
        s->capacity *= 2;
    s->slots = calloc(s->capacity, sizeof(*s->slots));
    if (!s->slots) {
        free(s);
        return NULL;
    }
    return s;
}

void open_set_free(struct open_set *s)
{
    if (!s)
        return;
    free(s->slots);
    free(s);
}

static uint64_t hash_of(struct str id)
{
    uint64_t hash = hash64(id, 0);
    return hash ? hash : 1;
}

/* Where `hash` is, or the empty slot where it would be. */
static size_t find(const struct open_set *s, uint64_t hash)
{
    size_t at = (size_t)hash & (s->capacity - 1);
    while (s->slots[at] && s->slots[at] != hash)
        at = (at + 1) & (s->capacity - 1);
    return at;
}

bool open_set_add(struct open_set *s, struct str id)
{
    uint64_t hash = hash_of(id);
    size_t at = find(s, hash);
    if (s->slots[at] || s->count == s->limit)
        return false;
    s->slots[at] = hash;
    s->count++;
    return true;
}

bool open_set_remove(struct open_set *s, struct str id)
{
    size_t mask = s->capacity - 1, hole = find(s, hash_of(id));
    if (!s->slots[hole])
        return false;
    s->count--;
    for (size_t at = (hole + 1) & mask; s->slots[at]; at = (at + 1) & mask) {
        size_t home = (size_t)s->slots[at] & mask;
        if (((at - home) & mask) >= ((at - hole) & mask)) { /* it may stand in the hole */
            s->slots[hole] = s->slots[at];
            hole = at;
        }
    }
    s->slots[hole] = 0;
    return true;
}

size_t open_set_count(const struct open_set *s)
{
    return s->count;
}

size_t open_set_limit(const struct open_set *s)
{
    return s->limit;
}
