/* A set-associative table: a prefix has one place of WAYS entries, and a lock guards many places. A new entry goes
 * where the same prefix stood, or where one has expired, or else where the oldest is. Any thread may look up and learn;
 * a lookup holds one lock, for a few comparisons. Nothing is allocated after the table was made, and no callback is
 * made with a lock held. */
#include "session/affinity.h"
#include "session/session_int.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"

#define WAYS          8
#define PLACES        (AFFINITY_ENTRIES / WAYS)
#define LOCKS         64
#define EXPERTS       1024 /* whose reports are kept; further ones are believed */
#define TRUST_FULL    1024
#define TRUST_STEP    4   /* a report moves trust by this part of the difference */
#define OPENAI_STRIDE 128 /* what OpenAI caches grows in steps of this */

struct entry {
    uint64_t prefix; /* 0: empty */
    uint64_t expert;
    uint64_t until_ms;
    uint32_t tokens;
};

struct trust {
    _Atomic uint64_t expert;  /* 0: free; set once */
    _Atomic uint32_t missing; /* TRUST_FULL less the trust, so that zero is full trust */
};

struct affinity {
    pthread_mutex_t locks[LOCKS];
    struct trust trust[EXPERTS];
    struct entry entries[PLACES][WAYS];
};

enum status affinity_create(struct affinity **ret, struct error *err)
{
    struct affinity *t = calloc(1, sizeof(*t));
    if (!t)
        return error_set(err, ERR_MEMORY, "out of memory for prompt caches");
    for (size_t i = 0; i < LOCKS; i++)
        CHECK(pthread_mutex_init(&t->locks[i], NULL) == 0);
    *ret = t;
    return OK;
}

void affinity_free(struct affinity *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&t->locks[i]);
    free(t);
}

/* Hashing. A message counts by its bytes, but for marks that say what to cache: clients move them at each turn. */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The member that begins at `at`, with the comma before it, or else the one behind. */
static void member_bounds(struct str s, size_t at, size_t *ret_from, size_t *ret_to)
{
    size_t from = at, to = str_find(s, STR("}"), at);
    to = to == SIZE_MAX ? s.len : to + 1;
    while (from > 0 && is_blank(s.ptr[from - 1]))
        from--;
    if (from > 0 && s.ptr[from - 1] == ',') {
        from--;
    } else {
        while (to < s.len && is_blank(s.ptr[to]))
            to++;
        if (to < s.len && s.ptr[to] == ',')
            to++;
        while (to < s.len && is_blank(s.ptr[to]))
            to++;
    }
    *ret_from = from;
    *ret_to = to;
}

/* Where "cache_control" stands, or SIZE_MAX: by its underscore, which is rare and found fast. */
static size_t find_mark(struct str s)
{
    static const char mark[] = "\"cache_control\"";
    const size_t len = sizeof(mark) - 1, before = strlen("\"cache");
    for (size_t at = before; at < s.len; at++) {
        const char *hit = memchr(s.ptr + at, '_', s.len - at);
        if (!hit)
            return SIZE_MAX;
        at = (size_t)(hit - s.ptr);
        if (at - before + len <= s.len && !memcmp(hit - before, mark, len))
            return at - before;
    }
    return SIZE_MAX;
}

uint64_t session_hash_unmarked(struct str message, uint64_t h, struct arena *a)
{
    size_t at = find_mark(message), from, to, len = 0;
    char *kept = at == SIZE_MAX ? NULL : arena_alloc(a, message.len);
    if (!kept)
        return hash64(message, h);
    for (; at != SIZE_MAX; at = find_mark(message)) {
        member_bounds(message, at, &from, &to);
        memcpy(kept + len, message.ptr, from);
        len += from;
        message = str_slice(message, to, message.len);
    }
    memcpy(kept + len, message.ptr, message.len);
    return hash64((struct str){kept, len + message.len}, h);
}

static bool is_preamble(struct json_value message)
{
    struct json_value role = json_get(message, "role");
    return json_string_equal(role, STR("system")) || json_string_equal(role, STR("developer"));
}

static void add_mark(struct affinity_prefix *p, struct affinity_mark end)
{
    if (p->count == AFFINITY_MARKS_MAX) {
        memmove(p->marks, p->marks + 1, (AFFINITY_MARKS_MAX - 1) * sizeof(p->marks[0]));
        p->count--;
    }
    p->marks[p->count++] = end;
}

void affinity_prefix_read(const struct openai_request *r, uint64_t tenant, struct arena *a,
                          struct affinity_prefix *ret)
{
    struct json_iter it = json_iter_begin(r->messages);
    struct json_value message;
    struct affinity_mark end = {.hash = hash64(r->tools.raw, tenant), .bytes = r->tools.raw.len};
    size_t skip = r->message_count > AFFINITY_MARKS_MAX ? r->message_count - AFFINITY_MARKS_MAX : 0;
    bool preamble = true;
    ret->count = 0;
    ret->system = (struct affinity_mark){0};
    if (!affinity_is_worth_it(r))
        return;
    bool marked = find_mark(r->messages.raw) != SIZE_MAX;
    for (size_t i = 0; json_array_next(&it, &message); i++) {
        preamble = preamble && is_preamble(message);
        end.hash = marked ? session_hash_unmarked(message.raw, end.hash, a)
                          : hash64(message.raw, end.hash);
        end.bytes += message.raw.len;
        if (preamble)
            ret->system = end;
        if (i >= skip)
            add_mark(ret, end);
    }
}

bool affinity_is_worth_it(const struct openai_request *r)
{
    return r->messages.raw.len + r->tools.raw.len >= AFFINITY_BYTES_MIN;
}

bool affinity_has_cache(const struct expert *e)
{
    return e->price.cached_saving_nano_usd_per_m > 0 && e->cache_ttl_ms > 0;
}

uint64_t session_expert_id(const struct expert *e)
{
    uint64_t h = hash64(e->url, hash64(e->upstream_model, hash64(e->name, 0)));
    return h ? h : 1;
}

/* Trust */

static struct trust *find_trust(struct affinity *t, uint64_t expert)
{
    for (size_t i = 0; i < EXPERTS; i++) {
        struct trust *at = &t->trust[(expert + i) % EXPERTS];
        uint64_t there = 0;
        if (atomic_load_explicit(&at->expert, memory_order_relaxed) == expert ||
            atomic_compare_exchange_strong(&at->expert, &there, expert) || there == expert)
            return at;
    }
    return NULL;
}

static uint32_t trusted(struct affinity *t, uint64_t expert, uint32_t tokens)
{
    const struct trust *at = find_trust(t, expert);
    uint32_t missing = at ? atomic_load_explicit(&at->missing, memory_order_relaxed) : 0;
    return (uint32_t)((uint64_t)tokens * (TRUST_FULL - missing) / TRUST_FULL);
}

/* Two reports at once may count as one: there will be others. */
static void hear_report(struct affinity *t, uint64_t expert, uint32_t believed, int64_t reported)
{
    struct trust *at = find_trust(t, expert);
    if (!at || believed == 0)
        return;
    uint64_t found = reported >= believed ? believed : reported > 0 ? (uint64_t)reported : 0;
    int32_t wanted = (int32_t)(TRUST_FULL - found * TRUST_FULL / believed);
    int32_t missing = (int32_t)atomic_load_explicit(&at->missing, memory_order_relaxed);
    int32_t step = (wanted - missing) / TRUST_STEP;
    if (step == 0)
        step = (wanted > missing) - (wanted < missing);
    atomic_store_explicit(&at->missing, (uint32_t)(missing + step), memory_order_relaxed);
}

/* The table */

static pthread_mutex_t *lock_of(struct affinity *t, size_t place)
{
    return &t->locks[place % LOCKS];
}

/* Fills in the tokens that experts are believed to hold of this prefix, for those of ids[count] that have none yet in
 * `into`. `left`: how many of them there are; returns how many remain. */
static size_t look_up(struct affinity *t, uint64_t prefix, const uint64_t *ids, size_t count,
                      uint64_t now_ms, size_t left, uint32_t *into)
{
    size_t place = prefix % PLACES;
    pthread_mutex_lock(lock_of(t, place));
    for (size_t w = 0; w < WAYS; w++) {
        const struct entry *e = &t->entries[place][w];
        if (e->prefix != prefix || e->until_ms <= now_ms)
            continue;
        for (size_t i = 0; i < count; i++)
            if (ids[i] == e->expert && into[i] == 0) {
                into[i] = e->tokens;
                left--;
            }
    }
    pthread_mutex_unlock(lock_of(t, place));
    return left;
}

/* into[count]: the tokens of the longest prefix that each expert is believed to hold. An id of 0 is left out. */
static void look_up_all(struct affinity *t, const struct affinity_prefix *p, const uint64_t *ids,
                        size_t count, uint64_t now_ms, uint32_t *into)
{
    size_t left = 0;
    memset(into, 0, count * sizeof(*into));
    for (size_t i = 0; i < count; i++)
        left += ids[i] != 0;
    for (size_t m = p->count; m > 0 && left > 0; m--)
        left = look_up(t, p->marks[m - 1].hash, ids, count, now_ms, left, into);
    if (left > 0 && p->count > 0 && p->system.bytes > 0)
        look_up(t, p->system.hash, ids, count, now_ms, left, into);
}

#define FIND_AT_ONCE 64

void affinity_find(struct affinity *t, const struct affinity_prefix *prefix,
                   const struct expert *experts, size_t count, uint64_t now_ms, uint32_t *into)
{
    uint64_t ids[FIND_AT_ONCE];
    for (size_t from = 0; from < count; from += FIND_AT_ONCE) {
        size_t n = count - from < FIND_AT_ONCE ? count - from : FIND_AT_ONCE;
        for (size_t i = 0; i < n; i++)
            ids[i] =
                affinity_has_cache(&experts[from + i]) ? session_expert_id(&experts[from + i]) : 0;
        look_up_all(t, prefix, ids, n, now_ms, into + from);
        for (size_t i = 0; i < n; i++)
            if (into[from + i] > 0)
                into[from + i] = trusted(t, ids[i], into[from + i]);
    }
}

static void put(struct affinity *t, struct entry fresh, uint64_t now_ms)
{
    size_t place = fresh.prefix % PLACES;
    struct entry *at = t->entries[place], *into = &at[0];
    pthread_mutex_lock(lock_of(t, place));
    for (size_t w = 0; w < WAYS; w++) {
        bool same = at[w].prefix == fresh.prefix && at[w].expert == fresh.expert;
        if (same) {
            into = &at[w];
            break;
        }
        if ((into->until_ms > now_ms) && at[w].until_ms < into->until_ms)
            into = &at[w];
    }
    *into = fresh;
    pthread_mutex_unlock(lock_of(t, place));
}

/* How much of its prompt an endpoint keeps. Some keep what they are told to and report it; one that reports what
 * it wrote into its cache is believed; the others are taken to keep all of it. */
static uint32_t kept_tokens(const struct expert *e, const struct token_counts *tokens)
{
    int64_t kept = tokens->cached + tokens->cache_write;
    if (!e->dialect->cache_is_ordered && tokens->cache_write == 0)
        kept = tokens->input / OPENAI_STRIDE * OPENAI_STRIDE;
    if (kept < AFFINITY_TOKENS_MIN)
        return 0;
    return kept < UINT32_MAX ? (uint32_t)kept : UINT32_MAX;
}

void affinity_learn(struct affinity *t, const struct affinity_prefix *prefix,
                    const struct expert *expert, const struct token_counts *tokens, uint64_t now_ms)
{
    uint32_t believed = 0;
    if (prefix->count == 0 || !affinity_has_cache(expert))
        return;
    const uint64_t id = session_expert_id(expert);
    const struct affinity_mark *whole = &prefix->marks[prefix->count - 1];
    look_up_all(t, prefix, &id, 1, now_ms, &believed);
    hear_report(t, id, believed, tokens->cached);
    struct entry fresh = {whole->hash, id, now_ms + expert->cache_ttl_ms,
                          kept_tokens(expert, tokens)};
    if (fresh.tokens == 0)
        return;
    put(t, fresh, now_ms);
    double share = (double)prefix->system.bytes / (double)whole->bytes;
    fresh.prefix = prefix->system.hash;
    fresh.tokens = (uint32_t)((double)fresh.tokens * share);
    if (prefix->system.bytes > 0 && fresh.tokens >= AFFINITY_TOKENS_MIN)
        put(t, fresh, now_ms);
}
