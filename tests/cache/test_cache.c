/* The cache of answers: what it gives, what it forgets, and that threads may share it. */
#include "cache/cache.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_MS 3600000u

static struct digest key_of(unsigned n)
{
    struct digest d;
    char text[16];
    snprintf(text, sizeof(text), "%u", n);
    cr_assert_eq(digest_sha256(str_from(text), &d, NULL), OK);
    return d;
}

static struct cache *new_cache(size_t bytes, uint64_t ttl_ms)
{
    struct cache *c =
        cache_create(&(struct cache_limits){bytes, bytes < 8192 ? bytes : 8192, ttl_ms});
    cr_assert_not_null(c);
    return c;
}

static void put(struct cache *c, unsigned n, uint64_t now_ms, const char *text)
{
    const struct cache_face face = {.expert = STR("expert"), .plan = STR("single"), .quality = 0.5};
    struct digest key = key_of(n);
    cache_put(c, &key, now_ms, &face, false, str_from(text));
}

static bool has(struct cache *c, unsigned n, uint64_t now_ms, const char *text)
{
    struct digest key = key_of(n);
    struct cache_entry *e = cache_get(c, &key, now_ms, UINT64_MAX);
    bool found = e && str_equal(e->bytes, str_from(text));
    if (e)
        cr_assert(found, "another's answer: %.*s", STR_FMT(e->bytes));
    cache_release(e);
    return found;
}

static struct cache_counts counts_of(struct cache *c)
{
    struct cache_counts n;
    cache_counts(c, &n);
    return n;
}

Test(cache, gives_what_was_put)
{
    struct cache *c = new_cache(1u << 20, HOUR_MS);
    cr_assert_not(has(c, 1, 0, ""));
    put(c, 1, 0, "one");
    put(c, 2, 0, "two");
    cr_assert(has(c, 1, 5, "one"));
    cr_assert(has(c, 2, 5, "two"));
    put(c, 1, 10, "other"); /* replaces */
    cr_assert(has(c, 1, 10, "other"));
    cr_assert_eq(counts_of(c).entries, 2);
    struct digest key = key_of(2);
    struct cache_entry *e = cache_get(c, &key, 7, UINT64_MAX);
    cr_assert(str_equal(e->face.expert, STR("expert")));
    cr_assert(str_equal(e->face.plan, STR("single")));
    cr_assert_eq(e->face.quality, 0.5);
    cache_free(c);
    cr_assert(str_equal(e->bytes, STR("two"))); /* held */
    cache_release(e);
}

Test(cache, time)
{
    struct cache *c = new_cache(1u << 20, 100);
    struct digest key = key_of(1);
    put(c, 1, 1000, "x");
    cr_assert(has(c, 1, 1099, "x"));
    cr_assert_null(cache_get(c, &key, 1050, 49));
    struct cache_entry *e = cache_get(c, &key, 1050, 50);
    cr_assert_not_null(e);
    cache_release(e);
    e = cache_get(c, &key, 900, 0); /* another thread's clock is behind */
    cr_assert_not_null(e);
    cache_release(e);
    cr_assert_not(has(c, 1, 1100, "x"));
    cr_assert_eq(counts_of(c).entries, 0);
    cr_assert_eq(counts_of(c).bytes, 0);
    cache_free(c);
}

/* Against a plain model of it: an array in order of use. */
Test(cache, the_longest_unused_goes_first)
{
    enum { KEYS = 40, FIT = 10 };
    char text[2001];
    memset(text, 'x', 2000);
    text[2000] = '\0';
    size_t one = sizeof(struct cache_entry) + 2000 + sizeof("expertsingle") - 1;
    struct cache *c = new_cache(FIT * one, HOUR_MS);
    unsigned used[FIT], count = 0, seed = 7, hits = 0;
    for (int step = 0; step < 3000; step++) {
        seed = seed * 1103515245u + 12345u;
        unsigned n = (seed >> 16) % KEYS, at = 0;
        while (at < count && used[at] != n)
            at++;
        bool known = at < count;
        cr_assert_eq(has(c, n, (uint64_t)step, text), known, "step %d", step);
        hits += known;
        if (!known) {
            put(c, n, (uint64_t)step, text);
            at = count < FIT ? count++ : FIT - 1;
        }
        memmove(used + 1, used, at * sizeof(*used));
        used[0] = n;
        cr_assert_eq(counts_of(c).entries, count);
        cr_assert_leq(counts_of(c).bytes, FIT * one);
    }
    cr_assert_gt(hits, 100);
    cache_free(c);
}

Test(cache, what_is_too_large_is_not_kept)
{
    struct cache *c = new_cache(65536, HOUR_MS);
    char *text = calloc(1, 8194);
    memset(text, 'x', 8192);
    put(c, 1, 0, text);
    cr_assert(has(c, 1, 0, text));
    text[8192] = 'x';
    put(c, 2, 0, text);
    cr_assert_not(has(c, 2, 0, text));
    cache_free(c);
    c = new_cache(100, HOUR_MS); /* no entry fits */
    put(c, 1, 0, "x");
    cr_assert_eq(counts_of(c).entries, 0);
    cache_free(c);
    free(text);
}

struct sharing {
    struct cache *cache;
    unsigned seed;
};

static void *share(void *arg)
{
    struct sharing *s = arg;
    char text[600];
    for (int i = 0; i < 4000; i++) {
        s->seed = s->seed * 1103515245u + 12345u;
        unsigned n = (s->seed >> 16) % 200;
        memset(text, (char)('a' + n % 26), sizeof(text));
        text[n + 1] = '\0';
        if (!has(s->cache, n, (uint64_t)i, text))
            put(s->cache, n, (uint64_t)i, text);
    }
    return NULL;
}

/* For the thread sanitizer, too. */
Test(cache, threads_share_it)
{
    pthread_t threads[4];
    struct sharing s[4];
    struct cache *c = new_cache(20000, HOUR_MS);
    for (unsigned i = 0; i < 4; i++) {
        s[i] = (struct sharing){c, i + 1};
        pthread_create(&threads[i], NULL, share, &s[i]);
    }
    for (unsigned i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    cr_assert_leq(counts_of(c).bytes, 20000);
    cr_assert_gt(counts_of(c).entries, 0);
    cache_free(c);
}

Test(cache, cache_control)
{
    struct cache_control c = cache_control_read(STR(""));
    cr_assert(!c.no_store && !c.no_cache && !c.only_if_cached);
    cr_assert_eq(c.max_age_ms, UINT64_MAX);
    c = cache_control_read(STR(" No-Store ,only-if-cached, max-age = 30"));
    cr_assert(c.no_store && c.only_if_cached && !c.no_cache);
    cr_assert_eq(c.max_age_ms, 30000);
    c = cache_control_read(
        STR("private,,=,no-cache=\"set-cookie\",max-age=\"5\",x=y,stale-if-error"));
    cr_assert(c.no_cache && !c.no_store);
    cr_assert_eq(c.max_age_ms, 5000);
    cr_assert_eq(cache_control_read(STR("max-age=-1")).max_age_ms, 0);
    cr_assert_eq(cache_control_read(STR("max-age=\"")).max_age_ms, 0);
    cr_assert_eq(cache_control_read(STR("max-age")).max_age_ms, 0);
    cr_assert_eq(cache_control_read(STR("max-age=99999999999999999")).max_age_ms,
                 UINT64_C(31536000000));
    cr_assert(!cache_control_read(STR("no-storex,xno-cache")).no_store);
}
