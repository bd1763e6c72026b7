/* Reading a chat request, and editing it for an expert of OpenAI's dialect. Pure functions of text for any thread;
 * decoded strings live in the request's arena, all else is spans into the client's bytes. Reading comes once per
 * request, writing once per expert that is asked, so a body is never built anew: at most nine edits are spliced into
 * it. Not for answers: openai.c. */
#include "dialect/openai_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "dialect/needs.h"
#include "dialect/openai_mend.h"
#include "dialect/reasoning_mark.h"
#include "dialect/token_estimate.h"

#define QUERY_PARTS_BYTES_MAX (64u << 20) /* the arena's cap is what really limits it */

struct reader {
    struct openai_request *r;
    struct arena *arena;
    const char *param;
    struct error *err;
};

enum field {
    FIELD_MODEL,
    FIELD_MESSAGES,
    FIELD_STREAM,
    FIELD_STREAM_OPTIONS,
    FIELD_MAX_TOKENS,
    FIELD_MAX_COMPLETION_TOKENS,
    FIELD_TOOLS,
    FIELD_FUNCTIONS,
    FIELD_RESPONSE_FORMAT,
    FIELD_TEXT,
    FIELD_PROMPT,
    FIELD_N,
    FIELD_LOGPROBS,
    FIELD_MODALITIES,
    FIELD_LEEROO,
    FIELD_EFFORT,
    FIELD_COUNT
};

static const struct str field_names[FIELD_COUNT] = {
    STR_INIT("model"),           STR_INIT("messages"),
    STR_INIT("stream"),          STR_INIT("stream_options"),
    STR_INIT("max_tokens"),      STR_INIT("max_completion_tokens"),
    STR_INIT("tools"),           STR_INIT("functions"),
    STR_INIT("response_format"), STR_INIT("text"),
    STR_INIT("prompt"),          STR_INIT("n"),
    STR_INIT("logprobs"),        STR_INIT("modalities"),
    STR_INIT("leeroo"),          STR_INIT("reasoning_effort")};

static enum status bad(struct reader *x, const char *param, const char *what)
{
    x->param = param;
    return error_set(x->err, ERR_INPUT, "%s %s", param, what);
}

static const char *end_of(struct str s)
{
    return s.ptr + s.len;
}

/* The bytes to cut for a member to be gone: up to the next key, or else from the end of the last value. */
static struct str cut_of(struct str previous, struct json_value key, struct json_value item,
                         struct json_iter rest)
{
    struct json_value next_key, next;
    const char *from = key.raw.ptr, *to = end_of(item.raw);
    if (json_object_next(&rest, &next_key, &next))
        to = next_key.raw.ptr;
    else if (previous.ptr)
        from = end_of(previous);
    return (struct str){from, (size_t)(to - from)};
}

/* Members that change nothing here but whose turn it is (session/session.h). prompt_cache_key comes from Codex and
 * OpenAI's clients; Anthropic's metadata.user_id is `user` in a chat. */
static void note_session(struct openai_request *r, struct json_value key, struct json_value item)
{
    enum { THINKING, REASONING, CACHE_KEY, USER, METADATA, COUNT };
    static const struct str names[COUNT] = {STR_INIT("thinking"), STR_INIT("reasoning"),
                                            STR_INIT("prompt_cache_key"), STR_INIT("user"),
                                            STR_INIT("metadata")};
    size_t i = json_key_index(key, names, COUNT);
    if (i == METADATA)
        item = json_get(item, "user_id");
    if (i <= REASONING)
        r->may_think |= item.type > JSON_NULL;
    else if (i < COUNT && item.type == JSON_STRING && (r->session.len == 0 || i == CACHE_KEY))
        r->session = item.raw;
}

static enum status collect_fields(struct reader *x, struct json_value *fields)
{
    struct json_iter it = json_iter_begin(x->r->root);
    struct json_value key, item;
    struct str previous = {0};
    for (; json_object_next(&it, &key, &item); previous = item.raw) {
        size_t i = json_key_index(key, field_names, FIELD_COUNT);
        if (i == FIELD_COUNT) {
            note_session(x->r, key, item);
            continue;
        }
        if (i == FIELD_LEEROO)
            x->r->leeroo_cut = cut_of(previous, key, item, it);
        if (i == FIELD_EFFORT)
            x->r->effort_cut = cut_of(previous, key, item, it);
        if (fields[i].type != JSON_NONE)
            return bad(x, field_names[i].ptr, "is given twice");
        fields[i] = item;
    }
    return OK;
}

static enum status decode(struct reader *x, struct json_value string, struct str *ret)
{
    if (json_string_decode(string, x->arena, ret) != OK)
        return error_set(x->err, ERR_TOO_LARGE, "the request needs more memory than one may have");
    return OK;
}

static const struct str part_names[] = {STR_INIT("type"), STR_INIT("text")};

static bool is_text_type(struct json_value type)
{
    return json_string_equal(type, STR("text")) || json_string_equal(type, STR("input_text")) ||
           json_string_equal(type, STR("output_text"));
}

/* Text parts of one message are joined by newlines. One piece because of the usual case, a single part, which is
 * returned as it is and never copied. */
static enum status decode_parts(struct reader *x, struct json_value content, struct str *ret)
{
    struct buf joined;
    struct json_iter it = json_iter_begin(content);
    struct json_value part, values[2];
    struct str text = {0}, only = {0};
    size_t count = 0;
    buf_init(&joined, QUERY_PARTS_BYTES_MAX);
    enum status status = OK;
    while (status == OK && json_array_next(&it, &part)) {
        json_members(part, part_names, 2, values);
        if (values[1].type != JSON_STRING || !is_text_type(values[0]))
            continue;
        status = decode(x, values[1], &text);
        if (count++ > 0)
            buf_add_char(&joined, '\n');
        buf_add(&joined, text);
        only = text;
    }
    if (status == OK && count > 1)
        only = arena_copy(x->arena, buf_str(&joined));
    if (status == OK && count > 1 && (!only.ptr || joined.status != OK))
        status =
            error_set(x->err, ERR_TOO_LARGE, "the request needs more memory than one may have");
    buf_done(&joined);
    if (status == OK)
        *ret = only;
    return status;
}

/* An image that a tool gave back is no question: who cannot see it can be told that there is one. */
static void note_image(struct openai_request *r, bool is_result)
{
    r->images++;
    if (is_result)
        r->tool_images++;
    else
        r->needs |= EXPERT_IMAGES;
}

static enum status read_part(struct reader *x, struct json_value part, bool is_result)
{
    struct json_value values[2], type;
    json_members(part, part_names, 2, values);
    type = values[0];
    if (part.type != JSON_OBJECT || type.type != JSON_STRING)
        return bad(x, "messages", "has a content part that is no object with a type");
    if (json_string_equal(type, STR("image_url")) || json_string_equal(type, STR("input_image")))
        note_image(x->r, is_result);
    x->r->input_characters += tokens_json_scripts(values[1], &x->r->input_scripts);
    return OK;
}

struct message {
    struct json_value role, content, tool_calls, origin;
};

static struct message open_message(struct json_value object)
{
    static const struct str names[] = {STR_INIT("role"), STR_INIT("content"),
                                       STR_INIT("tool_calls"), STR_INIT(REASONING_ORIGIN)};
    struct json_value values[4];
    json_members(object, names, 4, values);
    return (struct message){values[0], values[1], values[2], values[3]};
}

static enum status read_message(struct reader *x, const struct message *m)
{
    struct json_value part;
    if (m->role.type != JSON_STRING)
        return bad(x, "messages", "must hold objects with a role");
    x->r->input_characters += tokens_json_scripts(m->content, &x->r->input_scripts);
    x->r->input_characters += m->tool_calls.raw.len;
    if (m->content.type == JSON_ARRAY) {
        struct json_iter it = json_iter_begin(m->content);
        bool is_result = json_string_equal(m->role, STR("tool"));
        while (json_array_next(&it, &part)) {
            enum status status = read_part(x, part, is_result);
            if (status != OK)
                return status;
        }
    } else if (m->content.type != JSON_STRING && m->content.type != JSON_NULL &&
               m->content.type != JSON_NONE) {
        return bad(x, "messages", "has a content that is neither a text nor a list of parts");
    }
    return OK;
}

static enum status read_content(struct reader *x, struct json_value content, struct str *ret)
{
    if (content.type == JSON_STRING)
        return decode(x, content, ret);
    if (content.type == JSON_ARRAY)
        return decode_parts(x, content, ret);
    return OK;
}

enum status openai_content_text(struct json_value content, struct arena *a, struct str *ret,
                                struct error *err)
{
    struct reader reader = {NULL, a, NULL, err};
    struct str text = {0};
    enum status status = read_content(&reader, content, &text);
    if (status == OK)
        *ret = text;
    return status;
}

enum status openai_request_earlier(const struct openai_request *r, size_t i, struct arena *a,
                                   struct str *ret, struct error *err)
{
    CHECK(i < r->earlier_count);
    return openai_content_text(r->earlier[i], a, ret, err);
}

/* What was the last user message until now becomes an earlier one. */
static void push_earlier(struct openai_request *r, struct json_value content)
{
    memmove(r->earlier + 1, r->earlier, (OPENAI_EARLIER_MAX - 1) * sizeof(r->earlier[0]));
    r->earlier[0] = content;
    if (r->earlier_count < OPENAI_EARLIER_MAX)
        r->earlier_count++;
}

/* Those of the user need none. */
static void note_mends(struct openai_request *r, const struct message *m)
{
    r->mends |= openai_message_mends(m->role, m->content, m->tool_calls, r->message_count - 1);
    if (m->origin.type != JSON_NONE && json_string_equal(m->role, STR("assistant")))
        r->mends |= OPENAI_MEND_REASONING;
}

static void note_answer(struct openai_request *r, struct json_value message, struct json_value role)
{
    if (!json_string_equal(role, STR("assistant")))
        return;
    r->last_answer = message;
    r->ends_in_answer = true;
}

/* One piece: the last message, the user's last and those before it are told apart in one walk. */
static enum status read_messages(struct reader *x, struct json_value messages)
{
    struct json_iter it = json_iter_begin(messages);
    struct json_value object;
    struct message message, last = {0}, last_user = {0};
    if (messages.type != JSON_ARRAY)
        return bad(x, "messages", "must be a list of messages");
    while (json_array_next(&it, &object)) {
        message = open_message(object);
        enum status status = read_message(x, &message);
        if (status != OK)
            return status;
        last = message;
        x->r->message_count++;
        x->r->ends_in_answer = false;
        if (!json_string_equal(message.role, STR("user"))) {
            note_mends(x->r, &message);
            note_answer(x->r, object, message.role);
            continue;
        }
        if (last_user.role.type != JSON_NONE)
            push_earlier(x->r, last_user.content);
        last_user = message;
    }
    x->r->messages = messages;
    if (last.role.type == JSON_NONE)
        return bad(x, "messages", "must not be empty");
    return read_content(x, last_user.role.type != JSON_NONE ? last_user.content : last.content,
                        &x->r->query);
}

static enum status read_stream(struct reader *x, const struct json_value *fields)
{
    struct json_value stream = fields[FIELD_STREAM], options = fields[FIELD_STREAM_OPTIONS];
    if (stream.type != JSON_NONE && stream.type != JSON_NULL && stream.type != JSON_TRUE &&
        stream.type != JSON_FALSE)
        return bad(x, "stream", "must be true or false");
    if (options.type != JSON_NONE && options.type != JSON_NULL && options.type != JSON_OBJECT)
        return bad(x, "stream_options", "must be an object");
    struct json_iter it = json_iter_begin(options);
    struct json_value key, item;
    while (json_object_next(&it, &key, &item)) {
        if (!json_string_equal(key, STR("include_usage")))
            continue;
        if (x->r->include_usage.type != JSON_NONE)
            return bad(x, "stream_options", "gives include_usage twice");
        x->r->include_usage = item;
    }
    x->r->stream = stream.type == JSON_TRUE;
    x->r->stream_options = options;
    x->r->wants_usage = x->r->include_usage.type == JSON_TRUE;
    return OK;
}

static enum status read_limits(struct reader *x, const struct json_value *fields)
{
    static const enum field order[] = {FIELD_MAX_TOKENS, FIELD_MAX_COMPLETION_TOKENS};
    for (size_t i = 0; i < 2; i++) {
        struct json_value value = fields[order[i]];
        int64_t tokens = 0;
        if (value.type == JSON_NONE || value.type == JSON_NULL)
            continue;
        if (json_to_int64(value, &tokens) != OK || tokens < 0)
            return bad(x, field_names[order[i]].ptr, "must be a whole number, not negative");
        x->r->output_tokens_max = tokens;
    }
    x->r->max_tokens = fields[FIELD_MAX_TOKENS];
    x->r->max_completion_tokens = fields[FIELD_MAX_COMPLETION_TOKENS];
    x->r->answers = 1;
    int64_t n = 0; /* anything but a number is left to the expert to refuse */
    if (fields[FIELD_N].type == JSON_NUMBER && json_to_int64(fields[FIELD_N], &n) == OK && n > 1)
        x->r->answers = n;
    return OK;
}

static bool is_absent_or(struct json_value value, struct str plain)
{
    return value.type == JSON_NONE || value.type == JSON_NULL || str_equal(value.raw, plain);
}

static void read_needs(struct reader *x, const struct json_value *fields)
{
    struct openai_request *r = x->r;
    struct json_value format = json_get(fields[FIELD_RESPONSE_FORMAT], "type");
    if (json_is_filled(fields[FIELD_TOOLS]) || json_is_filled(fields[FIELD_FUNCTIONS]))
        r->needs |= EXPERT_TOOLS;
    if (format.type == JSON_STRING && !json_string_equal(format, STR("text")))
        r->needs |= EXPERT_JSON;
    r->input_characters += fields[FIELD_TOOLS].raw.len + fields[FIELD_FUNCTIONS].raw.len;
    r->tools = fields[FIELD_TOOLS];
    if (openai_tools_mend(r->tools))
        r->mends |= OPENAI_MEND_TOOLS;
    r->plain_text = r->needs == 0 && r->tool_images == 0 &&
                    is_absent_or(fields[FIELD_N], STR("1")) &&
                    is_absent_or(fields[FIELD_LOGPROBS], STR("false")) &&
                    is_absent_or(fields[FIELD_MODALITIES], STR("[\"text\"]"));
}

static enum status read_query(struct reader *x, const struct json_value *fields, bool require_chat)
{
    struct json_value messages = fields[FIELD_MESSAGES];
    struct json_value text =
        fields[FIELD_TEXT].type != JSON_NONE ? fields[FIELD_TEXT] : fields[FIELD_PROMPT];
    if (!require_chat && messages.type == JSON_NONE && text.type != JSON_NONE) {
        if (text.type != JSON_STRING)
            return bad(x, fields[FIELD_TEXT].type != JSON_NONE ? "text" : "prompt",
                       "must be a text");
        x->r->input_characters = tokens_json_scripts(text, &x->r->input_scripts);
        return decode(x, text, &x->r->query);
    }
    if (messages.type == JSON_NONE)
        return bad(x, "messages",
                   require_chat ? "is missing" : "is missing; \"text\" would do, too");
    return read_messages(x, messages);
}

static enum status read_model(struct reader *x, struct json_value model, bool require_chat)
{
    x->r->model_value = model;
    if (model.type == JSON_NONE && !require_chat)
        return OK;
    if (model.type == JSON_NONE)
        return bad(x, "model", "is missing; \"leeroo\" lets the router choose");
    if (model.type != JSON_STRING)
        return bad(x, "model", "must be a text");
    return decode(x, model, &x->r->model);
}

static enum status read_root(struct reader *x, struct str body, bool require_chat)
{
    struct json_value fields[FIELD_COUNT] = {{0}};
    enum status status = json_parse(body, "request body", 1, &x->r->root, x->err);
    if (status == OK && x->r->root.type != JSON_OBJECT)
        status = error_set(x->err, ERR_INPUT, "the request body must be a JSON object");
    if (status == OK)
        status = collect_fields(x, fields);
    if (status == OK)
        status = read_model(x, fields[FIELD_MODEL], require_chat);
    if (status == OK)
        status = read_query(x, fields, require_chat);
    if (status == OK)
        status = read_stream(x, fields);
    if (status == OK)
        status = read_limits(x, fields);
    if (status != OK)
        return status;
    read_needs(x, fields);
    x->r->leeroo = fields[FIELD_LEEROO];
    x->r->may_think |= fields[FIELD_EFFORT].type > JSON_NULL;
    x->r->query_characters = utf8_count(x->r->query);
    return OK;
}

enum status openai_request_parse(struct str body, bool require_chat, struct arena *a,
                                 struct openai_request *ret, const char **ret_param,
                                 struct error *err)
{
    struct openai_request request = {0};
    struct reader reader = {&request, a, NULL, err};
    enum status status = read_root(&reader, body, require_chat);
    if (ret_param)
        *ret_param = reader.param;
    if (status == OK)
        *ret = request;
    return status;
}

/* Where the last byte before the closing brace of an object ends. */
static struct str before_brace(struct json_value object)
{
    return (struct str){object.raw.ptr + object.raw.len - 1, 0};
}

static bool is_empty_object(struct json_value object)
{
    struct json_iter it = json_iter_begin(object);
    struct json_value key, item;
    return !json_object_next(&it, &key, &item);
}

/* The edit that makes stream_options.include_usage true; false when it is already. */
static bool usage_edit(const struct openai_request *r, struct json_edit *ret)
{
    if (!r->stream || r->wants_usage)
        return false;
    if (r->include_usage.type != JSON_NONE)
        *ret = (struct json_edit){r->include_usage.raw, STR("true")};
    else if (r->stream_options.type == JSON_OBJECT)
        *ret =
            (struct json_edit){before_brace(r->stream_options),
                               is_empty_object(r->stream_options) ? STR("\"include_usage\":true")
                                                                  : STR(",\"include_usage\":true")};
    else if (r->stream_options.type == JSON_NULL)
        *ret = (struct json_edit){r->stream_options.raw, STR("{\"include_usage\":true}")};
    else
        *ret = (struct json_edit){before_brace(r->root),
                                  STR(",\"stream_options\":{\"include_usage\":true}")};
    return true;
}

/* Lowers a limit that the client gave; whether there was one is the return value. */
static bool limit_edit(struct json_value given, int64_t limit, struct str text,
                       struct json_edit *edits, size_t *count)
{
    int64_t tokens = 0;
    if (given.type == JSON_NONE || given.type == JSON_NULL)
        return false;
    if (json_to_int64(given, &tokens) != OK || tokens > limit)
        edits[(*count)++] = (struct json_edit){given.raw, text};
    return true;
}

static bool is_given(struct json_value value)
{
    return value.type != JSON_NONE;
}

/* The limit under the name that the expert wants, where the client gave it under the other. At most one edit. */
static void name_edit(const struct openai_request *r, enum openai_limit_name wanted,
                      struct json_edit *edits, size_t *count)
{
    bool completion = wanted == OPENAI_LIMIT_MAX_COMPLETION_TOKENS;
    struct json_value right = completion ? r->max_completion_tokens : r->max_tokens;
    struct json_value other = completion ? r->max_tokens : r->max_completion_tokens;
    struct json_iter it = json_iter_begin(r->root);
    struct json_value key, item;
    if (wanted == OPENAI_LIMIT_AS_GIVEN || is_given(right) || !is_given(other))
        return;
    while (json_object_next(&it, &key, &item))
        if (item.raw.ptr == other.raw.ptr)
            edits[(*count)++] = (struct json_edit){
                key.raw, completion ? STR("\"max_completion_tokens\"") : STR("\"max_tokens\"")};
}

/* At most two edits. `text` holds the limit's digits, `member` scratch for a new member. */
static void limit_edits(const struct openai_request *r, int64_t limit, struct str text,
                        enum openai_limit_name name, struct buf *member, struct json_edit *edits,
                        size_t *count)
{
    bool old = limit_edit(r->max_tokens, limit, text, edits, count);
    bool new = limit_edit(r->max_completion_tokens, limit, text, edits, count);
    if (old || new)
        return;
    if (r->max_completion_tokens.type == JSON_NULL) {
        edits[(*count)++] = (struct json_edit){r->max_completion_tokens.raw, text};
    } else if (r->max_tokens.type == JSON_NULL) {
        edits[(*count)++] = (struct json_edit){r->max_tokens.raw, text};
    } else {
        bool completion = name == OPENAI_LIMIT_MAX_COMPLETION_TOKENS;
        buf_addf(member, ",\"%s\":%.*s", completion ? "max_completion_tokens" : "max_tokens",
                 STR_FMT(text));
        edits[(*count)++] = (struct json_edit){before_brace(r->root), buf_str(member)};
    }
}

static int compare_edits(const void *a, const void *b)
{
    const struct json_edit *left = a, *right = b;
    return (left->cut.ptr > right->cut.ptr) - (left->cut.ptr < right->cut.ptr);
}

/* At most two edits, whose texts are in the buffers. */
static void mend_edits(const struct openai_request *r, const struct openai_target *target,
                       struct buf *messages, struct buf *tools, struct json_edit *edits,
                       size_t *count)
{
    unsigned mends = r->mends & ~(target->system_anywhere ? OPENAI_MEND_SYSTEM : 0u);
    if (mends & ~OPENAI_MEND_TOOLS) {
        openai_messages_write(r->messages, mends, target, messages);
        edits[(*count)++] = (struct json_edit){r->messages.raw, buf_str(messages)};
    }
    if (mends & OPENAI_MEND_TOOLS) {
        openai_tools_write(r->tools, tools);
        edits[(*count)++] = (struct json_edit){r->tools.raw, buf_str(tools)};
    }
}

/* One piece because the edits point into the buffers of what is new, which must outlive the splice. */
void openai_request_write(const struct openai_request *r, struct str upstream_model,
                          int64_t output_tokens_limit, enum openai_limit_name limit_name,
                          const struct openai_target *target, struct buf *out)
{
    struct json_edit edits[9], usage;
    size_t count = 0;
    struct buf model, member, messages, tools;
    char digits[24];
    int length = snprintf(digits, sizeof(digits), "%lld", (long long)output_tokens_limit);
    buf_init(&member, 64);
    buf_init(&messages, out->limit);
    buf_init(&tools, out->limit);
    buf_init(&model, upstream_model.len * 6 + 8);
    json_write_string(&model, upstream_model);
    if (r->model_value.type != JSON_NONE)
        edits[count++] = (struct json_edit){r->model_value.raw, buf_str(&model)};
    if (usage_edit(r, &usage))
        edits[count++] = usage;
    if (r->leeroo_cut.len > 0)
        edits[count++] = (struct json_edit){r->leeroo_cut, STR("")};
    if (r->effort_cut.len > 0 && r->effort_is_wish && !target->knows_effort)
        edits[count++] = (struct json_edit){r->effort_cut, STR("")};
    name_edit(r, limit_name, edits, &count);
    if (output_tokens_limit > 0)
        limit_edits(r, output_tokens_limit, (struct str){digits, (size_t)length}, limit_name,
                    &member, edits, &count);
    mend_edits(r, target, &messages, &tools, edits, &count);
    CHECK(count <= sizeof(edits) / sizeof(edits[0]));
    qsort(edits, count, sizeof(edits[0]), compare_edits);
    json_splice(r->root.raw, edits, count, out);
    const struct buf *const made[] = {&model, &member, &messages, &tools};
    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++)
        if (buf_status(made[i], NULL) != OK)
            out->status = ERR_MEMORY;
    buf_done(&model);
    buf_done(&member);
    buf_done(&messages);
    buf_done(&tools);
}
