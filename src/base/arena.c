/* A chain of blocks, carved from the front, with one cap over all of them. Blocks double in size up to BLOCK_BYTES_MAX;
 * a larger request gets a block of its own size. A reset keeps the oldest block, so that the next small request
 * allocates nothing.
 *
 * An arena belongs to one thread at a time and has no lock. A cleanup must not allocate from its arena: the memory goes
 * right after it. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#define POISON(p, n)   ASAN_POISON_MEMORY_REGION((p), (n))
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
#else
#define POISON(p, n)   ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

#define ALIGNMENT       16u
#define BLOCK_BYTES     (16u << 10)
#define BLOCK_BYTES_MAX (4u << 20) /* blocks double up to here */

#define CLEAR_BYTES 1024

struct block {
    struct block *next;
    size_t size, used;
    _Alignas(ALIGNMENT) unsigned char bytes[];
};

struct cleanup {
    struct cleanup *next;
    void (*fn)(void *);
    void *arg;
};

struct arena {
    struct block *blocks; /* newest first; the oldest is kept by reset */
    struct cleanup *cleanups;
    size_t cap, used, next_block;
};

static struct block *block_create(size_t size)
{
    struct block *b = malloc(sizeof(*b) + size);
    if (!b)
        return NULL;
    *b = (struct block){.size = size};
    POISON(b->bytes, size);
    return b;
}

static void block_free(struct block *b)
{
    UNPOISON(b->bytes, b->size);
    free(b);
}

struct arena *arena_create(size_t cap_bytes)
{
    struct arena *a = calloc(1, sizeof(*a));
    if (!a)
        return NULL;
    a->cap = cap_bytes;
    a->next_block = BLOCK_BYTES;
    return a;
}

static void run_cleanups(struct arena *a)
{
    while (a->cleanups) {
        struct cleanup *c = a->cleanups;
        a->cleanups = c->next;
        c->fn(c->arg);
    }
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    run_cleanups(a);
    while (a->blocks) {
        struct block *b = a->blocks;
        a->blocks = b->next;
        block_free(b);
    }
    free(a);
}

void arena_reset(struct arena *a)
{
    run_cleanups(a);
    while (a->blocks && a->blocks->next) {
        struct block *b = a->blocks;
        a->blocks = b->next;
        block_free(b);
    }
    if (a->blocks && a->blocks->size > BLOCK_BYTES) {
        block_free(a->blocks);
        a->blocks = NULL;
    }
    if (a->blocks) {
        a->blocks->used = 0;
        POISON(a->blocks->bytes, a->blocks->size);
    }
    a->used = 0;
    a->next_block = BLOCK_BYTES;
}

static bool add_block(struct arena *a, size_t need)
{
    size_t size = a->next_block > need ? a->next_block : need;
    struct block *b = block_create(size);
    if (!b)
        return false;
    b->next = a->blocks;
    a->blocks = b;
    if (a->next_block < BLOCK_BYTES_MAX)
        a->next_block *= 2;
    return true;
}

/* A few kilobytes at a time: for more, memset asks the processor for one long store, whose start takes longer than all
 * of what is cleared here. */
static void clear(unsigned char *p, size_t bytes)
{
    while (bytes > CLEAR_BYTES) {
        memset(p, 0, CLEAR_BYTES);
        p += CLEAR_BYTES;
        bytes -= CLEAR_BYTES;
    }
    memset(p, 0, bytes);
}

void *arena_alloc(struct arena *a, size_t bytes)
{
    CHECK(a->used <= a->cap);
    if (bytes > a->cap - a->used || bytes > SIZE_MAX / 2)
        return NULL;
    size_t padded = (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (!a->blocks || a->blocks->size - a->blocks->used < padded)
        if (!add_block(a, padded))
            return NULL;
    struct block *b = a->blocks;
    unsigned char *p = b->bytes + b->used;
    b->used += padded;
    a->used += bytes;
    UNPOISON(p, bytes);
    clear(p, bytes);
    return p;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return NULL;
    return arena_alloc(a, bytes);
}

struct str arena_copy(struct arena *a, struct str s)
{
    char *p = s.len < SIZE_MAX ? arena_alloc(a, s.len + 1) : NULL;
    if (!p)
        return (struct str){NULL, 0};
    if (s.len)
        memcpy(p, s.ptr, s.len);
    return (struct str){p, s.len};
}

char *arena_printf(struct arena *a, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    CHECK(n >= 0);
    char *p = arena_alloc(a, (size_t)n + 1);
    if (p)
        vsnprintf(p, (size_t)n + 1, format, again);
    va_end(again);
    return p;
}

enum status arena_defer(struct arena *a, void (*cleanup)(void *), void *arg)
{
    CHECK(cleanup);
    struct cleanup *c = ARENA_NEW(a, struct cleanup);
    if (!c)
        return ERR_MEMORY;
    *c = (struct cleanup){a->cleanups, cleanup, arg};
    a->cleanups = c;
    return OK;
}

size_t arena_used_bytes(const struct arena *a)
{
    return a->used;
}
