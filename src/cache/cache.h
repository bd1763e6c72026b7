/* Answers kept for requests that come again exactly as they were. Shared by all threads. Bounded in bytes: the least
 * recently used entry is dropped first, and none is given out past its time to live. What makes two requests the same
 * is defined in cache_key.h. An entry is immutable and counted, so that one that is held can still be read after it was
 * dropped. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/error.h"
#include "base/str.h"

struct cache;

struct cache_face { /* how an answer came to be; texts are copied */
    struct str expert, plan;
    double quality, lambda;
    int64_t reference_nano_usd; /* as in struct record */
    size_t expert_index;        /* of the configuration that the key stands for */
};

struct cache_entry {
    atomic_size_t holders;
    struct digest key;
    uint64_t stored_ms; /* monotonic */
    struct cache_face face;
    bool streamed;    /* bytes are events as ask/held_events.h has them; else a chat completion */
    struct str bytes; /* behind this, in the same memory, as are the face's texts */
    struct cache_entry *chain, *older, *newer;
};

struct cache_limits {
    size_t bytes_max;       /* of all entries, with what they need beside their bytes */
    size_t entry_bytes_max; /* a larger answer is not kept */
    uint64_t ttl_ms;
};

struct cache *cache_create(const struct cache_limits *limits); /* NULL: no memory */
void cache_free(struct cache *c);                              /* NULL is fine; held entries stay */
/* Held; NULL: not there, or stored longer ago than max_age_ms or the time to live. */
struct cache_entry *cache_get(struct cache *c, const struct digest *key, uint64_t now_ms,
                              uint64_t max_age_ms);
void cache_release(struct cache_entry *e); /* NULL is fine */
/* Copies; replaces. Does nothing where an answer is too large or memory is short: then it is asked for again. */
void cache_put(struct cache *c, const struct digest *key, uint64_t now_ms,
               const struct cache_face *face, bool streamed, struct str bytes);
size_t cache_entry_bytes_max(const struct cache *c);

struct cache_counts {
    size_t entries, bytes;
};
void cache_counts(struct cache *c, struct cache_counts *ret);

/* What a request's Cache-Control says; directives that are not for us are passed over. */
struct cache_control {
    bool no_store, no_cache, only_if_cached;
    uint64_t max_age_ms; /* UINT64_MAX: not given */
};
struct cache_control cache_control_read(struct str header);
