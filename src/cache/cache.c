/* Chained buckets and a list by last use under one lock, which is held for pointers only: entries are made and freed
 * outside of it. Any thread. An entry that was given out is counted and read-only, so that it outlives its place in the
 * table; nothing here may change one that is in it. What makes two requests the same is not decided here, but in
 * cache_key.c. */
#include "cache/cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

#define BUCKETS_MIN     64u
#define BUCKETS_MAX     (1u << 20)
#define BUCKET_BYTES    4096u /* of the cache's size, about an answer */
#define AGE_SECONDS_MAX UINT64_C(31536000)

struct cache {
    struct cache_limits limits;
    pthread_mutex_t lock; /* guards the rest, and the links of entries */
    struct cache_entry **buckets;
    size_t bucket_count; /* a power of two */
    struct cache_entry *newest, *oldest;
    size_t entries, bytes;
};

struct cache *cache_create(const struct cache_limits *limits)
{
    struct cache *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->limits = *limits;
    c->bucket_count = BUCKETS_MIN;
    while (c->bucket_count < BUCKETS_MAX && c->bucket_count < limits->bytes_max / BUCKET_BYTES)
        c->bucket_count *= 2;
    c->buckets = calloc(c->bucket_count, sizeof(struct cache_entry *));
    if (!c->buckets) {
        free(c);
        return NULL;
    }
    pthread_mutex_init(&c->lock, NULL); /* on Linux it cannot fail */
    return c;
}

static struct cache_entry *hold(struct cache_entry *e)
{
    atomic_fetch_add_explicit(&e->holders, 1, memory_order_relaxed);
    return e;
}

void cache_release(struct cache_entry *e)
{
    if (e && atomic_fetch_sub(&e->holders, 1) == 1)
        free(e);
}

/* The digest's bits are as good as random. */
static struct cache_entry **bucket_of(const struct cache *c, const struct digest *key)
{
    uint64_t at;
    CHECK(key);
    memcpy(&at, key->bytes, sizeof(at));
    return &c->buckets[at & (c->bucket_count - 1)];
}

static size_t size_of(const struct cache_entry *e)
{
    return sizeof(*e) + e->face.expert.len + e->face.plan.len + e->bytes.len;
}

/* Under the lock, as are the next three. */
static void list_remove(struct cache *c, struct cache_entry *e)
{
    *(e->newer ? &e->newer->older : &c->newest) = e->older;
    *(e->older ? &e->older->newer : &c->oldest) = e->newer;
    e->newer = e->older = NULL;
}

static void list_add(struct cache *c, struct cache_entry *e)
{
    e->older = c->newest;
    *(e->older ? &e->older->newer : &c->oldest) = e;
    c->newest = e;
}

/* The caller has what the cache held of it. */
static void take_out(struct cache *c, struct cache_entry *e)
{
    struct cache_entry **at = bucket_of(c, &e->key);
    while (*at != e)
        at = &(*at)->chain;
    *at = e->chain;
    e->chain = NULL;
    list_remove(c, e);
    c->entries--;
    c->bytes -= size_of(e);
}

static struct cache_entry *find(const struct cache *c, const struct digest *key)
{
    struct cache_entry *e = *bucket_of(c, key);
    while (e && memcmp(e->key.bytes, key->bytes, DIGEST_BYTES) != 0)
        e = e->chain;
    return e;
}

void cache_free(struct cache *c)
{
    if (!c)
        return;
    while (c->newest) {
        struct cache_entry *e = c->newest;
        take_out(c, e);
        cache_release(e);
    }
    pthread_mutex_destroy(&c->lock);
    free(c->buckets);
    free(c);
}

struct cache_entry *cache_get(struct cache *c, const struct digest *key, uint64_t now_ms,
                              uint64_t max_age_ms)
{
    struct cache_entry *found, *dead = NULL;
    pthread_mutex_lock(&c->lock);
    found = find(c, key);
    uint64_t age_ms = found && now_ms > found->stored_ms ? now_ms - found->stored_ms : 0;
    if (found && age_ms >= c->limits.ttl_ms) {
        dead = found;
        take_out(c, dead);
        found = NULL;
    } else if (found && age_ms > max_age_ms) {
        found = NULL;
    } else if (found) {
        list_remove(c, found);
        list_add(c, found);
        hold(found);
    }
    pthread_mutex_unlock(&c->lock);
    cache_release(dead);
    return found;
}

static struct str copy_to(char **at, struct str s)
{
    struct str copy = {*at, s.len};
    if (s.len > 0)
        memcpy(*at, s.ptr, s.len);
    *at += s.len;
    return copy;
}

static struct cache_entry *entry_create(const struct digest *key, const struct cache_face *face,
                                        struct str bytes)
{
    size_t tail = face->expert.len + face->plan.len + bytes.len;
    struct cache_entry *e = calloc(1, sizeof(*e) + tail);
    if (!e)
        return NULL;
    char *at = (char *)(e + 1);
    atomic_store(&e->holders, 1);
    e->key = *key;
    e->face = *face;
    e->face.expert = copy_to(&at, face->expert);
    e->face.plan = copy_to(&at, face->plan);
    e->bytes = copy_to(&at, bytes);
    return e;
}

/* One piece: the entry is made outside of the lock, and what it replaces is freed outside of it. */
void cache_put(struct cache *c, const struct digest *key, uint64_t now_ms,
               const struct cache_face *face, bool streamed, struct str bytes)
{
    struct cache_entry *dead = NULL, *e = NULL;
    if (bytes.len <= c->limits.entry_bytes_max)
        e = entry_create(key, face, bytes);
    if (!e)
        return;
    e->streamed = streamed;
    e->stored_ms = now_ms;
    if (size_of(e) > c->limits.bytes_max) {
        cache_release(e);
        return;
    }
    pthread_mutex_lock(&c->lock);
    struct cache_entry *before = find(c, key);
    while (before || c->bytes + size_of(e) > c->limits.bytes_max) {
        struct cache_entry *out = before ? before : c->oldest;
        take_out(c, out);
        out->chain = dead;
        dead = out;
        before = NULL;
    }
    struct cache_entry **at = bucket_of(c, key);
    e->chain = *at;
    *at = e;
    list_add(c, e);
    c->entries++;
    c->bytes += size_of(e);
    pthread_mutex_unlock(&c->lock);
    while (dead) {
        struct cache_entry *next = dead->chain;
        CHECK(next != dead);
        cache_release(dead);
        dead = next;
    }
}

size_t cache_entry_bytes_max(const struct cache *c)
{
    return c->limits.entry_bytes_max;
}

void cache_counts(struct cache *c, struct cache_counts *ret)
{
    pthread_mutex_lock(&c->lock);
    *ret = (struct cache_counts){c->entries, c->bytes};
    pthread_mutex_unlock(&c->lock);
}

/* Cache-Control */

/* A number that cannot be read is taken for 0, the careful reading (RFC 9111, 4.2.1). */
static uint64_t age_ms_of(struct str value)
{
    uint64_t seconds;
    if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"')
        value = str_slice(value, 1, value.len - 1);
    if (str_to_uint64(value, &seconds) != OK)
        return 0;
    return (seconds < AGE_SECONDS_MAX ? seconds : AGE_SECONDS_MAX) * 1000;
}

struct cache_control cache_control_read(struct str header)
{
    struct cache_control c = {.max_age_ms = UINT64_MAX};
    while (header.len > 0) {
        struct str value = str_split(&header, ',');
        struct str name = str_trim(str_split(&value, '='));
        c.no_store |= str_equal_nocase(name, STR("no-store"));
        c.no_cache |= str_equal_nocase(name, STR("no-cache"));
        c.only_if_cached |= str_equal_nocase(name, STR("only-if-cached"));
        if (str_equal_nocase(name, STR("max-age")))
            c.max_age_ms = age_ms_of(str_trim(value));
    }
    return c;
}
