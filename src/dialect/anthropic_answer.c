/* A whole message of Anthropic's as a chat completion, and what whole answers and streams have in common: stop reasons
 * and usage. Anthropic counts cached and written input beside the rest, chat within it, so the sum is made here and
 * nowhere else: requests are billed by it. Strings move as their escaped bytes. Pure functions of text for any thread,
 * but for the wall clock in "created"; called by the row of the dialect and by anthropic_stream.c. */
#include "dialect/anthropic_answer.h"
#include "base/clock.h"
#include "dialect/openai.h"

const char *anthropic_finish_reason(struct json_value stop_reason)
{
    static const char *const pairs[][2] = {
        {"max_tokens", "length"},
        {"model_context_window_exceeded", "length"},
        {"tool_use", "tool_calls"},
        {"refusal", "content_filter"},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        if (messages_is(stop_reason, pairs[i][0]))
            return pairs[i][1];
    if (str_find(stop_reason.raw, STR("error"), 0) != SIZE_MAX)
        return "error";
    return "stop"; /* end_turn, stop_sequence, pause_turn */
}

/* Usage */

static void read_count(struct json_value usage, const char *name, int64_t *count, bool *odd)
{
    struct json_value value = json_get(usage, name);
    int64_t tokens = 0;
    if (!json_is_set(value))
        return;
    if (!openai_read_count(value, &tokens))
        *odd = true;
    else if (tokens > *count)
        *count = tokens;
}

void anthropic_usage_read(struct json_value usage, struct anthropic_usage *u)
{
    struct json_value details = json_get(usage, "output_tokens_details");
    struct json_value lifetimes = json_get(usage, "cache_creation");
    int64_t minutes = 0;
    bool passed_over = false; /* a part that is no count is as if it were not told */
    read_count(usage, "input_tokens", &u->input, &u->odd);
    read_count(usage, "output_tokens", &u->output, &u->odd);
    read_count(usage, "cache_read_input_tokens", &u->cache_read, &passed_over);
    read_count(usage, "cache_creation_input_tokens", &u->cache_creation, &passed_over);
    read_count(lifetimes, "ephemeral_1h_input_tokens", &u->cache_creation_1h, &passed_over);
    read_count(lifetimes, "ephemeral_5m_input_tokens", &minutes, &passed_over);
    if (u->cache_creation < u->cache_creation_1h + minutes)
        u->cache_creation = u->cache_creation_1h + minutes;
    read_count(details, "thinking_tokens", &u->thinking, &passed_over);
}

bool anthropic_usage_write(const struct anthropic_usage *u, struct buf *out)
{
    bool known = u->input >= 0 && u->output >= 0;
    if (!known && !u->odd)
        return false; /* missing is missing; what is no count stays one that is none */
    int64_t prompt = u->input < 0 ? -1 : u->input + u->cache_read + u->cache_creation;
    buf_addf(out, ",\"usage\":{\"prompt_tokens\":%lld,\"completion_tokens\":%lld,",
             (long long)prompt, (long long)u->output);
    buf_addf(out, "\"total_tokens\":%lld,\"prompt_tokens_details\":{\"cached_tokens\":%lld,",
             (long long)(prompt + u->output), (long long)u->cache_read);
    buf_addf(out, "\"cache_creation_tokens\":%lld", (long long)u->cache_creation);
    if (u->cache_creation_1h > 0)
        buf_addf(out,
                 ",\"cache_creation_token_details\":{\"ephemeral_5m_input_tokens\":%lld,"
                 "\"ephemeral_1h_input_tokens\":%lld}",
                 (long long)(u->cache_creation - u->cache_creation_1h),
                 (long long)u->cache_creation_1h);
    buf_add_char(out, '}');
    if (u->thinking > 0)
        buf_addf(out, ",\"completion_tokens_details\":{\"reasoning_tokens\":%lld}",
                 (long long)u->thinking);
    buf_add_char(out, '}');
    return true;
}

/* Content */

static bool is_thinking(struct json_value type)
{
    return messages_is(type, "thinking") || messages_is(type, "redacted_thinking");
}

/* The `member` of all blocks of a type as one JSON string: joined escaped texts are the escaped joined text. Returns
 * how many blocks there were. */
static size_t write_joined(struct json_value content, const char *type, const char *member,
                           struct buf *out)
{
    struct json_iter it = json_iter_begin(content);
    struct json_value block;
    size_t count = 0;
    buf_add_char(out, '"');
    while (json_array_next(&it, &block)) {
        if (!messages_is(json_get(block, "type"), type))
            continue;
        buf_add(out, json_inside(json_get(block, member)));
        count++;
    }
    buf_add_char(out, '"');
    return count;
}

static void write_thinking(struct json_value content, struct buf *out)
{
    struct json_iter it = json_iter_begin(content);
    struct json_value block;
    size_t start = out->len, count = 0;
    buf_add(out, STR(",\"reasoning_content\":"));
    if (write_joined(content, "thinking", "thinking", out) == 0 && out->status == OK)
        out->len = start;
    while (json_array_next(&it, &block)) {
        if (!is_thinking(json_get(block, "type")))
            continue;
        buf_add_c(out, count++ == 0 ? ",\"thinking_blocks\":[" : ",");
        buf_add(out, block.raw);
    }
    if (count > 0)
        buf_add_char(out, ']');
}

static size_t write_tool_calls(struct json_value content, struct buf *out)
{
    struct json_iter it = json_iter_begin(content);
    struct json_value block;
    size_t count = 0;
    while (json_array_next(&it, &block)) {
        struct json_value id = json_get(block, "id"), name = json_get(block, "name");
        if (!messages_is(json_get(block, "type"), "tool_use") || id.type != JSON_STRING ||
            name.type != JSON_STRING)
            continue;
        buf_add_c(out, count++ == 0 ? ",\"tool_calls\":[" : ",");
        buf_add(out, STR("{\"id\":"));
        buf_add(out, id.raw);
        buf_add(out, STR(",\"type\":\"function\",\"function\":{\"name\":"));
        buf_add(out, name.raw);
        buf_add(out, STR(",\"arguments\":"));
        messages_write_arguments(out, json_get(block, "input"));
        buf_add(out, STR("}}"));
    }
    if (count > 0)
        buf_add_char(out, ']');
    return count;
}

/* All that is said becomes one text; null where there are only tool calls. */
static void write_message(struct json_value content, struct buf *out)
{
    struct buf text;
    buf_init(&text, content.raw.len + 2);
    bool said = write_joined(content, "text", "text", &text) > 0;
    buf_add(out, STR("{\"role\":\"assistant\""));
    write_thinking(content, out);
    bool called = write_tool_calls(content, out) > 0;
    buf_add(out, STR(",\"content\":"));
    if (called && !said)
        buf_add(out, STR("null"));
    else
        buf_add(out, buf_str(&text));
    buf_add_char(out, '}');
    if (text.status != OK)
        out->status = text.status;
    buf_done(&text);
}

void anthropic_head_write(struct json_value id, struct json_value model, const char *object,
                          int64_t created_s, struct buf *out)
{
    buf_add(out, STR("{\"id\":"));
    buf_add(out, id.type == JSON_STRING ? id.raw : STR("\"\""));
    buf_addf(out, ",\"object\":\"%s\",\"created\":%lld,\"model\":", object, (long long)created_s);
    buf_add(out, model.type == JSON_STRING ? model.raw : STR("\"\""));
}

static enum status check_message(struct json_value root, struct error *err)
{
    struct json_value problem = json_get(json_get(root, "error"), "message");
    if (problem.type == JSON_STRING)
        return error_set(err, ERR_UPSTREAM, "the expert answered with an error: %.*s",
                         STR_FMT(str_slice(json_inside(problem), 0, 200)));
    if (json_get(root, "content").type != JSON_ARRAY)
        return error_set(err, ERR_UPSTREAM, "the expert's answer is no message");
    return OK;
}

static bool is_empty(struct json_value list)
{
    struct json_iter it = json_iter_begin(list);
    struct json_value item;
    return !json_array_next(&it, &item);
}

static void write_completion(struct json_value root, struct buf *out)
{
    struct anthropic_usage usage = ANTHROPIC_USAGE_UNKNOWN;
    struct json_value stopped_by = json_get(root, "stop_sequence");
    struct json_value content = json_get(root, "content"), reason = json_get(root, "stop_reason");
    anthropic_head_write(json_get(root, "id"), json_get(root, "model"), "chat.completion",
                         clock_wall_ms() / 1000, out);
    buf_add(out, STR(",\"choices\":[{\"index\":0,\"message\":"));
    write_message(content, out);
    buf_add(out, STR(",\"logprobs\":null,\"finish_reason\":"));
    if (json_is_set(reason) || !is_empty(content))
        buf_addf(out, "\"%s\"", anthropic_finish_reason(reason));
    else
        buf_add(out, STR("null"));      /* neither said anything nor meant to: it is no answer */
    if (stopped_by.type == JSON_STRING) /* under the name that vLLM gives it */
        messages_write_member(out, "stop_reason", stopped_by);
    buf_add(out, STR("}]"));
    anthropic_usage_read(json_get(root, "usage"), &usage);
    anthropic_usage_write(&usage, out);
    messages_write_member(out, "leeroo", json_get(root, "leeroo"));
    buf_add_char(out, '}');
}

enum status anthropic_answer_to_chat(struct str message, struct buf *out, struct error *err)
{
    struct json_value root;
    size_t start = out->len;
    if (json_parse(message, "answer", 1, &root, err) != OK)
        return error_set(err, ERR_UPSTREAM, "the expert's answer is not JSON");
    enum status status = check_message(root, err);
    if (status != OK)
        return status;
    write_completion(root, out);
    status = buf_status(out, err);
    if (status != OK && out->len > start)
        out->len = start;
    return status;
}
