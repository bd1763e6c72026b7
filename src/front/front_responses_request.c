/* A request of the Responses API as a chat completion, by one table of its members. Nothing is kept between requests,
 * so whatever refers to an earlier one is refused, and so are members of other APIs, which would go unheard. Clients
 * that are newer than this table are served: what it does not know is left out and named. Pure functions of text for
 * any thread, called by way of the front's row; answers read the request once more (responses_fields_read), because
 * they repeat it. */
#include "front/front_responses_int.h"

#include <string.h>

#define NUMBER FRONT_TYPE(JSON_NUMBER)
#define TEXT   FRONT_TYPE(JSON_STRING)
#define LIST   FRONT_TYPE(JSON_ARRAY)
#define OBJECT FRONT_TYPE(JSON_OBJECT)

static const struct front_member table[] = {
    [RESPONSES_MODEL] = {"model", FRONT_CARRY, 0},
    [RESPONSES_INPUT] = {"input", FRONT_READ, TEXT | LIST},
    [RESPONSES_INSTRUCTIONS] = {"instructions", FRONT_READ, TEXT},
    [RESPONSES_TOOLS] = {"tools", FRONT_READ, LIST},
    [RESPONSES_TOOL_CHOICE] = {"tool_choice", FRONT_READ, TEXT | OBJECT},
    [RESPONSES_PARALLEL] = {"parallel_tool_calls", FRONT_READ, FRONT_FLAG},
    [RESPONSES_MAX_OUTPUT] = {"max_output_tokens", FRONT_READ, NUMBER},
    /* limits built-in tools, of which there are none */
    [RESPONSES_MAX_TOOL_CALLS] = {"max_tool_calls", FRONT_ACCEPT, NUMBER},
    [RESPONSES_TEMPERATURE] = {"temperature", FRONT_CARRY, 0},
    [RESPONSES_TOP_P] = {"top_p", FRONT_CARRY, 0},
    [RESPONSES_TOP_LOGPROBS] = {"top_logprobs", FRONT_READ, NUMBER},
    [RESPONSES_TEXT_FORMAT] = {"text", FRONT_READ, OBJECT},
    [RESPONSES_REASONING_EFFORT] = {"reasoning", FRONT_READ, OBJECT},
    [RESPONSES_INCLUDE] = {"include", FRONT_READ, LIST},
    [RESPONSES_STREAM] = {"stream", FRONT_CARRY, FRONT_FLAG},
    [RESPONSES_METADATA] = {"metadata", FRONT_ACCEPT, OBJECT}, /* the answer repeats it */
    [RESPONSES_STORE] = {"store", FRONT_ACCEPT, FRONT_FLAG},   /* the answer says false */
    [RESPONSES_USER] = {"user", FRONT_CARRY, 0},
    [RESPONSES_SAFETY_IDENTIFIER] = {"safety_identifier", FRONT_CARRY, 0},
    [RESPONSES_PROMPT_CACHE_KEY] = {"prompt_cache_key", FRONT_CARRY, 0},
    [RESPONSES_TRUNCATION] = {"truncation", FRONT_READ, TEXT},
    [RESPONSES_BACKGROUND] = {"background", FRONT_READ, FRONT_FLAG},
    [RESPONSES_PREVIOUS_ID] = {"previous_response_id", FRONT_READ, 0},
    [RESPONSES_CONVERSATION] = {"conversation", FRONT_READ, 0},
    [RESPONSES_PROMPT] = {"prompt", FRONT_READ, 0},
    {"leeroo", FRONT_CARRY, 0},
    {"service_tier", FRONT_CARRY, 0},
    {"prompt_cache_options", FRONT_CARRY, 0},
    {"prompt_cache_retention", FRONT_CARRY, 0},
    {"stream_options", FRONT_ACCEPT, OBJECT}, /* include_obfuscation: padding */
    {"seed", FRONT_CARRY, 0},                 /* chat's, which this API lacks */
    {"stop", FRONT_CARRY, 0},
    {"presence_penalty", FRONT_CARRY, 0},
    {"frequency_penalty", FRONT_CARRY, 0},
    {"logit_bias", FRONT_CARRY, 0},
    {"top_k", FRONT_CARRY, 0},
    {"min_p", FRONT_CARRY, 0},
    {"repetition_penalty", FRONT_CARRY, 0},
    {"client_metadata", FRONT_ACCEPT, 0}, /* for the client's own operator */
    {"context_management", FRONT_DROP, 0},
    {"moderation", FRONT_DROP, 0},
    {"messages", FRONT_REFUSE, 0}, /* chat's, under which this API's are not looked for */
    {"max_tokens", FRONT_REFUSE, 0},
    {"max_completion_tokens", FRONT_REFUSE, 0},
    {"response_format", FRONT_REFUSE, 0},
    {"functions", FRONT_REFUSE, 0},
    {"n", FRONT_REFUSE, 0},
    {"logprobs", FRONT_REFUSE, 0},
    {"modalities", FRONT_REFUSE, 0},
};
#define FIELD_COUNT (sizeof(table) / sizeof(table[0]))
_Static_assert(FIELD_COUNT <= RESPONSES_FIELDS, "room for all rows");

static enum status refuse_others(struct front_reader *x, const struct json_value *fields)
{
    static const char stateless[] = "is not offered: nothing is kept between requests; "
                                    "send the earlier items as input";
    if (fields[RESPONSES_PREVIOUS_ID].type != JSON_NONE)
        return front_refuse(x, "previous_response_id", stateless);
    if (fields[RESPONSES_CONVERSATION].type != JSON_NONE)
        return front_refuse(x, "conversation", stateless);
    if (fields[RESPONSES_PROMPT].type != JSON_NONE)
        return front_refuse(x, "prompt", "is not offered: no prompt templates are kept here");
    if (fields[RESPONSES_BACKGROUND].type == JSON_TRUE)
        return front_refuse(x, "background", "is not offered: the answer comes at once");
    return OK;
}

/* A conversation that is too long is refused, with or without `truncation`, and no answer is kept. */
static void note_wishes(struct front_reader *x, const struct json_value *fields)
{
    struct json_value truncation = fields[RESPONSES_TRUNCATION];
    if (truncation.type != JSON_NONE && !json_string_equal(truncation, STR("disabled")))
        dropped_add(&x->dropped, NULL, STR("truncation"));
    if (fields[RESPONSES_STORE].type == JSON_TRUE)
        dropped_add(&x->dropped, NULL, STR("store"));
}

static enum status write_messages(struct front_reader *x, const struct json_value *fields,
                                  struct buf *out)
{
    struct json_value instructions = fields[RESPONSES_INSTRUCTIONS];
    if (fields[RESPONSES_INPUT].type == JSON_NONE)
        return front_bad(x, "input", "is missing");
    buf_add_c(out, "{\"messages\":[");
    if (instructions.type == JSON_STRING) {
        buf_add_c(out, "{\"role\":\"system\",\"content\":");
        buf_add(out, instructions.raw);
        buf_add_char(out, '}');
    }
    enum status status =
        responses_input_write(x, fields[RESPONSES_INPUT], instructions.type != JSON_STRING, out);
    buf_add_char(out, ']');
    return status;
}

/* Whether token probabilities are asked for. */
static enum status read_include(struct front_reader *x, struct json_value include, bool *ret)
{
    struct json_iter it = json_iter_begin(include);
    struct json_value item;
    while (json_array_next(&it, &item)) {
        if (item.type != JSON_STRING)
            return front_bad(x, "include", "must be a list of texts");
        if (json_string_equal(item, STR("message.output_text.logprobs")))
            *ret = true;
        else if (!json_string_equal(item, STR("reasoning.encrypted_content"))) /* always is */
            dropped_add(&x->dropped, "include", json_inside(item));
    }
    return OK;
}

static enum status write_logprobs(struct front_reader *x, const struct json_value *fields,
                                  struct buf *out)
{
    struct json_value top = fields[RESPONSES_TOP_LOGPROBS];
    bool wanted = top.type != JSON_NONE && !str_equal(top.raw, STR("0"));
    enum status status = read_include(x, fields[RESPONSES_INCLUDE], &wanted);
    if (status == OK && wanted) {
        buf_add_c(out, ",\"logprobs\":true");
        front_write_member(out, "top_logprobs", top);
    }
    return status;
}

static enum status write_reasoning(struct front_reader *x, struct json_value reasoning,
                                   struct buf *out)
{
    static const struct front_member rows[] = {
        {"effort", FRONT_READ, TEXT},
        {"summary", FRONT_ACCEPT, TEXT}, /* what the expert shows is shown */
        {"generate_summary", FRONT_ACCEPT, TEXT},
    };
    struct json_value fields[3];
    if (reasoning.type == JSON_NONE)
        return OK;
    enum status status = front_members_read(x, reasoning, "reasoning", rows, 3, fields);
    if (status == OK)
        front_write_member(out, "reasoning_effort", fields[0]);
    return status;
}

static enum status write_chat(struct front_reader *x, const struct json_value *fields,
                              struct buf *out)
{
    enum status status = refuse_others(x, fields);
    note_wishes(x, fields);
    if (status == OK)
        status = write_messages(x, fields, out);
    if (status == OK)
        status = responses_tools_write(x, fields, out);
    if (status == OK)
        status = responses_text_write(x, fields[RESPONSES_TEXT_FORMAT], out);
    if (status == OK)
        status = write_reasoning(x, fields[RESPONSES_REASONING_EFFORT], out);
    if (status == OK)
        status = write_logprobs(x, fields, out);
    if (status != OK)
        return status;
    front_write_member(out, "max_completion_tokens", fields[RESPONSES_MAX_OUTPUT]);
    front_members_carry(table, FIELD_COUNT, fields, out);
    if (fields[RESPONSES_STREAM].type == JSON_TRUE) /* the last event always reports it */
        buf_add_c(out, ",\"stream_options\":{\"include_usage\":true}");
    buf_add_char(out, '}');
    return buf_status(out, x->err);
}

enum status responses_request(struct str body, struct arena *a, struct front_chat *ret,
                              const char **ret_param, struct error *err)
{
    static const struct front_table request = {table, FIELD_COUNT, true, write_chat};
    return front_translate(body, a, &request, ret, ret_param, err);
}

void responses_fields_read(struct str body, struct json_value fields[RESPONSES_FIELDS])
{
    struct json_value root, key, item;
    memset(fields, 0, RESPONSES_FIELDS * sizeof(fields[0]));
    if (json_parse(body, "request body", 1, &root, NULL) != OK)
        return;
    struct json_iter it = json_iter_begin(root);
    while (root.type == JSON_OBJECT && json_object_next(&it, &key, &item))
        for (size_t i = 0; i < FIELD_COUNT; i++)
            if ((key.raw.ptr[1] == '\\' || key.raw.ptr[1] == table[i].name[0]) &&
                item.type != JSON_NULL && json_string_equal(key, str_from(table[i].name)))
                fields[i] = item;
}
