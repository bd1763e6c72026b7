/* A whole chat completion as a response object: the reasoning, text, refusal and calls of choice 0 become one item
 * each. A stream makes the same items piece by piece (front_responses_stream.c) and ends with this object; both are
 * written by front_responses_write.c, so that they cannot differ. Pure functions of text for any thread, called by way
 * of the front's row; nothing is kept for a later request. */
#include "dialect/openai_completion.h"
#include "front/front_responses_thought.h"
#include "front/front_responses_toolbox.h"

enum responses_status responses_finish_read(struct json_value finish_reason,
                                            const char **ret_incomplete)
{
    *ret_incomplete = json_string_equal(finish_reason, STR("length")) ? "max_output_tokens"
                      : json_string_equal(finish_reason, STR("content_filter")) ? "content_filter"
                                                                                : NULL;
    return *ret_incomplete ? RESPONSES_INCOMPLETE : RESPONSES_COMPLETED;
}

struct json_value responses_reasoning_find(struct json_value message)
{
    struct json_value reasoning = json_get(message, "reasoning_content");
    if (json_inside(reasoning).len == 0)
        reasoning = json_get(message, "reasoning");
    return reasoning.type == JSON_STRING ? reasoning : (struct json_value){0};
}

struct str responses_arguments_read(struct json_value arguments, struct buf *scratch)
{
    if (arguments.type != JSON_OBJECT)
        return json_inside(arguments);
    struct buf plain;
    buf_init(&plain, scratch->limit);
    json_write_line(&plain, arguments);
    buf_clear(scratch);
    json_write_string(scratch, buf_str(&plain));
    buf_done(&plain);
    return scratch->status == OK ? str_slice(buf_str(scratch), 1, scratch->len - 1) : STR("");
}

struct writer {
    const struct front_context *context;
    const struct responses_toolbox *tools;
    struct buf *out;
    size_t count; /* items written */
    size_t total; /* items there will be: the last of an incomplete answer is incomplete */
    enum responses_status status;
};

static void write_item(struct writer *w, struct responses_item *item)
{
    item->index = w->count++;
    item->status = w->count == w->total ? w->status : RESPONSES_COMPLETED;
    if (item->index > 0)
        buf_add_char(w->out, ',');
    responses_item_write(w->out, w->context, item);
}

static void write_text(struct writer *w, enum responses_kind kind, struct str text,
                       struct json_value logprobs)
{
    struct responses_item item = {.kind = kind, .text = text};
    struct buf list;
    buf_init(&list, logprobs.raw.len + 1);
    if (logprobs.type == JSON_ARRAY) {
        json_write_line(&list, logprobs);
        item.logprobs = str_slice(buf_str(&list), 1, list.len - 1);
    }
    write_item(w, &item);
    buf_done(&list);
}

/* A call with something that must come back with it has a reasoning item in front. */
static size_t count_calls(struct json_value calls)
{
    struct json_iter it = json_iter_begin(calls);
    struct json_value call;
    size_t count = 0;
    while (calls.type == JSON_ARRAY && json_array_next(&it, &call))
        count += json_get(call, "extra_content").type == JSON_OBJECT ? 2 : 1;
    return count;
}

static void write_thought(struct writer *w, struct str text, const struct responses_carry *carry)
{
    struct buf sealed;
    buf_init(&sealed, w->out->limit);
    responses_carry_write(w->context, carry, &sealed);
    struct responses_item item = {
        .kind = RESPONSES_REASONING, .text = text, .sealed = buf_str(&sealed)};
    write_item(w, &item);
    if (sealed.status != OK || carry->blocks.status != OK || carry->details.status != OK)
        w->out->status = ERR_MEMORY;
    buf_done(&sealed);
}

static void write_call(struct writer *w, struct json_value call, struct buf *arguments,
                       struct buf *content)
{
    struct json_value function = json_get(call, "function");
    const struct responses_carry carry = {.extra = json_get(call, "extra_content")};
    if (responses_carry_is_filled(&carry))
        write_thought(w, STR(""), &carry);
    struct str name = json_inside(json_get(function, "name"));
    struct responses_item item = {
        .kind = RESPONSES_CALL,
        .call_id = json_inside(json_get(call, "id")),
        .name = name,
        .text = responses_arguments_read(json_get(function, "arguments"), arguments),
        .tool = responses_toolbox_find(w->tools, name)};
    responses_call_end(&item, content);
    write_item(w, &item);
}

static void write_calls(struct writer *w, struct json_value calls)
{
    struct json_iter it = json_iter_begin(calls);
    struct json_value call;
    struct buf arguments, content;
    buf_init(&arguments, calls.raw.len * 2 + 8); /* quotes are escaped */
    buf_init(&content, calls.raw.len * 2 + FRONT_BODY_SPARE);
    while (calls.type == JSON_ARRAY && json_array_next(&it, &call))
        write_call(w, call, &arguments, &content);
    if (arguments.status != OK || content.status != OK)
        w->out->status = ERR_MEMORY;
    buf_done(&content);
    buf_done(&arguments);
}

/* One piece: how many items there are decides which is the last, so what there is of each is found first. */
static void write_items(struct writer *w, struct json_value choice)
{
    struct json_value message = json_get(choice, "message"), none = {0};
    struct json_value reasoning = responses_reasoning_find(message),
                      refusal = json_get(message, "refusal"),
                      calls = json_get(message, "tool_calls");
    struct responses_carry carry;
    struct buf text;
    responses_carry_init(&carry, 2 * message.raw.len + FRONT_BODY_SPARE);
    responses_carry_read(&carry, message, json_inside(reasoning));
    bool has_thought = json_inside(reasoning).len > 0 || responses_carry_is_filled(&carry);
    buf_init(&text, message.raw.len + 1);
    front_write_content(&text, json_get(message, "content"));
    size_t others = has_thought + (json_inside(refusal).len > 0) + count_calls(calls);
    bool has_text = text.len > 0 || (others == 0 && w->status == RESPONSES_COMPLETED);
    w->total = others + has_text;
    if (has_thought)
        write_thought(w, json_inside(reasoning), &carry);
    if (has_text)
        write_text(w, RESPONSES_TEXT, buf_str(&text),
                   json_get(json_get(choice, "logprobs"), "content"));
    if (json_inside(refusal).len > 0)
        write_text(w, RESPONSES_REFUSAL, json_inside(refusal), none);
    write_calls(w, calls);
    buf_done(&text);
    responses_carry_done(&carry);
}

/* The member as JSON on one line in `scratch`; empty when it is not there. */
static struct str read_member(struct json_value root, const char *name, struct buf *scratch)
{
    struct json_value value = json_get(root, name);
    if (json_is_set(value))
        json_write_line(scratch, value);
    return buf_str(scratch);
}

static void write_response(const struct front_context *c, const struct json_value *fields,
                           const struct responses_toolbox *tools, struct json_value root,
                           struct json_value choice, struct buf *out)
{
    struct buf usage, leeroo, model, tier;
    struct responses_view v = {.context = c, .fields = fields};
    buf_init(&usage, FRONT_BODY_SPARE);
    buf_init(&leeroo, root.raw.len + 1);
    buf_init(&model, root.raw.len + 1);
    buf_init(&tier, root.raw.len + 1);
    responses_usage_write(&usage, json_get(root, "usage"));
    v.usage = buf_str(&usage);
    v.leeroo = read_member(root, "leeroo", &leeroo);
    v.model = read_member(root, "model", &model);
    v.service_tier = read_member(root, "service_tier", &tier);
    v.status = responses_finish_read(json_get(choice, "finish_reason"), &v.incomplete);
    struct writer w = {.context = c, .tools = tools, .out = out, .status = v.status};
    responses_head_write(out, &v);
    write_items(&w, choice);
    responses_tail_write(out, &v);
    buf_done(&tier);
    buf_done(&model);
    buf_done(&leeroo);
    buf_done(&usage);
}

enum status responses_answer(const struct front_context *c, struct str completion, struct buf *out,
                             struct error *err)
{
    struct json_value root, choice = {0};
    if (json_parse(completion, "answer", 1, &root, NULL) == OK && root.type == JSON_OBJECT &&
        !json_is_set(json_get(root, "error")))
        choice = openai_choice_first(root);
    if (choice.type != JSON_OBJECT)
        return error_set(err, ERR_UPSTREAM, "the answer is not a chat completion");
    struct json_value fields[RESPONSES_FIELDS];
    struct responses_toolbox tools;
    responses_fields_read(c->request, fields);
    enum status status = responses_toolbox_read(fields, &tools, err);
    if (status != OK)
        return status;
    write_response(c, fields, &tools, root, choice, out);
    responses_toolbox_free(&tools);
    return buf_status(out, err);
}
