/* A Messages client's own bytes for an Anthropic expert: spliced, never rebuilt. Besides model and limit, only what is
 * ours is taken out: "leeroo", and thinking that is unsigned or signed by us, which came from an expert of another
 * dialect by way of this gateway. Calls whose input is no object say so. Anthropic would refuse the conversation for
 * either. Pure functions of text for any thread. Cuts must be made in the order of their positions, because the copy
 * runs along with them. */
#include <stdio.h>

#include "base/check.h"
#include "dialect/anthropic_int.h"
#include "dialect/openai_mend.h"
#include "dialect/reasoning_mark.h"

#define THINKING_TOKENS_MIN 1024 /* Anthropic's own floor of thinking.budget_tokens */

enum { MODEL, MAX_TOKENS, THINKING, MESSAGES, LEEROO, FIELD_COUNT };

static const char *const field_names[FIELD_COUNT] = {"model", "max_tokens", "thinking", "messages",
                                                     "leeroo"};

struct editor {
    const char *at; /* what is in front of it has been copied or cut */
    struct buf *out;
    struct str model;
    int64_t limit;     /* INT64_MAX: none */
    bool system_first; /* the endpoint knows system texts only at the top */
    bool has_blocks;   /* of thinking or calls; conversations without the words are not searched */
};

static const char *end_of(struct str s)
{
    return s.ptr + s.len;
}

/* Cuts come in order of position. */
static void cut(struct editor *e, const char *from, const char *to, struct str with)
{
    DEBUG_CHECK(from >= e->at && to >= from);
    buf_add(e->out, (struct str){e->at, (size_t)(from - e->at)});
    buf_add(e->out, with);
    e->at = to;
}

/* An item of a list, or a member, with the comma that goes with it. `previous` is the end of the one in front (NULL:
 * none), `next` the begin of the one behind (NULL: none). */
static void cut_item(struct editor *e, struct str item, bool kept_before, const char *previous,
                     const char *next)
{
    if (kept_before)
        cut(e, previous, end_of(item), STR(""));
    else
        cut(e, item.ptr, next ? next : end_of(item), STR(""));
}

static const char *next_item(struct json_iter it)
{
    struct json_value item;
    return json_array_next(&it, &item) ? item.raw.ptr : NULL;
}

/* Thinking that Anthropic has not signed. */
static bool is_unsigned(struct json_value block)
{
    struct json_value type = json_get(block, "type");
    bool redacted = messages_is(type, "redacted_thinking");
    if (!redacted && !messages_is(type, "thinking"))
        return false;
    struct str mark = json_inside(json_get(block, redacted ? "data" : "signature"));
    return mark.len == 0 || reasoning_mark_is(mark);
}

/* A call that was cut off, in whatever form the client keeps it. */
static bool is_broken_call(struct json_value block)
{
    return messages_is(json_get(block, "type"), "tool_use") &&
           json_get(block, "input").type != JSON_OBJECT;
}

struct counts {
    size_t unsigned_thoughts, broken_calls, others; /* broken calls are among the others */
};

static struct counts count_blocks(struct json_value content)
{
    struct json_iter it = json_iter_begin(content);
    struct json_value block;
    struct counts n = {0};
    while (content.type == JSON_ARRAY && json_array_next(&it, &block)) {
        bool goes = is_unsigned(block);
        n.unsigned_thoughts += goes;
        n.others += !goes;
        n.broken_calls += is_broken_call(block);
    }
    return n;
}

/* Anthropic takes an object only. Without any input there is a place for one behind the type. */
static void mend_call(struct editor *e, struct json_value block)
{
    struct json_value input = json_get(block, "input"), type = json_get(block, "type");
    struct buf object;
    buf_init(&object, e->out->limit);
    if (input.type == JSON_NONE)
        buf_add(&object, STR(",\"input\":"));
    messages_write_input_or_note(&object, input);
    if (input.type == JSON_NONE)
        cut(e, end_of(type.raw), end_of(type.raw), buf_str(&object));
    else
        cut(e, input.raw.ptr, end_of(input.raw), buf_str(&object));
    if (object.status != OK)
        e->out->status = object.status;
    buf_done(&object);
}

static void edit_blocks(struct editor *e, struct json_value content)
{
    struct json_iter it = json_iter_begin(content);
    struct json_value block;
    const char *previous = NULL;
    bool kept = false;
    for (; json_array_next(&it, &block); previous = end_of(block.raw)) {
        if (is_unsigned(block)) {
            cut_item(e, block.raw, kept, previous, next_item(it));
            continue;
        }
        kept = true;
        if (is_broken_call(block))
            mend_call(e, block);
    }
}

/* What system says amid the conversation, said by the user. */
static void write_reminder(struct editor *e, struct json_value message)
{
    struct json_value content = json_get(message, "content"), block;
    struct json_iter it = json_iter_begin(content);
    struct buf said;
    buf_init(&said, e->out->limit);
    buf_add(&said, STR("{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\""));
    buf_add(&said, OPENAI_REMINDER_BEGIN);
    openai_system_inside(content, &said);
    buf_add(&said, OPENAI_REMINDER_END);
    buf_add(&said, STR("\"}"));
    while (content.type == JSON_ARRAY && json_array_next(&it, &block)) {
        if (!messages_is(json_get(block, "type"), "image"))
            continue;
        buf_add_char(&said, ',');
        buf_add(&said, block.raw);
    }
    buf_add(&said, STR("]}"));
    cut(e, message.raw.ptr, end_of(message.raw), buf_str(&said));
    if (said.status != OK)
        e->out->status = said.status;
    buf_done(&said);
}

static void edit_messages(struct editor *e, struct json_value messages)
{
    struct json_iter it = json_iter_begin(messages);
    struct json_value message;
    const char *previous = NULL;
    bool kept = false;
    for (; messages.type == JSON_ARRAY && json_array_next(&it, &message);
         previous = end_of(message.raw)) {
        struct json_value content = json_get(message, "content");
        struct counts n = count_blocks(content);
        if (n.unsigned_thoughts > 0 && n.others == 0) {
            cut_item(e, message.raw, kept, previous, next_item(it));
            continue;
        }
        kept = true;
        if (e->system_first && openai_is_system(json_get(message, "role")))
            write_reminder(e, message);
        else if (n.unsigned_thoughts > 0 || n.broken_calls > 0)
            edit_blocks(e, content);
    }
}

static void edit_number(struct editor *e, struct json_value number, int64_t limit)
{
    char digits[24];
    int64_t given = 0;
    if (number.type == JSON_NUMBER && json_to_int64(number, &given) == OK && given <= limit)
        return;
    int length = snprintf(digits, sizeof(digits), "%lld", (long long)limit);
    cut(e, number.raw.ptr, end_of(number.raw), (struct str){digits, (size_t)length});
}

/* Thinking must leave room for an answer. */
static void edit_thinking(struct editor *e, struct json_value thinking)
{
    struct json_value budget = json_get(thinking, "budget_tokens");
    if (budget.type == JSON_NUMBER && e->limit != INT64_MAX && e->limit > THINKING_TOKENS_MIN)
        edit_number(e, budget, e->limit - 1);
}

static void edit_member(struct editor *e, size_t field, struct json_value item)
{
    if (field == MODEL)
        cut(e, item.raw.ptr, end_of(item.raw), e->model);
    else if (field == MAX_TOKENS && e->limit != INT64_MAX)
        edit_number(e, item, e->limit);
    else if (field == THINKING)
        edit_thinking(e, item);
    else if (field == MESSAGES && (e->has_blocks || e->system_first))
        edit_messages(e, item);
}

static struct str whole_member(struct json_value key, struct json_value item)
{
    return (struct str){key.raw.ptr, (size_t)(end_of(item.raw) - key.raw.ptr)};
}

static const char *next_key(struct json_iter it)
{
    struct json_value key, item;
    return json_object_next(&it, &key, &item) ? key.raw.ptr : NULL;
}

/* A member that is given twice is refused: two readers may not agree on which one counts. */
static enum status edit_root(struct editor *e, struct json_value root, struct error *err)
{
    struct json_iter it = json_iter_begin(root);
    struct json_value key, item;
    const char *previous = NULL;
    bool kept = false, seen[FIELD_COUNT] = {false};
    for (; json_object_next(&it, &key, &item); previous = end_of(item.raw)) {
        size_t field = 0;
        while (field < FIELD_COUNT && !messages_is(key, field_names[field]))
            field++;
        if (field < FIELD_COUNT && seen[field])
            return error_set(err, ERR_INPUT, "%s is given twice", field_names[field]);
        if (field < FIELD_COUNT)
            seen[field] = true;
        if (field == LEEROO) {
            cut_item(e, whole_member(key, item), kept, previous, next_key(it));
            continue;
        }
        kept = true;
        edit_member(e, field, item);
    }
    buf_add(e->out, (struct str){e->at, (size_t)(end_of(root.raw) - e->at)});
    return seen[MODEL] ? OK : error_set(err, ERR_INPUT, "model: Field required");
}

/* One piece because the model's JSON text, which the editor points to, must live until the last cut. */
enum status anthropic_request_edit(struct str body, struct str upstream_model,
                                   int64_t output_tokens_limit, bool system_first, struct buf *out,
                                   struct error *err)
{
    struct json_value root;
    struct buf model;
    size_t start = out->len;
    enum status status = json_parse(body, "request body", 1, &root, err);
    if (status == OK && root.type != JSON_OBJECT)
        status = error_set(err, ERR_INPUT, "the request body must be a JSON object");
    if (status != OK)
        return status;
    buf_init(&model, upstream_model.len * 6 + 8);
    json_write_string(&model, upstream_model);
    struct editor e = {.at = root.raw.ptr,
                       .out = out,
                       .model = buf_str(&model),
                       .system_first = system_first,
                       .has_blocks = str_find(body, STR("thinking"), 0) != SIZE_MAX ||
                                     str_find(body, STR("tool_use"), 0) != SIZE_MAX,
                       .limit = output_tokens_limit > 0 ? output_tokens_limit : INT64_MAX};
    status = edit_root(&e, root, err);
    if (status == OK)
        status = buf_status(&model, err);
    if (status == OK)
        status = buf_status(out, err);
    buf_done(&model);
    if (status != OK && out->len > start)
        out->len = start;
    return status;
}
