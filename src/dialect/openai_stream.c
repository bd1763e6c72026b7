/* Chunks of a chat stream, read and where necessary mended. Whoever collects a stream does so by the index of a tool
 * call and by joining texts, so an index that is missing or repeated, and an id that comes in every piece, would give
 * another answer than the whole one. A stream belongs to one call and its thread. On the way of every chunk: a good one
 * is parsed once and nothing is copied. */
#include "dialect/openai_stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/hash.h"

#define EDITS_MAX (2 * OPENAI_CALLS_MAX)
#define ID_BYTES  12 /* random ones in an id of ours */
#define NO_INDEX  (-1)

struct call {
    int64_t choice, given; /* given: the server's index; -1: it gives none */
    int64_t index;         /* ours: in its choice, from 0 on */
    uint64_t id, name;     /* hashes; 0: not given yet */
    bool has_our_id;
};

struct openai_calls {
    struct call of[OPENAI_CALLS_MAX];
    size_t count;
};

struct edit {
    struct str cut;
    size_t from, to; /* of what stands in its place, in the texts */
};

struct mending {
    struct edit edits[EDITS_MAX]; /* in order of position */
    size_t count;
    struct buf texts; /* replacements, one behind the other */
    bool too_many;
};

void openai_stream_init(struct openai_stream *s, size_t chunk_bytes_max)
{
    *s = (struct openai_stream){0};
    buf_init(&s->mended, chunk_bytes_max);
}

void openai_stream_done(struct openai_stream *s)
{
    buf_done(&s->mended);
    free(s->calls);
    s->calls = NULL;
}

/* Edits */

/* What was added to m->texts since `from` stands in the place of `cut`. */
static void add_edit(struct mending *m, struct str cut, size_t from)
{
    size_t at = m->count;
    if (m->count == EDITS_MAX) {
        m->too_many = true;
        return;
    }
    for (; at > 0 && m->edits[at - 1].cut.ptr > cut.ptr; at--)
        m->edits[at] = m->edits[at - 1];
    m->edits[at] = (struct edit){.cut = cut, .from = from, .to = m->texts.len};
    m->count++;
}

static void replace(struct mending *m, struct str cut, const char *with)
{
    size_t from = m->texts.len;
    buf_add_c(&m->texts, with);
    add_edit(m, cut, from);
}

static void apply(const struct mending *m, struct str data, struct buf *out)
{
    size_t at = 0;
    buf_clear(out);
    for (size_t i = 0; i < m->count; i++) {
        const struct edit *e = &m->edits[i];
        size_t cut = (size_t)(e->cut.ptr - data.ptr);
        buf_add(out, str_slice(data, at, cut));
        buf_add(out, str_slice(buf_str(&m->texts), e->from, e->to));
        at = cut + e->cut.len;
    }
    buf_add(out, str_slice(data, at, data.len));
}

/* Tool calls */

struct piece { /* of a tool call */
    struct json_value id, index, type, function, name, arguments;
    int64_t given;
    uint64_t id_hash, name_hash;
};

static uint64_t hash_of(struct json_value string)
{
    bool filled = string.type == JSON_STRING && string.raw.len > 2;
    return filled ? hash64(string.raw, 0) | 1 : 0;
}

static struct piece read_piece(struct json_value item)
{
    static const struct str names[] = {STR_INIT("id"), STR_INIT("index"), STR_INIT("type"),
                                       STR_INIT("function")};
    static const struct str inner[] = {STR_INIT("name"), STR_INIT("arguments")};
    struct json_value v[4], f[2];
    json_members(item, names, 4, v);
    json_members(v[3], inner, 2, f);
    struct piece p = {.id = v[0],
                      .index = v[1],
                      .type = v[2],
                      .function = v[3],
                      .name = f[0],
                      .arguments = f[1],
                      .id_hash = hash_of(v[0]),
                      .name_hash = hash_of(f[0])};
    if (json_to_int64(p.index, &p.given) != OK || p.given < 0)
        p.given = -1;
    return p;
}

static bool is_same(const struct call *call, const struct piece *p)
{
    if (p->given < 0)
        return p->id_hash && call->id == p->id_hash;
    return call->given == p->given &&
           (!p->id_hash || !call->id || call->id == p->id_hash || !p->name_hash);
}

/* The call that the piece continues. A new id under a known index is a new call where it brings a name, because some
 * servers give every call the index 0; without one it is the same call, because some make up an id for each piece.
 * Without an index the id tells; a piece with neither belongs to the last call, unless it has a name. */
static struct call *find_call(struct openai_calls *calls, int64_t choice, const struct piece *p)
{
    struct call *last = NULL;
    for (size_t i = calls->count; i > 0; i--) {
        struct call *call = &calls->of[i - 1];
        if (call->choice != choice)
            continue;
        if (is_same(call, p))
            return call;
        last = last ? last : call;
    }
    return p->given < 0 && !p->name_hash ? last : NULL;
}

static bool is_new_id(const struct openai_calls *calls, int64_t choice, uint64_t id)
{
    for (size_t i = 0; i < calls->count; i++)
        if (calls->of[i].choice == choice && calls->of[i].id == id)
            return false;
    return id != 0;
}

static struct call *add_call(struct openai_calls *calls, int64_t choice, int64_t given)
{
    int64_t index = 0;
    if (calls->count == OPENAI_CALLS_MAX)
        return NULL;
    for (size_t i = 0; i < calls->count; i++)
        index += calls->of[i].choice == choice;
    struct call *call = &calls->of[calls->count++];
    *call = (struct call){.choice = choice, .given = given, .index = index};
    return call;
}

struct strip { /* what of a piece came before */
    bool id, type, name;
    bool our_id;                /* in the place of none, or of one that another call has */
    bool no_type, no_arguments; /* of a whole call: what libraries demand is written */
};

/* Results are matched by it, over a whole conversation, so it must not come again in a later turn. */
static void write_our_id(struct buf *out)
{
    unsigned char bytes[ID_BYTES];
    enum status status = digest_random(bytes, sizeof(bytes), NULL);
    buf_add_c(out, ",\"id\":\"call_");
    digest_write_base64url(out, bytes, sizeof(bytes));
    buf_add_char(out, '"');
    if (status != OK)
        out->status = status;
}

static void write_key(struct buf *out, struct json_value key)
{
    buf_add_char(out, ',');
    buf_add(out, key.raw);
    buf_add_char(out, ':');
}

/* Of the members since `start` each has a comma before it; the first one's becomes the brace. */
static void begin_object(struct buf *out, size_t start)
{
    if (out->len > start)
        out->ptr[start] = '{';
    else
        buf_add_char(out, '{');
}

static void write_function(struct buf *out, const struct piece *p, struct strip strip)
{
    struct json_iter it = json_iter_begin(p->function);
    struct json_value key, item;
    size_t start = out->len;
    while (json_object_next(&it, &key, &item)) {
        bool is_arguments = json_string_equal(key, STR("arguments"));
        if ((strip.name && json_string_equal(key, STR("name"))) ||
            (strip.no_arguments && is_arguments))
            continue;
        write_key(out, key);
        if (item.type == JSON_OBJECT && is_arguments)
            json_write_string(out, item.raw);
        else
            buf_add(out, item.raw);
    }
    buf_add_c(out, strip.no_arguments ? ",\"arguments\":\"{}\"" : "");
    begin_object(out, start);
    buf_add_char(out, '}');
}

static void write_added(struct buf *out, int64_t index, struct strip strip)
{
    if (index != NO_INDEX)
        buf_addf(out, ",\"index\":%lld", (long long)index);
    if (strip.our_id)
        write_our_id(out);
    if (strip.no_type)
        buf_add_c(out, ",\"type\":\"function\"");
}

static void write_piece(struct buf *out, struct json_value item, const struct piece *p,
                        int64_t index, struct strip strip)
{
    struct json_iter it = json_iter_begin(item);
    struct json_value key, member;
    size_t start = out->len;
    write_added(out, index, strip);
    while (json_object_next(&it, &key, &member)) {
        if (json_string_equal(key, STR("index")) ||
            (strip.id && json_string_equal(key, STR("id"))) ||
            ((strip.type || strip.no_type) && json_string_equal(key, STR("type"))))
            continue;
        write_key(out, key);
        if (member.type == JSON_OBJECT && json_string_equal(key, STR("function")))
            write_function(out, p, strip);
        else
            buf_add(out, member.raw);
    }
    begin_object(out, start);
    buf_add_char(out, '}');
}

static bool has_id(const struct call *call)
{
    return call->id || call->has_our_id;
}

static void take_call(struct openai_stream *s, int64_t choice, struct json_value item,
                      struct mending *m)
{
    const struct piece p = read_piece(item);
    struct call *call = find_call(s->calls, choice, &p);
    bool known = call != NULL;
    bool our_id = !known && !is_new_id(s->calls, choice, p.id_hash);
    if (!known)
        call = add_call(s->calls, choice, p.given);
    if (!call)
        return;
    call->has_our_id |= our_id;
    const struct strip strip = {.id = known ? has_id(call) && p.id_hash : our_id,
                                .type = known && p.type.type == JSON_NULL,
                                .name = known && call->name && p.name_hash == call->name,
                                .our_id = our_id};
    if (!call->id)
        call->id = p.id_hash;
    if (!call->name)
        call->name = p.name_hash;
    if (p.given == call->index && !strip.id && !strip.type && !strip.name &&
        p.arguments.type != JSON_OBJECT)
        return;
    size_t from = m->texts.len;
    write_piece(&m->texts, item, &p, call->index, strip);
    add_edit(m, item.raw, from);
}

/* A whole answer as an event has a message there. */
static struct json_value delta_of(struct json_value choice)
{
    struct json_value delta = json_get(choice, "delta");
    return delta.type == JSON_OBJECT ? delta : json_get(choice, "message");
}

static void take_calls(struct openai_stream *s, struct json_value choice, struct mending *m)
{
    struct json_value calls = json_get(delta_of(choice), "tool_calls"), item;
    struct json_iter it = json_iter_begin(calls);
    int64_t number = 0;
    if (json_to_int64(json_get(choice, "index"), &number) != OK)
        number = 0;
    while (calls.type == JSON_ARRAY && json_array_next(&it, &item))
        if (item.type == JSON_OBJECT)
            take_call(s, number, item, m);
}

/* Roles */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* From its key to the end of its value. */
static struct str member_of(struct json_value key, struct json_value item)
{
    return (struct str){key.raw.ptr, (size_t)(item.raw.ptr + item.raw.len - key.raw.ptr)};
}

/* The member with the comma that goes with it. */
static struct str member_span(struct json_value key, struct json_value item)
{
    const char *begin = key.raw.ptr, *end = item.raw.ptr + item.raw.len, *after = end;
    while (is_blank(*after))
        after++;
    if (*after == ',')
        return (struct str){begin, (size_t)(after + 1 - begin)};
    while (is_blank(begin[-1]))
        begin--;
    if (begin[-1] == ',')
        begin--;
    return (struct str){begin, (size_t)(end - begin)};
}

/* Libraries that join all texts of a delta would join these, too. */
static void take_role(struct openai_stream *s, struct json_value choice, struct mending *m)
{
    struct json_value delta = delta_of(choice), key, item;
    struct json_iter it = json_iter_begin(delta);
    int64_t number = 0;
    if (json_to_int64(json_get(choice, "index"), &number) != OK)
        number = 0;
    if (delta.type != JSON_OBJECT || number < 0 || number >= OPENAI_CHOICES_MAX)
        return;
    uint64_t *roles = &s->roles.of[number / 64], bit = UINT64_C(1) << number % 64;
    while (json_object_next(&it, &key, &item)) {
        if (item.type != JSON_STRING || !json_string_equal(key, STR("role")))
            continue;
        if (*roles & bit)
            replace(m, member_span(key, item), "");
        *roles |= bit;
    }
}

/* Usage */

/* Below an earlier report: a zero that some servers send last, or a count of a part. */
static bool is_late(const struct openai_stream *s, const struct openai_usage *u)
{
    return u->known && s->usage.known &&
           (u->input_tokens < s->usage.input_tokens || u->output_tokens < s->usage.output_tokens);
}

static void mend_usage(const struct openai_stream *s, const struct openai_reply *reply,
                       struct mending *m)
{
    struct openai_usage u = s->usage;
    size_t from = m->texts.len;
    openai_usage_merge(&u, &reply->usage);
    buf_addf(&m->texts, "{\"prompt_tokens\":%lld,\"completion_tokens\":%lld,\"total_tokens\":%lld",
             (long long)u.input_tokens, (long long)u.output_tokens,
             (long long)(u.input_tokens + u.output_tokens));
    buf_addf(&m->texts,
             ",\"prompt_tokens_details\":{\"cached_tokens\":%lld,"
             "\"cache_creation_tokens\":%lld},",
             (long long)u.cached_tokens, (long long)u.cache_write_tokens);
    buf_addf(&m->texts, "\"completion_tokens_details\":{\"reasoning_tokens\":%lld}}",
             (long long)u.reasoning_tokens);
    add_edit(m, json_get(reply->root, "usage").raw, from);
}

/* Clients walk over `choices`, whatever else a chunk is for. */
static void mend_choices(const struct openai_reply *reply, struct mending *m)
{
    struct json_value choices = json_get(reply->root, "choices");
    struct str raw = reply->root.raw;
    if (choices.type != JSON_NONE)
        replace(m, choices.raw, "[]");
    else
        replace(m, (struct str){raw.ptr + raw.len - 1, 0}, ",\"choices\":[]");
}

/* A message is a delta that says it all; a text is what one says. */
static void mend_message(struct json_value choice, struct mending *m)
{
    struct json_iter it = json_iter_begin(choice);
    struct json_value key, item;
    bool has_message = json_get(choice, "message").type == JSON_OBJECT;
    if (json_get(choice, "delta").type == JSON_OBJECT)
        return;
    while (json_object_next(&it, &key, &item)) {
        size_t from = m->texts.len;
        bool is_text = item.type == JSON_STRING && json_string_equal(key, STR("text"));
        if (json_string_equal(key, STR("message")) && has_message) {
            replace(m, key.raw, "\"delta\"");
        } else if (is_text && !has_message) {
            buf_addf(&m->texts, "\"delta\":{\"content\":");
            buf_add(&m->texts, item.raw);
            buf_add_char(&m->texts, '}');
            add_edit(m, member_of(key, item), from);
        }
    }
}

/* Chunks */

static bool needs_mending(const struct openai_stream *s, const struct openai_reply *reply)
{
    return reply->has_calls || reply->has_role || reply->has_blank_finish || reply->has_messages ||
           reply->has_text || !reply->has_choices || is_late(s, &reply->usage);
}

static void list_edits(struct openai_stream *s, const struct openai_reply *reply, struct mending *m)
{
    struct json_value choices = json_get(reply->root, "choices"), choice;
    struct json_iter it = json_iter_begin(choices);
    while (reply->has_choices && json_array_next(&it, &choice)) {
        struct json_value finish = json_get(choice, "finish_reason");
        if (openai_is_blank(finish))
            replace(m, finish.raw, "null");
        if (reply->has_messages || reply->has_text)
            mend_message(choice, m);
        if (reply->has_role)
            take_role(s, choice, m);
        if (reply->has_calls)
            take_calls(s, choice, m);
    }
    if (!reply->has_choices)
        mend_choices(reply, m);
    if (is_late(s, &reply->usage))
        mend_usage(s, reply, m);
}

/* False: it cannot be. */
static bool mend(struct openai_stream *s, struct str *data, struct openai_reply *reply)
{
    struct mending m; /* large, so not zeroed as a whole */
    m.count = 0;
    m.too_many = false;
    if (reply->has_calls && !s->calls)
        s->calls = calloc(1, sizeof(*s->calls));
    if (reply->has_calls && !s->calls)
        return false;
    buf_init(&m.texts, s->mended.limit);
    list_edits(s, reply, &m);
    bool fine = m.texts.status == OK && !m.too_many;
    if (fine && m.count > 0) {
        apply(&m, *data, &s->mended);
        *data = buf_str(&s->mended);
        fine = s->mended.status == OK && openai_reply_read(*data, reply, NULL) == OK;
    }
    buf_done(&m.texts);
    return fine;
}

static void note(struct openai_stream *s, const struct openai_reply *reply)
{
    for (size_t i = 0; i < sizeof(s->begun.of) / sizeof(s->begun.of[0]); i++) {
        s->begun.of[i] |= reply->begun.of[i];
        s->ended.of[i] |= reply->ended.of[i];
    }
    s->said |= reply->characters > 0;
    openai_usage_merge(&s->usage, &reply->usage);
}

enum openai_chunk openai_stream_read(struct openai_stream *s, struct str *data,
                                     struct openai_reply *ret)
{
    if (str_trim(*data).len == 0)
        return OPENAI_CHUNK_EMPTY;
    if (openai_reply_read(*data, ret, NULL) != OK)
        return OPENAI_CHUNK_BROKEN;
    if (ret->is_error) {
        openai_usage_merge(&s->usage, &ret->usage);
        return OPENAI_CHUNK_ERROR;
    }
    bool says_nothing = !ret->has_choices && !ret->usage_only;
    bool is_zero = ret->usage.input_tokens == 0 && ret->usage.output_tokens == 0;
    if (says_nothing || (ret->usage_only && is_zero && is_late(s, &ret->usage)))
        return OPENAI_CHUNK_EMPTY;
    if (needs_mending(s, ret) && !mend(s, data, ret))
        return OPENAI_CHUNK_BROKEN;
    note(s, ret);
    return OPENAI_CHUNK_GOOD;
}

/* A call of a whole answer, in which each has an id of its own, a type and arguments. */
static void take_whole_call(struct openai_calls *calls, struct json_value item, struct mending *m)
{
    const struct piece p = read_piece(item);
    bool is_function = p.function.type == JSON_OBJECT, is_plain = p.arguments.type == JSON_STRING;
    const struct strip strip = {.id = !is_new_id(calls, 0, p.id_hash),
                                .our_id = !is_new_id(calls, 0, p.id_hash),
                                .no_type = is_function && p.type.type != JSON_STRING,
                                .no_arguments = is_function && (p.arguments.type == JSON_NONE ||
                                                                p.arguments.type == JSON_NULL)};
    struct call *call = add_call(calls, 0, NO_INDEX);
    if (call)
        call->id = p.id_hash;
    if (!strip.our_id && !strip.no_type && (is_plain || !is_function))
        return;
    size_t from = m->texts.len;
    write_piece(&m->texts, item, &p, NO_INDEX, strip);
    add_edit(m, item.raw, from);
}

static void take_whole_calls(struct openai_calls *calls, struct json_value list, struct mending *m)
{
    struct json_iter it = json_iter_begin(list);
    struct json_value call;
    calls->count = 0; /* the ids of one choice are its own */
    while (list.type == JSON_ARRAY && json_array_next(&it, &call))
        if (call.type == JSON_OBJECT)
            take_whole_call(calls, call, m);
}

bool openai_answer_mend(const struct openai_reply *reply, struct buf *out)
{
    struct mending m;
    struct openai_calls calls; /* large, as the mending is */
    struct json_value choice;
    if (!reply->has_calls)
        return false;
    struct json_value choices = json_get(reply->root, "choices");
    struct json_iter it = json_iter_begin(choices);
    m.count = 0;
    m.too_many = false;
    buf_init(&m.texts, out->limit);
    while (choices.type == JSON_ARRAY && json_array_next(&it, &choice))
        take_whole_calls(&calls, json_get(json_get(choice, "message"), "tool_calls"), &m);
    if (m.count > 0)
        apply(&m, reply->root.raw, out);
    if (m.texts.status != OK || m.too_many)
        out->status = m.too_many ? ERR_TOO_LARGE : m.texts.status;
    buf_done(&m.texts);
    return m.count > 0;
}

bool openai_stream_is_empty(const struct openai_stream *s)
{
    for (size_t i = 0; i < sizeof(s->ended.of) / sizeof(s->ended.of[0]); i++)
        if (s->ended.of[i])
            return false;
    return !s->said;
}

bool openai_stream_is_whole(const struct openai_stream *s, int64_t answers)
{
    int64_t count = 0;
    for (size_t i = 0; i < sizeof(s->ended.of) / sizeof(s->ended.of[0]); i++) {
        if (s->begun.of[i] & ~s->ended.of[i])
            return false;
        count += __builtin_popcountll(s->ended.of[i]);
    }
    return count > 0 && count >= (answers < OPENAI_CHOICES_MAX ? answers : OPENAI_CHOICES_MAX);
}
