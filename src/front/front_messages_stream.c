/* Chat chunks as the events of a Messages stream. Text, thinking and tool calls are blocks, of which one is open at a
 * time. Where the arguments of two tool calls alternate, each piece still goes out under the index of its own block,
 * even if that block was closed before. The last events wait for the end of the chat stream, because only then is the
 * usage known. A stream's state lives in the request's arena and is its thread's; `out` of the caller is valid during
 * one call only. */
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "dialect/json_grow.h"
#include "dialect/openai_completion.h"
#include "front/front_members.h"
#include "front/front_messages_int.h"

#define EVENT_BYTES_MAX  (32u << 20)
#define MEMBER_BYTES_MAX (64u << 10) /* of "leeroo" and a stop sequence: longer ones are left out */
#define CALLS_MAX        256         /* tool calls of one answer */

enum block { BLOCK_NONE, BLOCK_TEXT, BLOCK_THINKING, BLOCK_TOOL };

struct call {
    int64_t index;    /* the chat's, -1 where it has none */
    uint64_t id_hash; /* 0: it came without an id */
    size_t block;
};

struct stream {
    const struct front_context *c;
    struct arena *a;
    struct buf data;    /* of the event being made */
    struct buf thought; /* the inside of what the open thinking block has told */
    struct grow grow;
    struct grown *details; /* reasoning_details so far; NULL: none */
    struct buf *out;
    bool started, ended;
    bool is_signed;       /* the open block, if it is thinking */
    struct str reasoning; /* the rest of its mark, where we sign it */
    enum block open;
    size_t blocks; /* so far; the open one is the last of them */
    struct call calls[CALLS_MAX];
    size_t call_count;
    const char *stop_reason;
    struct json_value stop_sequence; /* a copy */
    struct str leeroo;               /* a copy; empty: none */
    struct openai_usage usage;
    uint64_t characters;
};

static void clean_stream(void *stream)
{
    struct stream *s = stream;
    buf_done(&s->data);
    buf_done(&s->thought);
    grown_free(s->details);
}

void *messages_begin(const struct front_context *c, struct arena *a)
{
    struct stream *s = ARENA_NEW(a, struct stream);
    if (!s || arena_defer(a, clean_stream, s) != OK)
        return NULL;
    buf_init(&s->data, EVENT_BYTES_MAX);
    buf_init(&s->thought, EVENT_BYTES_MAX);
    s->grow.bytes_left = EVENT_BYTES_MAX;
    s->c = c;
    s->a = a;
    return s;
}

/* Events */

static struct buf *begin(struct stream *s, const char *type)
{
    buf_clear(&s->data);
    buf_addf(&s->data, "{\"type\":\"%s\"", type);
    return &s->data;
}

static void end(struct stream *s, const char *type)
{
    buf_add_char(&s->data, '}');
    if (s->data.status != OK)
        s->out->status = s->data.status;
    else
        front_write_event(s->out, type, buf_str(&s->data));
}

static void start_message(struct stream *s, struct json_value root)
{
    CHECK(!s->started && !s->ended);
    struct openai_usage usage = s->usage;
    usage.output_tokens = 0;
    struct buf *b = begin(s, "message_start");
    buf_add(b, STR(",\"message\":{\"id\":"));
    messages_write_id(s->c, json_get(root, "id"), b);
    buf_add(b, STR(",\"type\":\"message\",\"role\":\"assistant\","));
    messages_write_model(s->c, json_get(root, "model"), b);
    buf_add(b, STR(",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,"));
    messages_write_usage(s->c, &usage, 0, b);
    buf_add_char(b, '}');
    end(s, "message_start");
    s->started = true;
}

/* Thinking that nobody has signed gets a signature that says where it came from. */
static void sign(struct stream *s)
{
    if (s->open != BLOCK_THINKING || s->is_signed || s->c->expert.len == 0)
        return;
    struct buf *b = begin(s, "content_block_delta");
    buf_addf(
        b, ",\"index\":%zu,\"delta\":{\"type\":\"signature_delta\",\"signature\":", s->blocks - 1);
    messages_write_mark(s->c, s->reasoning, b);
    buf_add_char(b, '}');
    end(s, "content_block_delta");
}

static void close_block(struct stream *s)
{
    if (s->open == BLOCK_NONE)
        return;
    CHECK(s->started && s->blocks > 0);
    sign(s);
    buf_addf(begin(s, "content_block_stop"), ",\"index\":%zu", s->blocks - 1);
    end(s, "content_block_stop");
    s->open = BLOCK_NONE;
}

/* Begins a block whose members follow; end_start ends it. */
static struct buf *begin_start(struct stream *s, enum block block)
{
    close_block(s);
    s->open = block;
    s->is_signed = false;
    s->reasoning = STR("");
    struct buf *b = begin(s, "content_block_start");
    buf_addf(b, ",\"index\":%zu,\"content_block\":", s->blocks++);
    return b;
}

static void end_start(struct stream *s)
{
    end(s, "content_block_start");
}

static void need_block(struct stream *s, enum block block)
{
    if (s->open == block)
        return;
    buf_add_c(begin_start(s, block), block == BLOCK_TEXT
                                         ? "{\"type\":\"text\",\"text\":\"\"}"
                                         : "{\"type\":\"thinking\",\"thinking\":\"\","
                                           "\"signature\":\"\"}");
    end_start(s);
}

/* `member` of the delta is named after its type: "text_delta" has "text". */
static void write_delta(struct stream *s, size_t index, const char *type, const char *member,
                        struct str string)
{
    struct buf *b = begin(s, "content_block_delta");
    buf_addf(b, ",\"index\":%zu,\"delta\":{\"type\":\"%s\",\"%s\":", index, type, member);
    buf_add(b, string);
    buf_add_char(b, '}');
    end(s, "content_block_delta");
}

/* Content */

static void take_text(struct stream *s, struct json_value text)
{
    if (!messages_has_text(text))
        return;
    need_block(s, BLOCK_TEXT);
    write_delta(s, s->blocks - 1, "text_delta", "text", text.raw);
}

static void take_content(struct stream *s, struct json_value content)
{
    struct json_iter it = json_iter_begin(content);
    struct json_value part;
    if (content.type != JSON_ARRAY)
        take_text(s, content);
    else
        while (json_array_next(&it, &part))
            if (messages_is(json_get(part, "type"), "text"))
                take_text(s, json_get(part, "text"));
}

static void take_thinking_text(struct stream *s, struct json_value text)
{
    if (!messages_has_text(text))
        return;
    if (s->open != BLOCK_THINKING)
        buf_clear(&s->thought);
    need_block(s, BLOCK_THINKING);
    write_delta(s, s->blocks - 1, "thinking_delta", "thinking", text.raw);
    buf_add(&s->thought, json_inside(text));
}

/* A whole block behind its text, as some servers send it: all of it but the signature was told. */
static bool was_told(const struct stream *s, struct json_value block)
{
    return s->open == BLOCK_THINKING && messages_has_text(json_get(block, "signature")) &&
           str_equal(json_inside(json_get(block, "thinking")), buf_str(&s->thought));
}

/* A signature ends its block. */
static void take_thinking_block(struct stream *s, struct json_value block, bool with_text)
{
    struct json_value signature = json_get(block, "signature");
    if (messages_is(json_get(block, "type"), "redacted_thinking")) {
        messages_write_thinking_block(s->c, block, begin_start(s, BLOCK_THINKING));
        s->is_signed = true;
        end_start(s);
        close_block(s);
        return;
    }
    if (with_text && !was_told(s, block))
        take_thinking_text(s, json_get(block, "thinking"));
    if (!messages_has_text(signature))
        return;
    need_block(s, BLOCK_THINKING);
    s->reasoning = json_inside(signature);
    if (s->c->expert.len == 0)
        write_delta(s, s->blocks - 1, "signature_delta", "signature", signature.raw);
    close_block(s);
}

/* Whether the text of a delta is once more, block by block, in its blocks. */
static bool is_in_blocks(struct json_value text, struct json_value blocks)
{
    struct str rest = json_inside(text);
    struct json_iter it = json_iter_begin(blocks);
    struct json_value block;
    while (blocks.type == JSON_ARRAY && json_array_next(&it, &block)) {
        struct str part = json_inside(json_get(block, "thinking"));
        if (!str_starts(rest, part))
            return false;
        rest = str_slice(rest, part.len, rest.len);
    }
    return rest.len == 0;
}

static void take_thinking(struct stream *s, struct json_value delta)
{
    struct str rest;
    struct json_value text = messages_reasoning(delta, &rest);
    struct json_value blocks = json_get(delta, "thinking_blocks"), block;
    struct json_iter it = json_iter_begin(blocks);
    bool in_blocks = is_in_blocks(text, blocks);
    if (!in_blocks)
        take_thinking_text(s, text);
    if (messages_has_text(text))
        s->reasoning = rest;
    while (blocks.type == JSON_ARRAY && json_array_next(&it, &block))
        take_thinking_block(s, block, in_blocks || text.type == JSON_NONE);
}

/* What a chat expert wants back beside its words. */
static void tell_carry(struct stream *s, const char *name, struct json_value value)
{
    messages_write_carry(s->c, name, value, begin_start(s, BLOCK_THINKING));
    s->is_signed = true;
    end_start(s);
    close_block(s);
}

static void take_details(struct stream *s, struct json_value details)
{
    if (!messages_is_carried(s->c, details))
        return;
    if (!s->details)
        s->details = grown_create(&s->grow);
    grown_join(&s->grow, s->details, details);
}

static void tell_details(struct stream *s)
{
    struct json_value list;
    struct buf text;
    if (!s->details)
        return;
    buf_init(&text, EVENT_BYTES_MAX);
    grown_write(s->details, &text);
    if (s->grow.status != OK || text.status != OK)
        s->out->status = ERR_MEMORY;
    if (json_parse(buf_str(&text), "reasoning_details", 1, &list, NULL) == OK)
        tell_carry(s, "reasoning_details", list);
    buf_done(&text);
}

/* Tool calls */

static struct call *find_call(struct stream *s, int64_t index, uint64_t id_hash)
{
    for (size_t i = s->call_count; i > 0; i--) {
        struct call *call = &s->calls[i - 1];
        if (index >= 0 && call->index != index)
            continue;
        if (id_hash == 0 || call->id_hash == 0 || call->id_hash == id_hash)
            return call;
    }
    return NULL;
}

static struct call *open_call(struct stream *s, struct json_value id, struct json_value name)
{
    if (s->call_count == CALLS_MAX)
        return NULL;
    struct call *call = &s->calls[s->call_count];
    struct buf *b = begin_start(s, BLOCK_TOOL);
    call->block = s->blocks - 1;
    buf_add(b, STR("{\"type\":\"tool_use\",\"id\":"));
    messages_write_call_id(s->c, id, s->call_count++, b);
    buf_add(b, STR(",\"name\":"));
    buf_add(b, name.type == JSON_STRING ? name.raw : STR("\"\""));
    buf_add(b, STR(",\"input\":{}}"));
    end_start(s);
    return call;
}

static void take_arguments(struct stream *s, const struct call *call, struct json_value arguments)
{
    struct buf text;
    if (messages_has_text(arguments)) {
        write_delta(s, call->block, "input_json_delta", "partial_json", arguments.raw);
    } else if (arguments.type == JSON_OBJECT) {
        buf_init(&text, EVENT_BYTES_MAX);
        json_write_string(&text, arguments.raw);
        write_delta(s, call->block, "input_json_delta", "partial_json", buf_str(&text));
        buf_done(&text);
    }
}

static bool take_call(struct stream *s, struct json_value item)
{
    struct json_value id = json_get(item, "id"), function = json_get(item, "function");
    uint64_t id_hash = messages_has_text(id) ? hash64(id.raw, 0) | 1 : 0;
    int64_t index = -1;
    if (json_to_int64(json_get(item, "index"), &index) != OK)
        index = -1;
    struct call *call = find_call(s, index, id_hash);
    if (!call) {
        struct json_value extra = json_get(item, "extra_content");
        if (messages_is_carried(s->c, extra))
            tell_carry(s, "extra_content", extra);
        call = open_call(s, id, json_get(function, "name"));
        if (!call)
            return false;
        call->index = index;
        call->id_hash = id_hash;
    }
    take_arguments(s, call, json_get(function, "arguments"));
    return true;
}

static void fail_with(struct stream *s, int http_status, struct str message)
{
    const struct front_error e = {
        .http_status = http_status, .message = message, .request_id = s->c->request_id};
    messages_fail(s, &e, s->out);
}

static void take_calls(struct stream *s, struct json_value calls)
{
    struct json_iter it = json_iter_begin(calls);
    struct json_value item;
    while (calls.type == JSON_ARRAY && !s->ended && json_array_next(&it, &item))
        if (!take_call(s, item))
            fail_with(s, 502, STR("the expert makes more tool calls than one answer may have"));
}

/* Chunks */

static struct str keep(struct stream *s, struct json_value value)
{
    if (!json_is_set(value) || value.raw.len > MEMBER_BYTES_MAX)
        return (struct str){0};
    struct str copy = arena_copy(s->a, value.raw);
    return copy.ptr ? copy : (struct str){0};
}

static void take_finish(struct stream *s, struct json_value choice)
{
    struct json_value reason = json_get(choice, "finish_reason");
    struct json_value stopped_by = json_get(choice, "stop_reason");
    if (!json_is_set(reason) || s->stop_reason)
        return;
    if (stopped_by.type == JSON_STRING)
        stopped_by.raw = keep(s, stopped_by);
    if (!stopped_by.raw.ptr)
        stopped_by.type = JSON_NONE;
    s->stop_sequence = stopped_by;
    s->stop_reason = messages_stop_reason(reason, stopped_by, s->call_count > 0);
}

static void take_chunk(struct stream *s, const struct openai_reply *reply)
{
    struct json_value choice = openai_choice_first(reply->root), delta = json_get(choice, "delta");
    struct json_value leeroo = json_get(reply->root, "leeroo");
    s->characters += reply->characters;
    if (reply->usage.known)
        s->usage = reply->usage;
    if (!s->started)
        start_message(s, reply->root);
    if (json_is_set(leeroo) && s->leeroo.len == 0)
        s->leeroo = keep(s, leeroo);
    take_thinking(s, delta);
    take_details(s, json_get(delta, "reasoning_details"));
    take_content(s, json_get(delta, "content"));
    take_text(s, json_get(delta, "refusal"));
    take_calls(s, json_get(delta, "tool_calls"));
    take_finish(s, choice);
}

static void finish(struct stream *s)
{
    if (s->ended)
        return;
    if (!s->started)
        start_message(s, (struct json_value){0});
    close_block(s);
    tell_details(s);
    const struct json_value none = {0};
    const char *reason =
        s->stop_reason ? s->stop_reason : messages_stop_reason(none, none, s->call_count > 0);
    bool by_sequence = strcmp(reason, "stop_sequence") == 0;
    struct buf *b = begin(s, "message_delta");
    buf_addf(b, ",\"delta\":{\"stop_reason\":\"%s\",\"stop_sequence\":", reason);
    buf_add(b, by_sequence ? s->stop_sequence.raw : STR("null"));
    buf_add(b, STR("},"));
    messages_write_usage(s->c, &s->usage, s->characters, b);
    if (s->leeroo.len > 0) {
        buf_add(b, STR(",\"leeroo\":"));
        buf_add(b, s->leeroo);
    }
    end(s, "message_delta");
    begin(s, "message_stop");
    end(s, "message_stop");
    s->ended = true;
}

void messages_event(void *state, struct str data, struct buf *out)
{
    struct stream *s = state;
    struct openai_reply reply;
    s->out = out;
    if (s->ended)
        return;
    if (str_equal(str_trim(data), STR("[DONE]")))
        finish(s);
    else if (openai_reply_read(data, &reply, NULL) != OK)
        return; /* Messages has no event for what is not JSON */
    else if (reply.is_error)
        fail_with(s, 502, STR("the expert's stream broke off with an error"));
    else
        take_chunk(s, &reply);
}

void messages_end(void *state, struct buf *out)
{
    struct stream *s = state;
    s->out = out;
    finish(s);
}

void messages_fail(void *state, const struct front_error *e, struct buf *out)
{
    struct stream *s = state;
    struct buf body;
    if (s->ended)
        return;
    s->ended = true;
    buf_init(&body, FRONT_ERROR_BYTES_MAX);
    messages_error(e, &body);
    front_write_event(out, "error", buf_str(&body));
    buf_done(&body);
}
