/* A chat and the cache of answers: looked up once the target is known and before an expert is chosen, kept while it is
 * relayed, stored when it has ended well. What is kept is the chat completion or its events, in front of all
 * translation, so that every front plays it back in its own words. On the worker's thread; the cache itself is shared
 * by all. Not for answers in a client's own dialect, which are never stored. */
#include "serve/chat_int.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/json.h"
#include "cache/cache.h"
#include "cache/cache_key.h"

#define AGE_BYTES_MAX 24

/* Client headers that an answer may depend on, beside x-leeroo-*. */
static bool matters(struct str name)
{
    static const char prefix[] = "x-leeroo-";
    return str_equal_nocase(str_slice(name, 0, sizeof(prefix) - 1), STR("x-leeroo-")) ||
           str_equal_nocase(name, STR("anthropic-beta")) ||
           str_equal_nocase(name, STR("anthropic-version")) ||
           str_equal_nocase(name, STR("accept-language"));
}

static enum status make_key(struct chat *c, struct error *err)
{
    struct cache_request q = {.tenant = client_key_id(c->caller ? c->caller->key : NULL),
                              .path = c->x->path,
                              .body = c->x->body,
                              .generation = c->snapshot->generation};
    for (size_t i = 0; i < c->x->header_count; i++) {
        const struct http_header *h = &c->x->headers[i];
        if (!matters(h->name))
            continue;
        if (q.header_count == CACHE_KEY_HEADERS_MAX)
            return error_set(err, ERR_TOO_LARGE, "more headers than a key is made of");
        q.headers[2 * q.header_count] = h->name;
        q.headers[2 * q.header_count + 1] = h->value;
        q.header_count++;
    }
    return cache_key_make(&q, c->x->arena, &c->cache.key, err);
}

static struct cache_entry *look(const struct chat *c, uint64_t max_age_ms)
{
    const struct config *config = c->snapshot->config;
    uint64_t ttl_ms = config->cache.ttl_ms;
    struct cache_entry *e =
        cache_get(c->worker->gateway->cache, &c->cache.key, loop_now_ms(c->worker->loop),
                  max_age_ms < ttl_ms ? max_age_ms : ttl_ms);
    if (!e || caller_may_use(c->caller, c->snapshot->pool, SIZE_MAX, e->face.expert_index))
        return e;
    cache_release(e); /* the key lost the expert in between */
    return NULL;
}

enum status chat_cache_look(struct chat *c, const char **code, struct error *err)
{
    if (!c->worker->gateway->cache)
        return OK;
    struct cache_control control = cache_control_read(http_header_get(c->x, "cache-control"));
    struct error why;
    c->cache.use = CHAT_CACHE_BYPASS;
    if (!control.no_store && make_key(c, &why) == OK) {
        c->cache.use = CHAT_CACHE_MISS;
        c->cache.writes = true;
        if (!control.no_cache)
            c->cache.hit = look(c, control.max_age_ms);
    }
    if (c->cache.hit) {
        c->cache.use = CHAT_CACHE_HIT;
        c->cache.writes = false;
    } else if (control.only_if_cached) {
        *code = "not_cached";
        return error_set(err, ERR_TIMEOUT,
                         "the answer is not in the cache, and Cache-Control: only-if-cached was "
                         "asked for");
    }
    return OK;
}

void chat_cache_answer(struct chat *c)
{
    struct cache_entry *e = c->cache.hit; /* the chat is gone before it */
    struct held_events kept = {.streamed = e->streamed};
    kept.bytes = (struct buf){.ptr = (char *)(uintptr_t)e->bytes.ptr, .len = e->bytes.len};
    c->cache.age_s = (loop_now_ms(c->worker->loop) - e->stored_ms) / 1000;
    CHECK(c->phase == CHAT_ESTIMATING);
    c->phase = CHAT_ASKING; /* the answer is there: nothing is estimated */
    chat_open(c);
    relay_kept(c, &kept);
    cache_release(e);
}

/* Every choice must have come to its own end: what a filter cut, or we did, is no answer to keep. */
static void judge(struct chat *c, struct json_value root)
{
    static const char *const good[] = {"stop", "tool_calls", "function_call", "length"};
    struct json_value choice;
    struct json_iter it = json_iter_begin(json_get(root, "choices"));
    while (json_array_next(&it, &choice)) {
        struct json_value reason = json_get(choice, "finish_reason");
        if (reason.type != JSON_STRING)
            continue;
        bool is_good = false;
        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
            is_good |= json_string_equal(reason, str_from(good[i]));
        c->cache.ended_well |= is_good;
        c->cache.ended_badly |= !is_good;
    }
}

static void give_up(struct chat *c)
{
    held_events_done(&c->cache.kept);
    c->cache.keeping = c->cache.writes = false;
}

void chat_cache_begin(struct chat *c)
{
    if (!c->cache.writes)
        return;
    held_events_init(&c->cache.kept, cache_entry_bytes_max(c->worker->gateway->cache));
    c->cache.keeping = true;
    c->cache.ended_well = c->cache.ended_badly = false;
}

/* Where answers are verified, what has not passed is not kept: the next time may do better. */
static bool may_keep(const struct chat *c)
{
    const char *verified = chat_verified(c);
    return c->cache.ended_well && !c->cache.ended_badly && c->chosen && !c->native &&
           (!verified || !strcmp(verified, "passed"));
}

static void put(struct chat *c, bool streamed, struct str bytes)
{
    struct cache_face face;
    if (!may_keep(c))
        return;
    chat_face(c, &face);
    cache_put(c->worker->gateway->cache, &c->cache.key, loop_now_ms(c->worker->loop), &face,
              streamed, bytes);
}

void chat_cache_put_stream(struct chat *c)
{
    if (c->cache.keeping)
        put(c, true, buf_str(&c->cache.kept.bytes));
}

/* Clients may leave at [DONE], so nothing is waited for behind it. */
void chat_cache_event(struct chat *c, const struct expert_event *event)
{
    if (!c->cache.keeping)
        return;
    if (event->reply)
        judge(c, event->reply->root);
    held_events_add(&c->cache.kept, event, false);
    bool done = !event->reply && event->done;
    bool failed = c->native || c->cache.kept.bytes.status != OK;
    if (done && !failed)
        chat_cache_put_stream(c);
    if (done || failed)
        give_up(c);
}

void chat_cache_put_body(struct chat *c, struct str body)
{
    struct openai_reply reply;
    if (!c->cache.writes || openai_reply_read(body, &reply, NULL) != OK || reply.is_error)
        return;
    c->cache.ended_well = c->cache.ended_badly = false;
    judge(c, reply.root);
    put(c, false, body);
}

void chat_cache_release(struct chat *c)
{
    if (c->cache.keeping)
        held_events_done(&c->cache.kept);
    c->cache.keeping = false;
}

size_t chat_cache_headers(const struct chat *c, struct http_header *headers)
{
    static const char *const names[] = {
        [CHAT_CACHE_BYPASS] = "bypass", [CHAT_CACHE_MISS] = "miss", [CHAT_CACHE_HIT] = "hit"};
    if (c->cache.use == CHAT_CACHE_OFF)
        return 0;
    headers[0] = (struct http_header){STR("x-leeroo-cache"), str_from(names[c->cache.use])};
    if (!c->cache.hit)
        return 1;
    char age[AGE_BYTES_MAX];
    snprintf(age, sizeof(age), "%llu", (unsigned long long)c->cache.age_s);
    headers[1] = (struct http_header){STR("age"), arena_copy(c->x->arena, str_from(age))};
    return 2;
}
