/* A message of Anthropic's made of its events, and events made of a message, as its client libraries make and expect
 * them: for clients of Messages, whose answers are not translated. Blocks of a kind that is unknown here begin whole
 * and get no deltas, as Anthropic itself streams the results of its own tools. Gathering belongs to one call and its
 * thread; splitting is a pure function. */
#include <stdlib.h>

#include "dialect/forms.h"
#include "dialect/json_grow.h"
#include "dialect/messages_text.h"

#define EVENT_BYTES_SPARE 1024

struct gathered {
    struct grow grow;
    struct grown *root; /* the message; absent: it has not begun */
};

static void gathered_free(void *gathered)
{
    struct gathered *g = gathered;
    if (!g)
        return;
    grown_free(g->root);
    free(g);
}

static void *gathered_create(size_t bytes_max)
{
    struct gathered *g = calloc(1, sizeof(*g));
    if (!g)
        return NULL;
    g->grow.bytes_left = bytes_max;
    g->root = grown_create(&g->grow);
    if (g->root)
        return g;
    free(g);
    return NULL;
}

/* Gathering */

static struct grown *block_of(struct gathered *g, struct json_value event)
{
    int64_t index = 0;
    if (json_to_int64(json_get(event, "index"), &index) != OK || index < 0)
        index = 0;
    struct grown *content = grown_member(&g->grow, g->root, STR("\"content\""));
    return grown_item(&g->grow, content, index);
}

static void add_delta(struct gathered *g, struct json_value event)
{
    struct json_value delta = json_get(event, "delta"), type = json_get(delta, "type"), key, item;
    struct json_iter it = json_iter_begin(delta);
    struct grown *block = block_of(g, event);
    if (messages_is(type, "citations_delta")) {
        struct grown *list = grown_member(&g->grow, block, STR("\"citations\""));
        grown_add(&g->grow, list, json_get(delta, "citation"));
        return;
    }
    while (delta.type == JSON_OBJECT && json_object_next(&it, &key, &item))
        if (!messages_is(key, "type"))
            grown_join(&g->grow, grown_member(&g->grow, block, key.raw), item);
}

/* Each member as it is now, but for those that are not told any more. */
static void set_members(struct gathered *g, struct grown *into, struct json_value object)
{
    struct json_iter it = json_iter_begin(object);
    struct json_value key, item;
    while (object.type == JSON_OBJECT && json_object_next(&it, &key, &item))
        if (json_is_set(item))
            grown_set(&g->grow, grown_member(&g->grow, into, key.raw), item);
}

static void add_end(struct gathered *g, struct json_value event)
{
    struct json_iter it = json_iter_begin(event);
    struct json_value key, item;
    while (json_object_next(&it, &key, &item)) {
        if (messages_is(key, "delta"))
            set_members(g, g->root, item);
        else if (messages_is(key, "usage"))
            set_members(g, grown_member(&g->grow, g->root, key.raw), item);
        else if (!messages_is(key, "type") && json_is_set(item))
            grown_set(&g->grow, grown_member(&g->grow, g->root, key.raw), item);
    }
}

static void gathered_add(void *gathered, struct str data)
{
    struct gathered *g = gathered;
    struct json_value event;
    if (json_parse(data, "event", 1, &event, NULL) != OK || event.type != JSON_OBJECT)
        return;
    struct json_value type = json_get(event, "type");
    if (messages_is(type, "message_start"))
        grown_set(&g->grow, g->root, json_get(event, "message"));
    else if (messages_is(type, "content_block_start"))
        grown_set(&g->grow, block_of(g, event), json_get(event, "content_block"));
    else if (messages_is(type, "content_block_delta"))
        add_delta(g, event);
    else if (messages_is(type, "message_delta"))
        add_end(g, event);
}

/* Writing what was gathered */

/* The pieces of a tool's input are a text, and the input is what it says. */
static void write_input(const struct grown *pieces, struct buf *out)
{
    struct buf text;
    buf_init(&text, grown_inside(pieces).len + 2);
    grown_write(pieces, &text);
    struct json_value string = {JSON_STRING, buf_str(&text)};
    if (messages_write_input(out, string) != OK) { /* cut off, or no object */
        buf_add_c(out, "{\"invalid_json\":");
        buf_add(out, string.raw);
        buf_add_char(out, '}');
    }
    if (text.status != OK)
        out->status = text.status;
    buf_done(&text);
}

static void write_block(const struct grown *block, struct buf *out)
{
    const struct grown *pieces = grown_find(block, STR("\"partial_json\""));
    bool first = true, has_pieces = grown_inside(pieces).len > 0;
    buf_add_char(out, '{');
    for (const struct grown *at = grown_first(block); at; at = grown_next(at)) {
        struct str key = grown_key(at);
        bool is_input = str_equal(key, STR("\"input\""));
        if (at == pieces)
            continue;
        buf_addf(out, "%s%.*s:", first ? "" : ",", STR_FMT(key));
        first = false;
        if (is_input && has_pieces)
            write_input(pieces, out);
        else
            grown_write(at, out);
    }
    buf_add_char(out, '}');
}

static void write_content(const struct grown *content, struct buf *out)
{
    buf_add_char(out, '[');
    for (const struct grown *at = grown_first(content); at; at = grown_next(at)) {
        if (at != grown_first(content))
            buf_add_char(out, ',');
        write_block(at, out);
    }
    buf_add_char(out, ']');
}

static enum status gathered_write(const void *gathered, struct buf *out, struct error *err)
{
    const struct gathered *g = gathered;
    bool first = true;
    if (g->grow.status != OK)
        return error_set(err, g->grow.status, "the answer is too long to be gathered");
    if (!grown_find(g->root, STR("\"content\"")))
        return error_set(err, ERR_UPSTREAM, "there is no answer in the stream");
    buf_add_char(out, '{');
    for (const struct grown *at = grown_first(g->root); at; at = grown_next(at)) {
        buf_addf(out, "%s%.*s:", first ? "" : ",", STR_FMT(grown_key(at)));
        first = false;
        if (str_equal(grown_key(at), STR("\"content\"")))
            write_content(at, out);
        else
            grown_write(at, out);
    }
    buf_add_char(out, '}');
    return buf_status(out, err);
}

/* Splitting */

struct splitting {
    struct buf event;
    bool failed; /* no memory: the last event will be missing, too */
    forms_event_fn *on_event;
    void *arg;
};

static struct buf *begin(struct splitting *s, const char *type)
{
    buf_clear(&s->event);
    buf_addf(&s->event, "{\"type\":\"%s\"", type);
    return &s->event;
}

static void end(struct splitting *s, const char *type)
{
    buf_add_char(&s->event, '}');
    s->failed |= s->event.status != OK;
    if (!s->failed)
        s->on_event(s->arg, str_from(type), buf_str(&s->event));
}

/* The object, with `emptied` in the place of members of these names; NULL: none of these. */
static void write_emptied(struct buf *out, struct json_value object, const char *const *names,
                          const char *const *emptied)
{
    struct json_iter it = json_iter_begin(object);
    struct json_value key, item;
    bool first = true;
    buf_add_char(out, '{');
    while (json_object_next(&it, &key, &item)) {
        size_t i = 0;
        while (names[i] && !messages_is(key, names[i]))
            i++;
        buf_addf(out, "%s%.*s:", first ? "" : ",", STR_FMT(key.raw));
        first = false;
        if (names[i])
            buf_add_c(out, emptied[i]);
        else
            buf_add(out, item.raw);
    }
    buf_add_char(out, '}');
}

static void split_start(struct splitting *s, struct json_value message)
{
    static const char *const names[] = {"content", "stop_reason", "stop_sequence", NULL};
    static const char *const emptied[] = {"[]", "null", "null"};
    struct buf *b = begin(s, "message_start");
    buf_add_c(b, ",\"message\":");
    write_emptied(b, message, names, emptied);
    end(s, "message_start");
}

static void tell_delta(struct splitting *s, size_t index, const char *type, const char *member,
                       struct str text)
{
    struct buf *b = begin(s, "content_block_delta");
    buf_addf(b, ",\"index\":%zu,\"delta\":{\"type\":\"%s\",\"%s\":", index, type, member);
    buf_add(b, text);
    buf_add_char(b, '}');
    end(s, "content_block_delta");
}

static void tell_text(struct splitting *s, size_t index, const char *type, const char *member,
                      struct json_value text)
{
    if (messages_has_text(text))
        tell_delta(s, index, type, member, text.raw);
}

static void tell_input(struct splitting *s, size_t index, struct json_value input)
{
    struct buf text;
    if (input.type != JSON_OBJECT)
        return;
    buf_init(&text, 6 * input.raw.len + 2);
    json_write_string(&text, input.raw);
    s->failed |= text.status != OK;
    tell_delta(s, index, "input_json_delta", "partial_json", buf_str(&text));
    buf_done(&text);
}

/* One piece: what of a block is emptied in its start is what its deltas then say. */
static void split_block(struct splitting *s, size_t index, struct json_value block)
{
    static const char *const texts[] = {"text", "thinking", "signature", NULL};
    static const char *const inputs[] = {"input", NULL};
    static const char *const none[] = {NULL};
    static const char *const blanks[] = {"\"\"", "\"\"", "\"\""};
    static const char *const empty[] = {"{}"};
    struct json_value type = json_get(block, "type");
    bool is_text = messages_is(type, "text"), is_thinking = messages_is(type, "thinking");
    bool is_call = messages_is(type, "tool_use") || messages_is(type, "server_tool_use");
    struct buf *b = begin(s, "content_block_start");
    buf_addf(b, ",\"index\":%zu,\"content_block\":", index);
    if (is_text || is_thinking)
        write_emptied(b, block, texts, blanks);
    else
        write_emptied(b, block, is_call ? inputs : none, empty);
    end(s, "content_block_start");
    if (is_text)
        tell_text(s, index, "text_delta", "text", json_get(block, "text"));
    if (is_thinking) {
        tell_text(s, index, "thinking_delta", "thinking", json_get(block, "thinking"));
        tell_text(s, index, "signature_delta", "signature", json_get(block, "signature"));
    }
    if (is_call)
        tell_input(s, index, json_get(block, "input"));
    buf_addf(begin(s, "content_block_stop"), ",\"index\":%zu", index);
    end(s, "content_block_stop");
}

static void split_end(struct splitting *s, struct json_value message)
{
    struct json_value reason = json_get(message, "stop_reason");
    struct json_value sequence = json_get(message, "stop_sequence");
    struct buf *b = begin(s, "message_delta");
    buf_add_c(b, ",\"delta\":{\"stop_reason\":");
    buf_add(b, reason.type == JSON_NONE ? STR("null") : reason.raw);
    buf_add_c(b, ",\"stop_sequence\":");
    buf_add(b, sequence.type == JSON_NONE ? STR("null") : sequence.raw);
    buf_add_char(b, '}');
    messages_write_member(b, "usage", json_get(message, "usage"));
    end(s, "message_delta");
    begin(s, "message_stop");
    end(s, "message_stop");
}

static void split(struct str answer, forms_event_fn *on_event, void *arg)
{
    struct splitting s = {.on_event = on_event, .arg = arg};
    struct json_value message, block;
    if (json_parse(answer, "answer", 1, &message, NULL) != OK || message.type != JSON_OBJECT)
        return;
    struct json_value content = json_get(message, "content");
    struct json_iter it = json_iter_begin(content);
    buf_init(&s.event, 6 * answer.len + EVENT_BYTES_SPARE);
    split_start(&s, message);
    for (size_t i = 0; content.type == JSON_ARRAY && json_array_next(&it, &block); i++)
        if (block.type == JSON_OBJECT)
            split_block(&s, i, block);
    split_end(&s, message);
    buf_done(&s.event);
}

const struct forms anthropic_forms = {.create = gathered_create,
                                      .free = gathered_free,
                                      .add = gathered_add,
                                      .write = gathered_write,
                                      .split = split,
                                      .last_name = "message_stop",
                                      .last_data = "{\"type\":\"message_stop\"}"};
