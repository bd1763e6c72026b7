/* A chat completion made of its chunks, and chunks made of a completion. What a delta says is joined as client
 * libraries do it, by the index of a choice, of a tool call and of whatever else is numbered. Gathering belongs to
 * one call and its thread; splitting is a pure function. Chunks have passed openai_stream_read, so that each tool
 * call has an index of its own and each label comes once. */
#include "dialect/forms.h"

#include <stdlib.h>

#include "dialect/json_grow.h"
#include "dialect/openai_stream.h"

#define CHUNK_BYTES_SPARE 4096

struct gathered {
    struct grow grow;
    struct grown *root, *choices;
};

static void gathered_free(void *gathered)
{
    struct gathered *g = gathered;
    if (!g)
        return;
    grown_free(g->root);
    grown_free(g->choices);
    free(g);
}

static void *gathered_create(size_t bytes_max)
{
    struct gathered *g = calloc(1, sizeof(*g));
    if (!g)
        return NULL;
    g->grow.bytes_left = bytes_max;
    g->root = grown_create(&g->grow);
    g->choices = grown_create(&g->grow);
    if (g->root && g->choices)
        return g;
    gathered_free(g);
    return NULL;
}

static bool is_key(struct json_value key, const char *name)
{
    return json_string_equal(key, str_from(name));
}

/* Gathering */

/* Some servers give a block of signed thinking in pieces without an index, the signature with the last of them. */
static void join_thinking(struct grow *g, struct grown *list, struct json_value blocks)
{
    struct json_iter it = json_iter_begin(blocks);
    struct json_value block;
    while (blocks.type == JSON_ARRAY && json_array_next(&it, &block)) {
        const struct grown *at = grown_last(list);
        bool is_piece = at && json_get(block, "index").type == JSON_NONE &&
                        is_key(json_get(block, "type"), "thinking") &&
                        str_equal(grown_inside(grown_find(at, STR("\"type\""))), STR("thinking")) &&
                        grown_inside(grown_find(at, STR("\"signature\""))).len == 0;
        if (is_piece)
            grown_join(g, grown_last(list), block);
        else
            grown_add(g, list, block);
    }
}

static void join_delta(struct grow *g, struct grown *message, struct json_value delta)
{
    struct json_iter it = json_iter_begin(delta);
    struct json_value key, item;
    while (delta.type == JSON_OBJECT && json_object_next(&it, &key, &item)) {
        struct grown *member = grown_member(g, message, key.raw);
        if (is_key(key, "thinking_blocks"))
            join_thinking(g, member, item);
        else
            grown_join(g, member, item);
    }
}

static void join_choice(struct gathered *g, struct json_value choice)
{
    struct json_iter it = json_iter_begin(choice);
    struct json_value key, item, given = json_get(choice, "index");
    int64_t index = 0;
    if (json_is_set(given) && json_to_int64(given, &index) != OK)
        index = 0;
    if (choice.type != JSON_OBJECT || index < 0 || index >= OPENAI_CHOICES_MAX)
        return;
    struct grown *into = grown_item(&g->grow, g->choices, index);
    while (json_object_next(&it, &key, &item)) {
        if (is_key(key, "index") || is_key(key, "message") || !json_is_set(item))
            continue;
        if (is_key(key, "delta"))
            join_delta(&g->grow, grown_member(&g->grow, into, STR("\"message\"")), item);
        else if (is_key(key, "logprobs"))
            grown_join(&g->grow, grown_member(&g->grow, into, key.raw), item);
        else
            grown_set(&g->grow, grown_member(&g->grow, into, key.raw), item);
    }
}

static void gathered_add(void *gathered, struct str data)
{
    struct gathered *g = gathered;
    struct json_value root, key, item, choice;
    if (json_parse(data, "chunk", 1, &root, NULL) != OK)
        return;
    struct json_iter it = json_iter_begin(root);
    while (root.type == JSON_OBJECT && json_object_next(&it, &key, &item)) {
        struct json_iter inner = json_iter_begin(item);
        if (is_key(key, "choices"))
            while (item.type == JSON_ARRAY && json_array_next(&inner, &choice))
                join_choice(g, choice);
        else if (json_is_set(item) && !is_key(key, "object"))
            grown_set(&g->grow, grown_member(&g->grow, g->root, key.raw), item);
    }
}

/* Writing what was gathered */

static void write_item(const struct grown *item, bool *first,
                       void (*write)(const struct grown *item, struct buf *out), struct buf *out)
{
    if (!*first)
        buf_add_char(out, ',');
    *first = false;
    write(item, out);
}

static bool are_below(const struct grown *list, int64_t limit)
{
    for (const struct grown *at = grown_first(list); at; at = grown_next(at))
        if (grown_index(at) < 0 || grown_index(at) >= limit)
            return false;
    return true;
}

/* The items by their index where all have one below `limit`, else as they came; each by `write`. */
static void write_sorted(const struct grown *list, int64_t limit,
                         void (*write)(const struct grown *item, struct buf *out), struct buf *out)
{
    bool first = true, sorted = are_below(list, limit);
    buf_add_char(out, '[');
    for (int64_t i = 0; i < (sorted ? limit : 1); i++)
        for (const struct grown *at = grown_first(list); at; at = grown_next(at))
            if (!sorted || grown_index(at) == i)
                write_item(at, &first, write, out);
    buf_add_char(out, ']');
}

static void write_member(struct str key, const struct grown *value, struct buf *out)
{
    buf_add_char(out, ',');
    buf_add(out, key);
    buf_add_char(out, ':');
    grown_write(value, out);
}

/* Libraries demand the arguments, of which a stream may say none. */
static void write_function(const struct grown *function, struct buf *out)
{
    size_t start = out->len;
    for (const struct grown *at = grown_first(function); at; at = grown_next(at))
        if (!str_equal(grown_key(at), STR("\"arguments\"")) || grown_is_set(at))
            write_member(grown_key(at), at, out);
    if (!grown_is_set(grown_find(function, STR("\"arguments\""))))
        buf_add_c(out, ",\"arguments\":\"{}\"");
    if (out->len > start)
        out->ptr[start] = '{';
    buf_add_char(out, '}');
}

/* A whole answer's calls are numbered by their places. */
static void write_call(const struct grown *call, struct buf *out)
{
    const struct grown *function = grown_find(call, STR("\"function\""));
    size_t start = out->len;
    bool is_function = function && grown_first(function);
    for (const struct grown *at = grown_first(call); at; at = grown_next(at))
        if (!str_equal(grown_key(at), STR("\"index\"")) && !(is_function && at == function))
            write_member(grown_key(at), at, out);
    if (is_function && !grown_find(call, STR("\"type\"")))
        buf_add_c(out, ",\"type\":\"function\"");
    if (is_function) {
        buf_add_c(out, ",\"function\":");
        write_function(function, out);
    }
    if (out->len > start)
        out->ptr[start] = '{';
    else
        buf_add_char(out, '{');
    buf_add_char(out, '}');
}

static void write_message(const struct grown *message, struct buf *out)
{
    const struct grown *role = grown_find(message, STR("\"role\""));
    buf_add_c(out, "{\"role\":");
    if (grown_is_set(role))
        grown_write(role, out);
    else
        buf_add_c(out, "\"assistant\"");
    if (!grown_find(message, STR("\"content\"")))
        buf_add_c(out, ",\"content\":null");
    for (const struct grown *at = grown_first(message); at; at = grown_next(at)) {
        struct str key = grown_key(at);
        if (str_equal(key, STR("\"tool_calls\"")) && grown_first(at)) {
            buf_add_c(out, ",\"tool_calls\":");
            write_sorted(at, OPENAI_CALLS_MAX, write_call, out);
        } else if (!str_equal(key, STR("\"role\""))) {
            write_member(key, at, out);
        }
    }
    buf_add_char(out, '}');
}

static void write_choice(const struct grown *choice, struct buf *out)
{
    buf_addf(out, "{\"index\":%lld,\"message\":", (long long)grown_index(choice));
    write_message(grown_find(choice, STR("\"message\"")), out);
    if (!grown_find(choice, STR("\"finish_reason\"")))
        buf_add_c(out, ",\"finish_reason\":null");
    for (const struct grown *at = grown_first(choice); at; at = grown_next(at))
        if (!str_equal(grown_key(at), STR("\"message\"")))
            write_member(grown_key(at), at, out);
    buf_add_char(out, '}');
}

static enum status gathered_write(const void *gathered, struct buf *out, struct error *err)
{
    const struct gathered *g = gathered;
    if (g->grow.status != OK)
        return error_set(err, g->grow.status, "the answer is too long to be gathered");
    if (!grown_first(g->choices))
        return error_set(err, ERR_UPSTREAM, "there is no answer in the stream");
    buf_add_c(out, "{\"object\":\"chat.completion\"");
    for (const struct grown *at = grown_first(g->root); at; at = grown_next(at))
        if (!str_equal(grown_key(at), STR("\"usage\"")))
            write_member(grown_key(at), at, out);
    buf_add_c(out, ",\"choices\":");
    write_sorted(g->choices, OPENAI_CHOICES_MAX, write_choice, out);
    const struct grown *usage = grown_find(g->root, STR("\"usage\""));
    if (usage)
        write_member(STR("\"usage\""), usage, out);
    buf_add_char(out, '}');
    return buf_status(out, err);
}

/* Splitting */

/* `{"object":"chat.completion.chunk", ...` with the members that every chunk has. */
static void write_head(struct json_value root, struct buf *out)
{
    struct json_iter it = json_iter_begin(root);
    struct json_value key, item;
    buf_add_c(out, "{\"object\":\"chat.completion.chunk\"");
    while (json_object_next(&it, &key, &item)) {
        if (is_key(key, "object") || is_key(key, "choices") || is_key(key, "usage"))
            continue;
        buf_addf(out, ",%.*s:", STR_FMT(key.raw));
        buf_add(out, item.raw);
    }
}

static void write_numbered(struct json_value calls, struct buf *out)
{
    struct json_iter it = json_iter_begin(calls);
    struct json_value call, key, item;
    buf_add_char(out, '[');
    for (size_t i = 0; json_array_next(&it, &call); i++) {
        struct json_iter inner = json_iter_begin(call);
        buf_addf(out, "%s{\"index\":%zu", i > 0 ? "," : "", i);
        while (call.type == JSON_OBJECT && json_object_next(&inner, &key, &item))
            if (!is_key(key, "index")) {
                buf_addf(out, ",%.*s:", STR_FMT(key.raw));
                buf_add(out, item.raw);
            }
        buf_add_char(out, '}');
    }
    buf_add_char(out, ']');
}

static void write_delta(struct json_value message, struct buf *out)
{
    struct json_iter it = json_iter_begin(message);
    struct json_value key, item;
    size_t start = out->len;
    while (message.type == JSON_OBJECT && json_object_next(&it, &key, &item)) {
        buf_addf(out, ",%.*s:", STR_FMT(key.raw));
        if (item.type == JSON_ARRAY && is_key(key, "tool_calls"))
            write_numbered(item, out);
        else
            buf_add(out, item.raw);
    }
    if (out->len > start)
        out->ptr[start] = '{';
    else
        buf_add_char(out, '{');
    buf_add_char(out, '}');
}

struct splitting {
    struct json_value root;
    struct buf chunk;
    bool failed; /* no memory: the end mark will be missing, too */
    forms_event_fn *on_event;
    void *arg;
};

static struct buf *begin_chunk(struct splitting *s, struct json_value choice)
{
    struct json_value index = json_get(choice, "index");
    buf_clear(&s->chunk);
    write_head(s->root, &s->chunk);
    buf_add_c(&s->chunk, ",\"choices\":[{\"index\":");
    buf_add(&s->chunk, index.type == JSON_NUMBER ? index.raw : STR("0"));
    buf_add_c(&s->chunk, ",\"delta\":");
    return &s->chunk;
}

static void tell(struct splitting *s)
{
    s->failed |= s->chunk.status != OK;
    if (!s->failed)
        s->on_event(s->arg, STR(""), buf_str(&s->chunk));
}

/* What a choice says in one chunk, how it ended in another. */
static void split_choice(struct splitting *s, struct json_value choice)
{
    struct json_iter it = json_iter_begin(choice);
    struct json_value key, item, logprobs = json_get(choice, "logprobs");
    write_delta(json_get(choice, "message"), begin_chunk(s, choice));
    if (json_is_set(logprobs)) {
        buf_add_c(&s->chunk, ",\"logprobs\":");
        buf_add(&s->chunk, logprobs.raw);
    }
    buf_add_c(&s->chunk, ",\"finish_reason\":null}]}");
    tell(s);
    buf_add_c(begin_chunk(s, choice), "{}");
    while (json_object_next(&it, &key, &item)) {
        if (is_key(key, "index") || is_key(key, "message") || is_key(key, "logprobs"))
            continue;
        buf_addf(&s->chunk, ",%.*s:", STR_FMT(key.raw));
        buf_add(&s->chunk, item.raw);
    }
    buf_add_c(&s->chunk, "}]}");
    tell(s);
}

static void split(struct str answer, forms_event_fn *on_event, void *arg)
{
    struct splitting s = {.on_event = on_event, .arg = arg};
    struct json_value choice;
    if (json_parse(answer, "answer", 1, &s.root, NULL) != OK || s.root.type != JSON_OBJECT)
        return;
    struct json_value choices = json_get(s.root, "choices"), usage = json_get(s.root, "usage");
    struct json_iter it = json_iter_begin(choices);
    buf_init(&s.chunk, 2 * answer.len + CHUNK_BYTES_SPARE);
    while (choices.type == JSON_ARRAY && json_array_next(&it, &choice))
        if (choice.type == JSON_OBJECT)
            split_choice(&s, choice);
    if (json_is_set(usage)) {
        buf_clear(&s.chunk);
        write_head(s.root, &s.chunk);
        buf_add_c(&s.chunk, ",\"choices\":[],\"usage\":");
        buf_add(&s.chunk, usage.raw);
        buf_add_char(&s.chunk, '}');
        tell(&s);
    }
    buf_done(&s.chunk);
    if (!s.failed)
        on_event(arg, STR(""), STR("[DONE]"));
}

const struct forms openai_forms = {.create = gathered_create,
                                   .free = gathered_free,
                                   .add = gathered_add,
                                   .write = gathered_write,
                                   .split = split,
                                   .last_name = "",
                                   .last_data = "[DONE]"};
