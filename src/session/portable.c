/* Two walks over the conversation: the first finds whether anything has to go, so that mostly nothing is copied; the
 * second copies the text but for what goes. Whose a text is says the table (session.h); where it does not know one, the
 * calls of the same message say it. Pure but for look-ups in the table; any thread. Neither walk may be made with half
 * an answer: a message's commas are mended from what stands before it. */
#include "session/portable.h"

#include <string.h>

#include "base/check.h"
#include "session/session_int.h"

#define DISABLED STR("{\"type\":\"disabled\"}")
/* Gemini 3 refuses calls of a turn without its signature; for those of others there is this one, by its own docs. */
#define UNSIGNED                                                                                   \
    STR("\"extra_content\":{\"google\":{\"thought_signature\":\"skip_thought_signature_"           \
        "validator\"}}")

struct porter {
    struct sessions *t;
    const struct session *s;
    uint64_t expert, now_ms;
    bool drops_unknown; /* state whose maker is not known */
    bool is_gemini;
    bool any;            /* something has to go */
    bool turn_unthought; /* the turn that goes on has none of its expert's thinking, and should */
    const char *at;      /* copied up to here */
    size_t more;         /* bytes that are written in between, where no member comes twice */
    struct arena *arena;
    char *out; /* NULL: there was no memory */
    size_t len, room;
};

/* Whose */

struct ask {
    struct porter *p;
    enum session_made kind;
    uint64_t maker;
};

static void find_maker(enum session_made kind, struct json_value text, void *arg)
{
    struct ask *x = arg;
    const struct porter *p = x->p;
    if (x->maker || kind != x->kind)
        return;
    x->maker = kind == SESSION_STATE ? session_state_maker(p->t, p->s, text, p->now_ms)
                                     : session_call_maker(p->t, p->s, text, p->now_ms);
}

static uint64_t maker_of(struct porter *p, struct json_value message, enum session_made kind)
{
    struct ask x = {p, kind, 0};
    session_each_made(message, find_maker, &x);
    return x.maker;
}

/* Whether the message's state is another expert's. */
static bool is_foreign(struct porter *p, struct json_value message)
{
    uint64_t maker = maker_of(p, message, SESSION_STATE);
    if (!maker)
        maker = maker_of(p, message, SESSION_CALL);
    return maker ? maker != p->expert : p->drops_unknown;
}

static bool is_state_member(struct json_value key)
{
    static const struct str names[] = {STR_INIT("thinking_blocks"), STR_INIT("reasoning_details"),
                                       STR_INIT("extra_content")};
    return json_key_index(key, names, 3) < 3;
}

/* The first walk */

static size_t count_thinking(struct json_value content, size_t *ret_others)
{
    struct json_iter it = json_iter_begin(content);
    struct json_value block;
    size_t found = 0;
    *ret_others = 0;
    while (content.type == JSON_ARRAY && json_array_next(&it, &block))
        *(session_is_thinking(block) ? &found : ret_others) += 1;
    return found;
}

static bool has_extra(struct json_value calls)
{
    struct json_iter it = json_iter_begin(calls);
    struct json_value call;
    while (calls.type == JSON_ARRAY && json_array_next(&it, &call))
        if (json_get(call, "extra_content").type != JSON_NONE)
            return true;
    return false;
}

static bool has_state(struct json_value message, bool *ret_thinking)
{
    struct json_iter it = json_iter_begin(message);
    struct json_value key, item;
    size_t others;
    bool found = has_extra(json_get(message, "tool_calls"));
    *ret_thinking = count_thinking(json_get(message, "content"), &others) > 0;
    while (json_object_next(&it, &key, &item)) {
        found |= is_state_member(key);
        *ret_thinking |= json_string_equal(key, STR("thinking_blocks"));
    }
    return found || *ret_thinking;
}

/* Whether the message has something that this expert cannot read, or lacks what it demands. */
static bool must_go(struct porter *p, struct json_value message, bool *ret_thinking)
{
    *ret_thinking = false;
    if (!json_string_equal(json_get(message, "role"), STR("assistant")))
        return false;
    bool state = has_state(message, ret_thinking);
    bool lacks = p->is_gemini && json_get(message, "tool_calls").type == JSON_ARRAY;
    return (state || lacks) && is_foreign(p, message);
}

static bool is_budgeted(struct json_value thinking)
{
    return json_string_equal(json_get(thinking, "type"), STR("enabled"));
}

static void find(struct porter *p, struct json_value root)
{
    struct json_value messages = json_get(root, "messages"), message, last = {0};
    struct json_iter it = json_iter_begin(messages);
    bool thinking = false, stays = false;
    while (messages.type == JSON_ARRAY && json_array_next(&it, &message)) {
        bool goes = must_go(p, message, &thinking);
        p->any |= goes;
        p->more += goes && p->is_gemini ? UNSIGNED.len + 1 : 0;
        if (!json_string_equal(json_get(message, "role"), STR("assistant")))
            continue;
        last = message;
        stays = thinking && !goes;
    }
    if (!p->s->in_turn || stays || !is_budgeted(json_get(root, "thinking")))
        return;
    p->turn_unthought = is_foreign(p, last);
    p->any |= p->turn_unthought;
}

/* The second */

static const char *end_of(struct json_value v)
{
    return v.raw.ptr + v.raw.len;
}

/* What is written may be more than was counted: members that come twice are each written for. */
static void make_room(struct porter *p, size_t bytes)
{
    if (!p->out || bytes <= p->room - p->len)
        return;
    size_t room = 2 * (p->len + bytes);
    char *out = arena_alloc(p->arena, room);
    if (out)
        memcpy(out, p->out, p->len);
    p->out = out;
    p->room = room;
}

static void write(struct porter *p, struct str text)
{
    make_room(p, text.len);
    if (!p->out)
        return;
    memcpy(p->out + p->len, text.ptr, text.len);
    p->len += text.len;
}

static void copy_to(struct porter *p, const char *to)
{
    CHECK(p->at && to >= p->at);
    write(p, (struct str){p->at, (size_t)(to - p->at)});
    p->at = to;
}

/* An item or a member with its comma: the one before it, or where nothing before it is kept the one behind. */
static void cut(struct porter *p, const char *from, const char *to, const char *kept,
                const char *next)
{
    copy_to(p, kept ? (kept > p->at ? kept : p->at) : from);
    p->at = !kept && next ? next : to;
}

static const char *next_item(struct json_iter it)
{
    struct json_value item;
    return json_array_next(&it, &item) ? item.raw.ptr : NULL;
}

static const char *next_key(struct json_iter it)
{
    struct json_value key, item;
    return json_object_next(&it, &key, &item) ? key.raw.ptr : NULL;
}

static void port_blocks(struct porter *p, struct json_value content)
{
    struct json_iter it = json_iter_begin(content);
    struct json_value block;
    const char *kept = NULL;
    while (content.type == JSON_ARRAY && json_array_next(&it, &block)) {
        if (session_is_thinking(block))
            cut(p, block.raw.ptr, end_of(block), kept, next_item(it));
        else
            kept = end_of(block);
    }
}

static void port_call(struct porter *p, struct json_value call, bool first)
{
    struct json_iter it = json_iter_begin(call);
    struct json_value key, item;
    const char *kept = NULL;
    while (json_object_next(&it, &key, &item)) {
        if (json_string_equal(key, STR("extra_content")))
            cut(p, key.raw.ptr, end_of(item), kept, next_key(it));
        else
            kept = end_of(item);
    }
    if (!first || !p->is_gemini || !kept)
        return;
    copy_to(p, kept > p->at ? kept : p->at);
    write(p, STR(","));
    write(p, UNSIGNED);
}

static void port_calls(struct porter *p, struct json_value calls)
{
    struct json_iter it = json_iter_begin(calls);
    struct json_value call;
    for (bool first = true; calls.type == JSON_ARRAY && json_array_next(&it, &call); first = false)
        port_call(p, call, first);
}

static void port_message(struct porter *p, struct json_value message)
{
    struct json_iter it = json_iter_begin(message);
    struct json_value key, item;
    const char *kept = NULL;
    while (json_object_next(&it, &key, &item)) {
        if (is_state_member(key)) {
            cut(p, key.raw.ptr, end_of(item), kept, next_key(it));
            continue;
        }
        if (json_string_equal(key, STR("content")))
            port_blocks(p, item);
        else if (json_string_equal(key, STR("tool_calls")))
            port_calls(p, item);
        kept = end_of(item);
    }
}

/* A message that was nothing but thinking goes as a whole. */
static void port_messages(struct porter *p, struct json_value messages)
{
    struct json_iter it = json_iter_begin(messages);
    struct json_value message;
    const char *kept = NULL;
    bool thinking;
    while (messages.type == JSON_ARRAY && json_array_next(&it, &message)) {
        size_t others = 1, found = 0;
        bool goes = must_go(p, message, &thinking);
        if (goes)
            found = count_thinking(json_get(message, "content"), &others);
        if (found > 0 && others == 0) {
            cut(p, message.raw.ptr, end_of(message), kept, next_item(it));
            continue;
        }
        if (goes)
            port_message(p, message);
        kept = end_of(message);
    }
}

/* Edits of context that speak of thinking are refused without it. */
static bool speaks_of_thinking(struct json_value edits)
{
    return str_find(edits.raw, STR("clear_thinking"), 0) != SIZE_MAX;
}

static void port_root(struct porter *p, struct json_value root)
{
    struct json_iter it = json_iter_begin(root);
    struct json_value key, item;
    const char *kept = NULL;
    bool off = p->turn_unthought;
    while (json_object_next(&it, &key, &item)) {
        if (off && json_string_equal(key, STR("context_management")) && speaks_of_thinking(item)) {
            cut(p, key.raw.ptr, end_of(item), kept, next_key(it));
            continue;
        }
        kept = end_of(item);
        if (json_string_equal(key, STR("messages"))) {
            port_messages(p, item);
        } else if (off && json_string_equal(key, STR("thinking"))) {
            copy_to(p, item.raw.ptr);
            write(p, DISABLED);
            p->at = end_of(item);
        }
    }
    copy_to(p, end_of(root));
}

static bool is_gemini(const struct expert *e)
{
    struct str model = e->upstream_model.len > 0 ? e->upstream_model : e->name;
    return str_find(model, STR("gemini"), 0) != SIZE_MAX;
}

/* In one piece: what is written, and the room for it, lives in here. */
enum status session_portable(struct sessions *t, const struct session *s, const struct expert *e,
                             bool steps_in, struct str body, uint64_t now_ms, struct arena *a,
                             struct str *ret, struct error *err)
{
    struct json_value root;
    struct porter p = {.t = t,
                       .s = s,
                       .expert = session_expert_id(e),
                       .now_ms = now_ms,
                       .drops_unknown = steps_in || (s->in_turn && s->maker),
                       .is_gemini = is_gemini(e)};
    enum status status = json_parse(body, "request body", 1, &root, err);
    if (status != OK)
        return status;
    find(&p, root);
    if (!p.any) {
        *ret = body;
        return OK;
    }
    p.at = root.raw.ptr;
    p.arena = a;
    p.room = root.raw.len + DISABLED.len + p.more;
    p.out = arena_alloc(a, p.room);
    port_root(&p, root);
    if (!p.out)
        return error_set(err, ERR_MEMORY, "out of memory for a request");
    *ret = (struct str){p.out, p.len};
    return OK;
}

enum status session_portable_chat(struct sessions *t, const struct session *s,
                                  const struct expert *e, bool steps_in,
                                  const struct openai_request *chat, uint64_t now_ms,
                                  struct arena *a, const struct openai_request **ret,
                                  struct error *err)
{
    struct str body = chat->root.raw;
    enum status status = session_portable(t, s, e, steps_in, body, now_ms, a, &body, err);
    if (status == OK && body.ptr == chat->root.raw.ptr)
        *ret = chat;
    if (status != OK || body.ptr == chat->root.raw.ptr)
        return status;
    struct openai_request *other = ARENA_NEW(a, struct openai_request);
    if (!other)
        return error_set(err, ERR_MEMORY, "out of memory for a request");
    status = openai_request_parse(body, true, a, other, NULL, err);
    other->effort_is_wish = chat->effort_is_wish;
    if (status == OK)
        *ret = other;
    return status;
}
