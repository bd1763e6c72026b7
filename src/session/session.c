/* A set-associative table from what was made to who made it: a key has one place of WAYS entries, and a lock guards
 * many places. A new entry goes where the same key stood, or where one has expired, or else where the oldest is.
 * Nothing is allocated after the table was made, and no callback is made with a lock held. Any thread may look up and
 * learn; a struct session belongs to its request. */
#include "session/session.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/hash.h"
#include "dialect/needs.h"
#include "session/session_int.h"

#define WAYS   8
#define PLACES (SESSION_ENTRIES / WAYS)
#define LOCKS  64

struct entry {
    uint64_t key; /* 0: empty */
    uint64_t expert;
    uint64_t until_ms;
};

struct sessions {
    pthread_mutex_t locks[LOCKS];
    struct entry entries[PLACES][WAYS];
};

enum status sessions_create(struct sessions **ret, struct error *err)
{
    struct sessions *t = calloc(1, sizeof(*t));
    if (!t)
        return error_set(err, ERR_MEMORY, "out of memory for sessions");
    for (size_t i = 0; i < LOCKS; i++)
        CHECK(pthread_mutex_init(&t->locks[i], NULL) == 0);
    *ret = t;
    return OK;
}

void sessions_free(struct sessions *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&t->locks[i]);
    free(t);
}

/* The table */

static uint64_t look_up(struct sessions *t, uint64_t key, uint64_t now_ms)
{
    size_t place = key % PLACES;
    uint64_t found = 0;
    pthread_mutex_lock(&t->locks[place % LOCKS]);
    for (size_t w = 0; w < WAYS; w++) {
        const struct entry *e = &t->entries[place][w];
        if (e->key == key && e->until_ms > now_ms)
            found = e->expert;
    }
    pthread_mutex_unlock(&t->locks[place % LOCKS]);
    return found;
}

static void put(struct sessions *t, struct entry fresh)
{
    size_t place = fresh.key % PLACES;
    struct entry *at = t->entries[place], *into = &at[0];
    pthread_mutex_lock(&t->locks[place % LOCKS]);
    for (size_t w = 0; w < WAYS; w++) {
        if (at[w].key == fresh.key) {
            into = &at[w];
            break;
        }
        if (at[w].until_ms < into->until_ms)
            into = &at[w];
    }
    *into = fresh;
    pthread_mutex_unlock(&t->locks[place % LOCKS]);
}

/* Keys */

static uint64_t not_zero(uint64_t h)
{
    return h ? h : 1;
}

static uint64_t call_key(uint64_t scope, struct json_value id)
{
    return not_zero(hash64_mix(scope, hash64(id.raw, 'c')));
}

static uint64_t state_key(uint64_t tenant, struct json_value text)
{
    return not_zero(hash64_mix(tenant, hash64(text.raw, 's')));
}

static uint64_t any_state_key(uint64_t root)
{
    return not_zero(hash64_mix(root, 'a'));
}

/* Reading */

static bool is_text(struct json_value v)
{
    return v.type == JSON_STRING && v.raw.len > 2;
}

struct search {
    struct sessions *t;
    const struct session *s;
    uint64_t now_ms, maker;
};

static void find_maker(enum session_made kind, struct json_value text, void *arg)
{
    struct search *x = arg;
    if (x->maker)
        return;
    x->maker = kind == SESSION_STATE ? session_state_maker(x->t, x->s, text, x->now_ms)
                                     : session_call_maker(x->t, x->s, text, x->now_ms);
}

static bool has_calls(struct json_value message)
{
    struct json_iter it = json_iter_begin(json_get(message, "tool_calls"));
    struct json_value call;
    return json_array_next(&it, &call) || json_is_set(json_get(message, "function_call"));
}

/* What the user said before the first answer: one message, mostly; Codex sends its environment as another. */
static uint64_t hash_root(struct json_value messages, uint64_t h, struct arena *a)
{
    enum { ROLE, CONTENT, COUNT };
    static const struct str names[COUNT] = {STR_INIT("role"), STR_INIT("content")};
    struct json_iter it = json_iter_begin(messages);
    struct json_value message, f[COUNT];
    while (json_array_next(&it, &message)) {
        json_members(message, names, COUNT, f);
        if (json_string_equal(f[ROLE], STR("assistant")))
            break;
        if (json_string_equal(f[ROLE], STR("user")))
            h = session_hash_unmarked(f[CONTENT].raw, h, a);
    }
    return not_zero(h);
}

bool session_is_worth_it(const struct openai_request *r)
{
    return (r->needs & EXPERT_TOOLS) != 0 || r->may_think || r->last_answer.type != JSON_NONE;
}

void session_read(struct sessions *t, const struct openai_request *r, struct str name,
                  uint64_t tenant, uint64_t now_ms, struct arena *a, struct session *ret)
{
    struct session s = {.tenant = tenant};
    bool goes_on = r->last_answer.type != JSON_NONE;
    s.learns = (r->needs & EXPERT_TOOLS) != 0 || r->may_think;
    s.root = hash_root(r->messages, tenant, a);
    name = name.len > 0 ? name : r->session;
    if (name.len > 0)
        s.named = not_zero(hash64(name, s.root));
    if (name.len > 0)
        s.called = not_zero(hash64(name, tenant));
    if (goes_on)
        s.has_state = look_up(t, any_state_key(s.root), now_ms) != 0;
    s.in_turn = goes_on && (r->ends_in_answer || has_calls(r->last_answer));
    if (s.in_turn) {
        struct search x = {.t = t, .s = &s, .now_ms = now_ms};
        s.origin = json_get(r->last_answer, "reasoning_origin");
        session_each_made(r->last_answer, find_maker, &x);
        s.maker = x.maker ? x.maker : s.named ? look_up(t, s.named, now_ms) : 0;
    }
    *ret = s;
}

static bool has_origin(const struct session *s)
{
    return is_text(s->origin);
}

bool session_is_held(const struct session *s)
{
    return s->maker != 0 || has_origin(s);
}

size_t session_holder(const struct session *s, const struct expert *experts, size_t count)
{
    for (size_t i = 0; has_origin(s) && i < count; i++)
        if (json_string_equal(s->origin, experts[i].name))
            return i;
    for (size_t i = 0; s->maker && !has_origin(s) && i < count; i++)
        if (session_expert_id(&experts[i]) == s->maker)
            return i;
    return SIZE_MAX;
}

uint64_t session_state_maker(struct sessions *t, const struct session *s, struct json_value text,
                             uint64_t now_ms)
{
    return look_up(t, state_key(s->tenant, text), now_ms);
}

/* From what tells most to what tells least. */
uint64_t session_call_maker(struct sessions *t, const struct session *s, struct json_value id,
                            uint64_t now_ms)
{
    const uint64_t scopes[] = {s->named, s->root, s->called};
    uint64_t found = 0;
    for (size_t i = 0; !found && i < 3; i++)
        found = scopes[i] ? look_up(t, call_key(scopes[i], id), now_ms) : 0;
    return found;
}

/* Learning */

struct lesson {
    struct sessions *t;
    const struct session *s;
    struct entry entry; /* but for its key */
};

static void learn(struct lesson *x, uint64_t key)
{
    x->entry.key = key;
    put(x->t, x->entry);
}

static void learn_made(enum session_made kind, struct json_value text, void *arg)
{
    struct lesson *x = arg;
    if (kind == SESSION_STATE) {
        learn(x, state_key(x->s->tenant, text));
        learn(x, any_state_key(x->s->root));
    } else {
        learn(x, call_key(x->s->root, text));
        if (!x->s->named)
            return;
        learn(x, call_key(x->s->named, text));
        learn(x, call_key(x->s->called, text));
        learn(x, x->s->named);
    }
}

void session_learn(struct sessions *t, const struct session *s, const struct expert *e,
                   struct json_value made, uint64_t now_ms, uint32_t ttl_ms)
{
    struct lesson x = {t, s, {0, session_expert_id(e), now_ms + ttl_ms}};
    if (!s->learns || ttl_ms == 0)
        return;
    struct json_iter it = json_iter_begin(json_get(made, "choices"));
    struct json_value choice;
    while (json_array_next(&it, &choice)) {
        session_each_made(json_get(choice, "message"), learn_made, &x);
        session_each_made(json_get(choice, "delta"), learn_made, &x);
    }
    session_each_made(made, learn_made, &x);
}
