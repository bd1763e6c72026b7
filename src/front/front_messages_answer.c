/* A chat completion as Anthropic's message, and what whole answers and streams have in common: ids, stop reasons,
 * usage. Counts that the expert did not report are estimated, because this API promises some. Thinking is signed with
 * where it came from (front_messages_thinking.c), by which anthropic_edit.c later knows it. Pure functions of text for
 * any thread. Not for answers of an expert that speaks Messages itself: those go to the client as they came. */
#include "dialect/openai_completion.h"
#include "dialect/token_estimate.h"
#include "front/front_members.h"
#include "front/front_messages_int.h"

const char *messages_stop_reason(struct json_value finish_reason, struct json_value stop_sequence,
                                 bool called)
{
    if (messages_is(finish_reason, "length"))
        return "max_tokens";
    if (messages_is(finish_reason, "content_filter"))
        return "refusal";
    if (called) /* whatever the server says: by this word clients know that a tool is to be run */
        return "tool_use";
    return stop_sequence.type == JSON_STRING ? "stop_sequence" : "end_turn";
}

static struct str request_number(const struct front_context *c)
{
    struct str id = str_from(c->request_id);
    return str_starts(id, STR("req_")) ? str_slice(id, 4, id.len) : id;
}

void messages_write_id(const struct front_context *c, struct json_value id, struct buf *out)
{
    if (str_starts(json_inside(id), STR("msg_")))
        buf_add(out, id.raw);
    else
        buf_addf(out, "\"msg_%.*s\"", STR_FMT(request_number(c)));
}

void messages_write_model(const struct front_context *c, struct json_value model, struct buf *out)
{
    buf_add(out, STR("\"model\":"));
    if (c->model.len > 0)
        json_write_string(out, c->model);
    else
        buf_add(out, model.type == JSON_STRING ? model.raw : STR("\"\""));
}

void messages_write_call_id(const struct front_context *c, struct json_value id, size_t number,
                            struct buf *out)
{
    if (messages_has_text(id))
        messages_write_tool_id(out, id);
    else
        buf_addf(out, "\"toolu_%.*s_%zu\"", STR_FMT(request_number(c)), number);
}

static int64_t not_negative(int64_t tokens)
{
    return tokens > 0 ? tokens : 0;
}

void messages_write_usage(const struct front_context *c, const struct openai_usage *u,
                          uint64_t characters, struct buf *out)
{
    if (!u->known) {
        buf_addf(out, "\"usage\":{\"input_tokens\":%llu,\"output_tokens\":%lld}",
                 (unsigned long long)c->input_tokens,
                 (long long)tokens_from_characters(characters));
        return;
    }
    int64_t input = not_negative(u->input_tokens - u->cached_tokens - u->cache_write_tokens);
    buf_addf(out, "\"usage\":{\"input_tokens\":%lld,\"cache_creation_input_tokens\":%lld,",
             (long long)input, (long long)u->cache_write_tokens);
    if (u->cache_write_1h_tokens > 0)
        buf_addf(out,
                 "\"cache_creation\":{\"ephemeral_5m_input_tokens\":%lld,"
                 "\"ephemeral_1h_input_tokens\":%lld},",
                 (long long)not_negative(u->cache_write_tokens - u->cache_write_1h_tokens),
                 (long long)u->cache_write_1h_tokens);
    buf_addf(out, "\"cache_read_input_tokens\":%lld,\"output_tokens\":%lld",
             (long long)u->cached_tokens, (long long)u->output_tokens);
    if (u->reasoning_tokens > 0)
        buf_addf(out, ",\"output_tokens_details\":{\"thinking_tokens\":%lld}",
                 (long long)u->reasoning_tokens);
    buf_add_char(out, '}');
}

/* Blocks */

struct blocks {
    struct buf *out;
    size_t count;
};

static void open_block(struct blocks *b)
{
    if (b->count++ > 0)
        buf_add_char(b->out, ',');
}

static void write_text(struct blocks *b, struct json_value text)
{
    if (!messages_has_text(text))
        return;
    open_block(b);
    buf_add(b->out, STR("{\"type\":\"text\",\"text\":"));
    buf_add(b->out, text.raw);
    buf_add_char(b->out, '}');
}

static void write_content(struct blocks *b, struct json_value content)
{
    struct json_iter it = json_iter_begin(content);
    struct json_value part;
    if (content.type != JSON_ARRAY)
        write_text(b, content);
    else
        while (json_array_next(&it, &part))
            if (messages_is(json_get(part, "type"), "text"))
                write_text(b, json_get(part, "text"));
}

/* Blocks as they came from an expert that signs them itself; otherwise the reasoning of a chat expert. */
static void write_thinking(struct blocks *b, const struct front_context *c,
                           struct json_value message)
{
    struct json_value signed_blocks = json_get(message, "thinking_blocks"), block;
    struct str rest;
    struct json_value text = messages_reasoning(message, &rest);
    struct json_iter it = json_iter_begin(signed_blocks);
    if (json_is_filled(signed_blocks)) {
        while (json_array_next(&it, &block)) {
            open_block(b);
            messages_write_thinking_block(c, block, b->out);
        }
    } else if (text.type == JSON_STRING) {
        open_block(b);
        buf_add(b->out, STR("{\"type\":\"thinking\",\"thinking\":"));
        buf_add(b->out, text.raw);
        buf_add(b->out, STR(",\"signature\":"));
        messages_write_mark(c, c->expert.len > 0 ? rest : STR(""), b->out);
        buf_add_char(b->out, '}');
    }
}

static size_t write_calls(struct blocks *b, const struct front_context *c, struct json_value calls)
{
    struct json_iter it = json_iter_begin(calls);
    struct json_value call;
    size_t count = 0;
    while (calls.type == JSON_ARRAY && json_array_next(&it, &call)) {
        struct json_value function = json_get(call, "function");
        struct json_value id = json_get(call, "id"), name = json_get(function, "name");
        struct json_value extra = json_get(call, "extra_content");
        if (messages_is_carried(c, extra)) {
            open_block(b);
            messages_write_carry(c, "extra_content", extra, b->out);
        }
        open_block(b);
        buf_add(b->out, STR("{\"type\":\"tool_use\",\"id\":"));
        messages_write_call_id(c, id, count++, b->out);
        buf_add(b->out, STR(",\"name\":"));
        buf_add(b->out, name.type == JSON_STRING ? name.raw : STR("\"\""));
        buf_add(b->out, STR(",\"input\":"));
        messages_write_input_or_note(b->out, json_get(function, "arguments"));
        buf_add_char(b->out, '}');
    }
    return count;
}

/* Last, because in a stream they may go on behind the calls. */
static void write_details(struct blocks *b, const struct front_context *c,
                          struct json_value details)
{
    if (!messages_is_carried(c, details))
        return;
    open_block(b);
    messages_write_carry(c, "reasoning_details", details, b->out);
}

static void write_message(const struct front_context *c, const struct openai_reply *reply,
                          struct json_value choice, struct buf *out)
{
    struct json_value message = json_get(choice, "message");
    struct json_value stopped_by = json_get(choice, "stop_reason");
    struct blocks blocks = {.out = out};
    buf_add(out, STR("{\"id\":"));
    messages_write_id(c, json_get(reply->root, "id"), out);
    buf_add(out, STR(",\"type\":\"message\",\"role\":\"assistant\","));
    messages_write_model(c, json_get(reply->root, "model"), out);
    buf_add(out, STR(",\"content\":["));
    write_thinking(&blocks, c, message);
    write_content(&blocks, json_get(message, "content"));
    write_text(&blocks, json_get(message, "refusal"));
    bool called = write_calls(&blocks, c, json_get(message, "tool_calls")) > 0;
    write_details(&blocks, c, json_get(message, "reasoning_details"));
    const char *reason =
        messages_stop_reason(json_get(choice, "finish_reason"), stopped_by, called);
    buf_addf(out, "],\"stop_reason\":\"%s\",\"stop_sequence\":", reason);
    buf_add(out, str_equal(str_from(reason), STR("stop_sequence")) ? stopped_by.raw : STR("null"));
    buf_add_char(out, ',');
    messages_write_usage(c, &reply->usage, reply->characters, out);
    messages_write_member(out, "leeroo", json_get(reply->root, "leeroo"));
    buf_add_char(out, '}');
}

enum status messages_answer(const struct front_context *c, struct str completion, struct buf *out,
                            struct error *err)
{
    struct openai_reply reply;
    struct json_value choice;
    if (openai_reply_read(completion, &reply, NULL) != OK)
        return error_set(err, ERR_UPSTREAM, "the expert's answer is not a JSON object");
    choice = openai_choice_first(reply.root);
    if (reply.is_error || json_get(choice, "message").type != JSON_OBJECT)
        return error_set(err, ERR_UPSTREAM, "the expert's answer is no chat completion");
    size_t start = out->len;
    write_message(c, &reply, choice, out);
    enum status status = buf_status(out, err);
    if (status != OK && out->len > start)
        out->len = start;
    return status;
}
