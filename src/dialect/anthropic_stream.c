/* The events of a Messages stream as chat chunks. Blocks come one after the other, so one is open at a time; of the
 * whole answer only its head, the number of the tool call and the usage are kept. A stream belongs to the call that
 * created it and to that call's thread. Chunks are handed on from inside anthropic_stream_event and are valid only
 * until on_chunk returns, which must not free the stream. */
#include "dialect/anthropic.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "dialect/anthropic_answer.h"
#include "dialect/openai.h"

#define HEAD_BYTES_MAX  2048 /* id, model, time: longer ones are left out */
#define CHUNK_BYTES_MAX (16u << 20)

struct anthropic_stream {
    struct buf head;  /* `{"id":...,"model":...`, the begin of every chunk */
    struct buf chunk; /* of the one being made */
    struct buf input; /* of the open tool_use block, where it came whole */
    /* Collected: the open thinking block as it began, what its text and its signature are by now, and the blocks that
     * are whole. */
    struct buf begun, thinking, signature, blocks;
    struct anthropic_usage usage;
    int64_t tools; /* tool_use blocks so far */
    bool collects;
    bool has_blocks, in_tool, has_input;
    bool finished, done;
    void (*on_chunk)(struct str chunk, void *arg);
    void *arg;
};

struct anthropic_stream *anthropic_stream_create(bool collects)
{
    struct anthropic_stream *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    buf_init(&s->head, HEAD_BYTES_MAX);
    buf_init(&s->chunk, CHUNK_BYTES_MAX);
    buf_init(&s->input, CHUNK_BYTES_MAX);
    buf_init(&s->begun, CHUNK_BYTES_MAX);
    buf_init(&s->thinking, CHUNK_BYTES_MAX);
    buf_init(&s->signature, CHUNK_BYTES_MAX);
    buf_init(&s->blocks, CHUNK_BYTES_MAX);
    s->collects = collects;
    s->usage = (struct anthropic_usage)ANTHROPIC_USAGE_UNKNOWN;
    return s;
}

void anthropic_stream_free(struct anthropic_stream *s)
{
    if (!s)
        return;
    buf_done(&s->head);
    buf_done(&s->chunk);
    buf_done(&s->input);
    buf_done(&s->begun);
    buf_done(&s->thinking);
    buf_done(&s->signature);
    buf_done(&s->blocks);
    free(s);
}

/* Chunks */

static void tell(struct anthropic_stream *s)
{
    if (s->chunk.status == OK)
        s->on_chunk(buf_str(&s->chunk), s->arg);
    else
        s->on_chunk(STR("{\"error\":{\"message\":\"an event of the expert's stream is too "
                        "long\",\"type\":\"upstream_error\",\"param\":null,\"code\":null}}"),
                    s->arg);
}

static void begin_chunk(struct anthropic_stream *s)
{
    buf_clear(&s->chunk);
    if (s->head.len > 0)
        buf_add(&s->chunk, buf_str(&s->head));
    else
        anthropic_head_write((struct json_value){0}, (struct json_value){0},
                             "chat.completion.chunk", clock_wall_ms() / 1000, &s->chunk);
}

/* A choice whose delta's members follow. */
static struct buf *begin_delta(struct anthropic_stream *s)
{
    begin_chunk(s);
    buf_add(&s->chunk, STR(",\"choices\":[{\"index\":0,\"delta\":{"));
    return &s->chunk;
}

static void end_delta(struct anthropic_stream *s)
{
    buf_add(&s->chunk, STR("},\"finish_reason\":null}]}"));
    tell(s);
}

static void tell_text(struct anthropic_stream *s, const char *member, struct json_value text)
{
    if (!messages_has_text(text))
        return;
    buf_addf(begin_delta(s), "\"%s\":", member);
    buf_add(&s->chunk, text.raw);
    end_delta(s);
}

static void tell_arguments(struct anthropic_stream *s, struct str string)
{
    buf_addf(begin_delta(s), "\"tool_calls\":[{\"index\":%lld,\"function\":{\"arguments\":",
             (long long)(s->tools - 1));
    buf_add(&s->chunk, string);
    buf_add(&s->chunk, STR("}}]"));
    end_delta(s);
    s->has_input = true;
}

static void tell_thinking_blocks(struct anthropic_stream *s, struct str blocks)
{
    buf_add(begin_delta(s), STR("\"thinking_blocks\":["));
    if (s->blocks.status != OK)
        s->chunk.status = s->blocks.status;
    buf_add(&s->chunk, blocks);
    buf_add_char(&s->chunk, ']');
    end_delta(s);
}

/* Collected thinking */

static void take_thinking(struct anthropic_stream *s, struct json_value text,
                          struct json_value signature)
{
    buf_add(&s->thinking, json_inside(text));
    buf_add(&s->signature, json_inside(signature));
}

static void begin_thinking(struct anthropic_stream *s, struct json_value block)
{
    buf_clear(&s->begun);
    buf_clear(&s->thinking);
    buf_clear(&s->signature);
    buf_add(&s->begun, block.raw);
    take_thinking(s, json_get(block, "thinking"), json_get(block, "signature"));
}

static void write_text(struct buf *out, const char *name, const struct buf *inside)
{
    buf_addf(out, ",\"%s\":\"", name);
    buf_add(out, buf_str(inside));
    buf_add_char(out, '"');
    if (inside->status != OK)
        out->status = inside->status;
}

/* The block as a whole answer has it. */
static void end_thinking(struct anthropic_stream *s)
{
    struct json_value begun, key, item;
    if (s->begun.len == 0 || json_parse(buf_str(&s->begun), "block", 1, &begun, NULL) != OK)
        return;
    struct json_iter it = json_iter_begin(begun);
    bool is_signed = s->signature.len > 0;
    buf_add_c(&s->blocks, s->blocks.len > 0 ? ",{\"type\":\"thinking\"" : "{\"type\":\"thinking\"");
    write_text(&s->blocks, "thinking", &s->thinking);
    while (json_object_next(&it, &key, &item)) {
        is_signed |= messages_is(key, "signature");
        if (messages_is(key, "type") || messages_is(key, "thinking") ||
            messages_is(key, "signature"))
            continue;
        buf_add_char(&s->blocks, ',');
        buf_add(&s->blocks, key.raw);
        buf_add_char(&s->blocks, ':');
        buf_add(&s->blocks, item.raw);
    }
    if (is_signed)
        write_text(&s->blocks, "signature", &s->signature);
    buf_add_char(&s->blocks, '}');
    buf_clear(&s->begun);
}

static void take_redacted(struct anthropic_stream *s, struct json_value block)
{
    if (!s->collects) {
        tell_thinking_blocks(s, block.raw);
        return;
    }
    if (s->blocks.len > 0)
        buf_add_char(&s->blocks, ',');
    buf_add(&s->blocks, block.raw);
}

static void tell_finish(struct anthropic_stream *s, struct json_value stop_reason,
                        struct json_value stop_sequence)
{
    end_thinking(s);
    if (s->blocks.len > 0 || s->blocks.status != OK) {
        tell_thinking_blocks(s, buf_str(&s->blocks));
        buf_clear(&s->blocks);
    }
    begin_delta(s);
    buf_addf(&s->chunk, "},\"finish_reason\":\"%s\"", anthropic_finish_reason(stop_reason));
    if (stop_sequence.type == JSON_STRING)
        messages_write_member(&s->chunk, "stop_reason", stop_sequence);
    buf_add(&s->chunk, STR("}]}"));
    tell(s);
    CHECK(!s->finished);
    s->finished = true;
}

/* Events */

static void on_message_start(struct anthropic_stream *s, struct json_value event)
{
    struct json_value message = json_get(event, "message"), id = json_get(message, "id");
    buf_clear(&s->head);
    anthropic_head_write(id, json_get(message, "model"), "chat.completion.chunk",
                         clock_wall_ms() / 1000, &s->head);
    if (s->head.status != OK)
        buf_clear(&s->head);
    anthropic_usage_read(json_get(message, "usage"), &s->usage);
    buf_add(begin_delta(s), STR("\"role\":\"assistant\",\"content\":\"\""));
    end_delta(s);
}

static void start_tool(struct anthropic_stream *s, struct json_value block)
{
    struct json_value id = json_get(block, "id"), name = json_get(block, "name");
    struct json_value input = json_get(block, "input");
    s->in_tool = true;
    s->has_input = false;
    buf_clear(&s->input);
    if (json_is_set(input))
        json_write_string(&s->input, input.raw);
    buf_addf(begin_delta(s), "\"tool_calls\":[{\"index\":%lld,\"id\":", (long long)s->tools++);
    buf_add(&s->chunk, id.type == JSON_STRING ? id.raw : STR("\"\""));
    buf_add(&s->chunk, STR(",\"type\":\"function\",\"function\":{\"name\":"));
    buf_add(&s->chunk, name.type == JSON_STRING ? name.raw : STR("\"\""));
    buf_add(&s->chunk, STR(",\"arguments\":\"\"}}]"));
    end_delta(s);
}

static void on_block_start(struct anthropic_stream *s, struct json_value event)
{
    struct json_value block = json_get(event, "content_block"), type = json_get(block, "type");
    s->in_tool = false;
    s->has_blocks = true;
    if (messages_is(type, "tool_use")) {
        start_tool(s, block);
    } else if (messages_is(type, "text")) {
        tell_text(s, "content", json_get(block, "text"));
    } else if (messages_is(type, "thinking")) {
        if (s->collects)
            begin_thinking(s, block);
        tell_text(s, "reasoning_content", json_get(block, "thinking"));
    } else if (messages_is(type, "redacted_thinking")) {
        take_redacted(s, block);
    }
}

static void on_signature(struct anthropic_stream *s, struct json_value signature)
{
    struct buf block;
    if (!messages_has_text(signature) || s->collects)
        return;
    buf_init(&block, CHUNK_BYTES_MAX);
    buf_add(&block, STR("{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":"));
    buf_add(&block, signature.raw);
    buf_add_char(&block, '}');
    tell_thinking_blocks(s, buf_str(&block));
    buf_done(&block);
}

static void on_block_delta(struct anthropic_stream *s, struct json_value event)
{
    struct json_value delta = json_get(event, "delta"), type = json_get(delta, "type");
    struct json_value json = json_get(delta, "partial_json");
    if (s->begun.len > 0)
        take_thinking(s, json_get(delta, "thinking"), json_get(delta, "signature"));
    if (messages_is(type, "text_delta"))
        tell_text(s, "content", json_get(delta, "text"));
    else if (messages_is(type, "thinking_delta"))
        tell_text(s, "reasoning_content", json_get(delta, "thinking"));
    else if (messages_is(type, "signature_delta"))
        on_signature(s, json_get(delta, "signature"));
    else if (messages_is(type, "input_json_delta") && s->in_tool && messages_has_text(json))
        tell_arguments(s, json.raw);
}

/* A tool call without arguments has no delta, but chat's clients expect an object. */
static void on_block_stop(struct anthropic_stream *s, struct json_value event)
{
    (void)event;
    end_thinking(s);
    if (s->in_tool && !s->has_input)
        tell_arguments(s, s->input.len > 0 && s->input.status == OK ? buf_str(&s->input)
                                                                    : STR("\"{}\""));
    s->in_tool = false;
}

static void on_message_delta(struct anthropic_stream *s, struct json_value event)
{
    struct json_value delta = json_get(event, "delta"), reason = json_get(delta, "stop_reason");
    anthropic_usage_read(json_get(event, "usage"), &s->usage);
    if (json_is_set(reason) && !s->finished)
        tell_finish(s, reason, json_get(delta, "stop_sequence"));
}

static void on_message_stop(struct anthropic_stream *s, struct json_value event)
{
    (void)event;
    const struct json_value none = {0};
    if (!s->finished && s->has_blocks) /* else there is no answer in it */
        tell_finish(s, none, none);
    begin_chunk(s);
    buf_add(&s->chunk, STR(",\"choices\":[]"));
    if (anthropic_usage_write(&s->usage, &s->chunk)) {
        buf_add_char(&s->chunk, '}');
        tell(s);
    }
    s->on_chunk(STR("[DONE]"), s->arg);
    s->done = true;
}

static int status_of(struct json_value type)
{
    static const struct {
        const char *type;
        int http_status;
    } known[] = {
        {"invalid_request_error", 400}, {"authentication_error", 401},
        {"billing_error", 402},         {"permission_error", 403},
        {"not_found_error", 404},       {"request_too_large", 413},
        {"rate_limit_error", 429},      {"api_error", 500},
        {"timeout_error", 504},         {"overloaded_error", 529},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (messages_is(type, known[i].type))
            return known[i].http_status;
    return 500;
}

static void on_error(struct anthropic_stream *s, struct json_value event)
{
    struct json_value error = json_get(event, "error"), type = json_get(error, "type");
    struct json_value message = json_get(error, "message");
    buf_clear(&s->chunk);
    buf_add(&s->chunk, STR("{\"error\":{\"message\":"));
    buf_add(&s->chunk, message.type == JSON_STRING ? message.raw
                       : event.type == JSON_OBJECT
                           ? STR("\"the expert's stream reports an error\"")
                           : STR("\"the expert's stream holds what is not JSON\""));
    buf_add(&s->chunk, STR(",\"type\":"));
    buf_add(&s->chunk, type.type == JSON_STRING ? type.raw : STR("\"api_error\""));
    buf_addf(&s->chunk, ",\"param\":null,\"code\":%d}}", status_of(type));
    tell(s);
    s->done = true;
}

static void take_event(struct anthropic_stream *s, struct json_value root)
{
    static const struct {
        const char *type;
        void (*handle)(struct anthropic_stream *s, struct json_value event);
    } handlers[] = {
        {"content_block_delta", on_block_delta}, {"content_block_start", on_block_start},
        {"content_block_stop", on_block_stop},   {"message_start", on_message_start},
        {"message_delta", on_message_delta},     {"message_stop", on_message_stop},
    };
    struct json_value type = json_get(root, "type");
    for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
        if (messages_is(type, handlers[i].type))
            handlers[i].handle(s, root);
}

void anthropic_stream_event(struct anthropic_stream *s, struct str event, struct str data,
                            void (*on_chunk)(struct str chunk, void *arg), void *arg)
{
    struct json_value root;
    if (s->done)
        return;
    s->on_chunk = on_chunk;
    s->arg = arg;
    if (json_parse(data, "event", 1, &root, NULL) != OK || root.type != JSON_OBJECT) {
        if (!str_equal(event, STR("ping")))
            on_error(s, (struct json_value){0});
        return;
    }
    if (str_equal(event, STR("error")) || json_is_set(json_get(root, "error")))
        on_error(s, root);
    else
        take_event(s, root);
}

bool anthropic_stream_moves(struct str data)
{
    struct json_value root;
    if (json_parse(data, "event", 1, &root, NULL) != OK || root.type != JSON_OBJECT)
        return false;
    struct json_value block = json_get(root, "content_block");
    return messages_is(json_get(block, "type"), "thinking") || openai_count_text(block) > 0 ||
           openai_count_text(json_get(root, "delta")) > 0;
}
