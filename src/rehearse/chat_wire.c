/* Chat requests and answers from the upstream's side: see chat_wire.h. Deliberately written apart from src/dialect: the
 * stand-in must not share code with what it tests.
 *
 * Pure functions over the caller's buffers and arena, any thread; the upstream calls them on its loop, so nothing here
 * may block. */
#include "rehearse/chat_wire.h"

#include "base/json.h"

static enum status join_text_parts(struct json_value parts, struct arena *a, struct str *ret,
                                   struct error *err)
{
    struct json_iter it = json_iter_begin(parts);
    struct json_value part;
    struct str all = STR("");
    while (json_array_next(&it, &part)) {
        struct json_value text = json_get(part, "text");
        struct str decoded;
        if (text.type != JSON_STRING)
            continue; /* images and the like */
        if (json_string_decode(text, a, &decoded) != OK)
            return error_set(err, ERR_MEMORY, "the request is too large");
        char *joined =
            all.len == 0 ? NULL : arena_printf(a, "%.*s\n%.*s", STR_FMT(all), STR_FMT(decoded));
        if (all.len > 0 && !joined)
            return error_set(err, ERR_MEMORY, "the request is too large");
        all = joined ? str_from(joined) : decoded;
    }
    *ret = all;
    return OK;
}

/* The text of the last message whose role is "user". */
static enum status find_prompt(struct json_value messages, struct arena *a, struct str *ret,
                               struct error *err)
{
    struct json_iter it = json_iter_begin(messages);
    struct json_value message, content = {JSON_NONE, {NULL, 0}};
    while (json_array_next(&it, &message)) {
        struct json_value role = json_get(message, "role");
        if (role.type == JSON_STRING && json_string_equal(role, STR("user")))
            content = json_get(message, "content");
    }
    if (content.type == JSON_ARRAY)
        return join_text_parts(content, a, ret, err);
    if (content.type != JSON_STRING)
        return error_set(err, ERR_INPUT, "'messages' holds no user message with text");
    if (json_string_decode(content, a, ret) != OK)
        return error_set(err, ERR_MEMORY, "the request is too large");
    return OK;
}

enum status chat_request_parse(struct str body, struct arena *a, struct chat_request *ret,
                               struct error *err)
{
    struct json_value root;
    struct chat_request r = {.stream = false};
    enum status status = json_parse(body, "request body", 1, &root, err);
    if (status != OK)
        return status;
    struct json_value model = json_get(root, "model"), messages = json_get(root, "messages");
    if (root.type != JSON_OBJECT)
        return error_set(err, ERR_INPUT, "the request must be a JSON object");
    if (model.type != JSON_STRING)
        return error_set(err, ERR_INPUT, "'model' must be a string: the name of an expert");
    if (messages.type != JSON_ARRAY)
        return error_set(err, ERR_INPUT, "'messages' must be an array");
    if (json_string_decode(model, a, &r.model) != OK)
        return error_set(err, ERR_MEMORY, "the request is too large");
    r.stream = json_get(root, "stream").type == JSON_TRUE;
    r.include_usage = json_get(json_get(root, "stream_options"), "include_usage").type == JSON_TRUE;
    status = find_prompt(messages, a, &r.prompt, err);
    if (status == OK)
        *ret = r;
    return status;
}

static void write_usage(struct buf *out, const struct rehearse_answer *a)
{
    buf_addf(out,
             "\"usage\":{\"prompt_tokens\":%lld,\"completion_tokens\":%lld,\"total_tokens\":%lld}",
             (long long)a->input_tokens, (long long)a->output_tokens,
             (long long)(a->input_tokens + a->output_tokens));
}

static void write_head(struct buf *out, const struct chat_answer *a, struct str object)
{
    buf_addf(out, "{\"id\":\"chatcmpl-%016llx\",\"object\":\"%.*s\",\"created\":%lld,\"model\":",
             (unsigned long long)a->id, STR_FMT(object), (long long)a->created_s);
    json_write_string(out, a->model);
}

void chat_write_whole(struct buf *out, const struct chat_answer *a)
{
    write_head(out, a, STR("chat.completion"));
    buf_add(out,
            STR(",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":"));
    json_write_string(out, a->answer->text);
    buf_add(out, STR(",\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"stop\"}],"));
    write_usage(out, a->answer);
    buf_add_char(out, '}');
}

static void begin_chunk(struct buf *out, const struct chat_answer *a)
{
    buf_add(out, STR("data: "));
    write_head(out, a, STR("chat.completion.chunk"));
    buf_add(out, STR(",\"choices\":["));
}

static void end_chunk(struct buf *out, const struct chat_answer *a)
{
    if (a->include_usage)
        buf_add(out, STR(",\"usage\":null"));
    buf_add(out, STR("}\n\n"));
}

void chat_write_role(struct buf *out, const struct chat_answer *a)
{
    begin_chunk(out, a);
    buf_add(out, STR("{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},"
                     "\"logprobs\":null,\"finish_reason\":null}]"));
    end_chunk(out, a);
}

void chat_write_delta(struct buf *out, const struct chat_answer *a, struct str piece)
{
    begin_chunk(out, a);
    buf_add(out, STR("{\"index\":0,\"delta\":{\"content\":"));
    json_write_string(out, piece);
    buf_add(out, STR("},\"logprobs\":null,\"finish_reason\":null}]"));
    end_chunk(out, a);
}

void chat_write_finish(struct buf *out, const struct chat_answer *a)
{
    begin_chunk(out, a);
    buf_add(out, STR("{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\"}]"));
    end_chunk(out, a);
    if (a->include_usage) {
        begin_chunk(out, a);
        buf_add(out, STR("],"));
        write_usage(out, a->answer);
        buf_add(out, STR("}\n\n"));
    }
    buf_add(out, STR("data: [DONE]\n\n"));
}

void chat_write_error(struct buf *out, const char *type, const char *code, struct str message)
{
    buf_add(out, STR("{\"error\":{\"message\":"));
    json_write_string(out, message);
    buf_addf(out, ",\"type\":\"%s\",\"param\":null,\"code\":\"%s\"}}", type, code);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

struct str chat_piece(struct str text, size_t at)
{
    size_t end = at;
    while (end < text.len && end - at < CHAT_PIECE_BYTES_MAX && is_blank(text.ptr[end]))
        end++;
    size_t limit = end + CHAT_PIECE_BYTES_MAX;
    while (end < text.len && !is_blank(text.ptr[end]) && end < limit)
        end++;
    /* Cut by the limit: to the end of the character begun. */
    while (end < text.len && ((unsigned char)text.ptr[end] & 0xc0) == 0x80)
        end++;
    return str_slice(text, at, end);
}

size_t chat_piece_count(struct str text)
{
    size_t count = 0;
    for (size_t at = 0; at < text.len; count++)
        at += chat_piece(text, at).len;
    return count;
}
