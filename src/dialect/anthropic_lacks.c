/* What of a chat request Messages cannot express, found before anything is sent: one rule for each member. A value that
 * is chat's default, or null, asks for nothing and is no lack; what changes no answer (store, metadata, service_tier,
 * ...) is none either. The rules and the writer (anthropic_request.c) must agree: what is no lack here is written
 * there, or changes no answer. Pure functions of text for any thread; they run for every request and allocate
 * nothing. */
#include "dialect/anthropic_int.h"
#include "dialect/openai_mend.h"

static bool is_unset(struct json_value v)
{
    (void)v; /* neither null nor absent, or no rule would have been asked */
    return false;
}

static bool is_anything(struct json_value v)
{
    (void)v;
    return true;
}

static bool is_false(struct json_value v)
{
    return v.type == JSON_FALSE;
}

static bool is_zero(struct json_value v)
{
    double number = 1;
    return json_to_double(v, &number) == OK && number == 0;
}

static bool is_at_most_one(struct json_value v)
{
    double number = 2;
    return json_to_double(v, &number) == OK && number <= 1;
}

static bool is_empty(struct json_value v)
{
    struct json_iter it = json_iter_begin(v);
    struct json_value key, item;
    if (v.type == JSON_OBJECT)
        return !json_object_next(&it, &key, &item);
    return v.type == JSON_ARRAY && !json_array_next(&it, &item);
}

static bool is_text_only(struct json_value v)
{
    struct json_iter it = json_iter_begin(v);
    struct json_value item;
    while (v.type == JSON_ARRAY && json_array_next(&it, &item))
        if (!messages_is(item, "text"))
            return false;
    return v.type == JSON_ARRAY;
}

static bool is_medium(struct json_value v)
{
    return messages_is(v, "medium");
}

static bool is_usual_tier(struct json_value v)
{
    return messages_is(v, "auto") || messages_is(v, "default");
}

static bool is_auto_or_none(struct json_value v)
{
    return messages_is(v, "auto") || messages_is(v, "none");
}

static bool is_effort(struct json_value v)
{
    static const char *const known[] = {"none", "minimal", "low", "medium", "high", "xhigh", "max"};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (messages_is(v, known[i]))
            return true;
    return false;
}

static bool is_format(struct json_value v)
{
    if (messages_is(json_get(v, "type"), "json_schema"))
        return json_get(json_get(v, "json_schema"), "schema").type == JSON_OBJECT;
    return messages_is(json_get(v, "type"), "text");
}

static bool is_empty_list(struct json_value v)
{
    return v.type != JSON_ARRAY || is_empty(v);
}

static bool is_list_of_functions(struct json_value v)
{
    struct json_iter it = json_iter_begin(v);
    struct json_value tool;
    while (v.type == JSON_ARRAY && json_array_next(&it, &tool)) {
        struct json_value type = json_get(tool, "type"); /* old clients leave it out in calls */
        if (json_is_set(type) && !messages_is(type, "function"))
            return false;
    }
    return v.type == JSON_ARRAY;
}

static bool is_tool_choice(struct json_value v)
{
    if (v.type == JSON_STRING)
        return is_auto_or_none(v) || messages_is(v, "required");
    return messages_is(json_get(v, "type"), "function");
}

static bool is_blank_text(struct json_value string)
{
    return messages_has_text(string) && !messages_says(string);
}

static bool is_stop(struct json_value v)
{
    struct json_iter it = json_iter_begin(v);
    struct json_value item;
    if (v.type == JSON_ARRAY)
        while (json_array_next(&it, &item))
            if (is_blank_text(item))
                return false;
    return !is_blank_text(v);
}

/* By the order of enum anthropic_field. `asks_nothing` tells values that lack nothing. */
static const struct {
    const char *lack;
    bool (*asks_nothing)(struct json_value);
} rules[ANTHROPIC_FIELD_COUNT] = {
    [ANTHROPIC_MODEL] = {NULL, is_anything},
    [ANTHROPIC_MESSAGES] = {NULL, is_anything},
    [ANTHROPIC_STREAM] = {NULL, is_anything},
    [ANTHROPIC_STREAM_OPTIONS] = {NULL, is_anything},
    [ANTHROPIC_MAX_TOKENS] = {NULL, is_anything},
    [ANTHROPIC_MAX_COMPLETION_TOKENS] = {NULL, is_anything},
    [ANTHROPIC_TOOLS] = {"tools that are no functions", is_list_of_functions},
    [ANTHROPIC_TOOL_CHOICE] = {"this kind of tool_choice", is_tool_choice},
    [ANTHROPIC_PARALLEL_TOOL_CALLS] = {NULL, is_anything},
    [ANTHROPIC_RESPONSE_FORMAT] = {"a response_format without a schema", is_format},
    [ANTHROPIC_TEMPERATURE] = {"a temperature above 1", is_at_most_one},
    [ANTHROPIC_TOP_P] = {NULL, is_anything},
    [ANTHROPIC_TOP_K] = {NULL, is_anything},
    [ANTHROPIC_STOP] = {"stop sequences of white space", is_stop},
    [ANTHROPIC_USER] = {NULL, is_anything},
    [ANTHROPIC_SAFETY_IDENTIFIER] = {NULL, is_anything},
    [ANTHROPIC_REASONING_EFFORT] = {"this reasoning_effort", is_effort},
    [ANTHROPIC_THINKING] = {NULL, is_anything},
    [ANTHROPIC_N] = {"n above 1", is_at_most_one},
    [ANTHROPIC_LOGPROBS] = {"logprobs", is_false},
    [ANTHROPIC_TOP_LOGPROBS] = {"top_logprobs", is_zero},
    [ANTHROPIC_LOGIT_BIAS] = {"logit_bias", is_empty},
    [ANTHROPIC_SEED] = {"seed", is_unset},
    [ANTHROPIC_PRESENCE_PENALTY] = {"presence_penalty", is_zero},
    [ANTHROPIC_FREQUENCY_PENALTY] = {"frequency_penalty", is_zero},
    [ANTHROPIC_MODALITIES] = {"modalities other than text", is_text_only},
    [ANTHROPIC_AUDIO] = {"audio", is_unset},
    [ANTHROPIC_WEB_SEARCH_OPTIONS] = {"web_search_options", is_unset},
    [ANTHROPIC_VERBOSITY] = {NULL, is_anything},
    [ANTHROPIC_FUNCTIONS] = {"functions (use tools)", is_empty},
    [ANTHROPIC_FUNCTION_CALL] = {"function_call (use tool_choice)", is_auto_or_none},
    [ANTHROPIC_METADATA] = {NULL, is_anything},
    [ANTHROPIC_STORE] = {NULL, is_anything},
    [ANTHROPIC_SERVICE_TIER] = {NULL, is_anything},
    [ANTHROPIC_PREDICTION] = {NULL, is_anything},
    [ANTHROPIC_PROMPT_CACHE_KEY] = {NULL, is_anything},
    [ANTHROPIC_PROMPT_CACHE_RETENTION] = {NULL, is_anything},
    [ANTHROPIC_PROMPT_CACHE_OPTIONS] = {NULL, is_anything},
    [ANTHROPIC_LEEROO] = {NULL, is_anything},
};

/* What an answer can do without, and Messages has no word for. */
void anthropic_drops(const struct openai_request *r, struct dropped *into)
{
    static const struct {
        enum anthropic_field field;
        bool (*asks_nothing)(struct json_value);
    } wishes[] = {
        {ANTHROPIC_VERBOSITY, is_medium},
        {ANTHROPIC_SERVICE_TIER, is_usual_tier},
        {ANTHROPIC_PREDICTION, is_unset},
    };
    struct json_value fields[ANTHROPIC_FIELD_COUNT];
    messages_members_read(r->root, anthropic_field_names, ANTHROPIC_FIELD_COUNT, fields, NULL);
    for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
        struct json_value value = fields[wishes[i].field];
        if (json_is_set(value) && !wishes[i].asks_nothing(value))
            dropped_add(into, NULL, str_from(anthropic_field_names[wishes[i].field]));
    }
}

/* Messages */

static const char *url_lacks(struct json_value url, bool is_file)
{
    struct str inside = json_inside(url);
    bool is_data = str_starts(inside, STR("data:"));
    struct str head = str_slice(inside, 0, str_find(inside, STR(","), 0));
    if (is_file && !is_data)
        return "files that are not given as data";
    if (is_file && !str_starts(inside, STR("data:application/pdf")) &&
        !str_starts(inside, STR("data:application\\/pdf")))
        return "files other than PDF";
    if (inside.len == 0)
        return "images without a URL";
    return is_data && !str_ends(head, STR(";base64")) ? "data URLs that are not in base64" : NULL;
}

const char *anthropic_part_lacks(struct json_value type, struct json_value image,
                                 struct json_value file)
{
    if (messages_is(type, "text") || messages_is(type, "refusal"))
        return NULL;
    if (messages_is(type, "image_url"))
        return url_lacks(image.type == JSON_STRING ? image : json_get(image, "url"), false);
    if (messages_is(type, "file"))
        return url_lacks(json_get(file, "file_data"), true);
    if (messages_is(type, "input_audio"))
        return "audio";
    return "content parts other than text, images and PDF files";
}

/* at_top: it goes to `system`. *ret_said: something in it is more than blank text. */
static const char *parts_lack(struct json_value content, bool at_top, bool *ret_said)
{
    enum { TYPE, TEXT, IMAGE_URL, FILE_PART, COUNT };
    static const char *const names[COUNT] = {"type", "text", "image_url", "file"};
    struct json_iter it = json_iter_begin(content);
    struct json_value part, f[COUNT];
    const char *lack = NULL;
    *ret_said = messages_says(content);
    while (content.type == JSON_ARRAY && !lack && json_array_next(&it, &part)) {
        messages_members_read(part, names, COUNT, f, NULL);
        bool is_text = messages_is(f[TYPE], "text");
        *ret_said |= !is_text || messages_says(f[TEXT]);
        lack = anthropic_part_lacks(f[TYPE], f[IMAGE_URL], f[FILE_PART]);
        if (at_top && !is_text && !messages_is(f[TYPE], "refusal"))
            lack = "a system text with images or files";
    }
    return lack;
}

static const char *calls_lack(struct json_value calls)
{
    struct json_iter it = json_iter_begin(calls);
    struct json_value call;
    while (calls.type == JSON_ARRAY && json_array_next(&it, &call))
        if (!messages_has_text(json_get(call, "id")) ||
            json_get(json_get(call, "function"), "name").type != JSON_STRING)
            return "tool calls without an id or a function's name";
    return NULL;
}

const char *anthropic_message_lacks(const struct json_value *m)
{
    if (anthropic_role_of(m[ANTHROPIC_MESSAGE_ROLE]) == ANTHROPIC_NONE)
        return "messages of this role";
    if (json_is_set(m[ANTHROPIC_MESSAGE_AUDIO]))
        return "audio";
    if (json_is_set(m[ANTHROPIC_MESSAGE_FUNCTION_CALL]))
        return "function_call (use tool_calls)";
    if (messages_has_text(m[ANTHROPIC_MESSAGE_NAME]) &&
        messages_is(m[ANTHROPIC_MESSAGE_ROLE], "user"))
        return "names of participants";
    if (m[ANTHROPIC_MESSAGE_TOOL_CALLS].type == JSON_ARRAY &&
        !is_list_of_functions(m[ANTHROPIC_MESSAGE_TOOL_CALLS]))
        return "tools that are no functions";
    if (messages_is(m[ANTHROPIC_MESSAGE_ROLE], "tool") &&
        !messages_has_text(m[ANTHROPIC_MESSAGE_TOOL_CALL_ID]))
        return "a tool's answer without tool_call_id";
    if (anthropic_role_of(m[ANTHROPIC_MESSAGE_ROLE]) != ANTHROPIC_OF_ASSISTANT)
        return NULL;
    return calls_lack(m[ANTHROPIC_MESSAGE_TOOL_CALLS]);
}

/* Whether it makes a block, also where its content says nothing. */
static bool is_block(const struct json_value *m)
{
    return messages_is(m[ANTHROPIC_MESSAGE_ROLE], "tool") ||
           !is_empty_list(m[ANTHROPIC_MESSAGE_TOOL_CALLS]) ||
           messages_says(m[ANTHROPIC_MESSAGE_REFUSAL]);
}

static const char *messages_lack(struct json_value messages)
{
    struct json_value m[ANTHROPIC_MESSAGE_FIELD_COUNT], message;
    struct json_iter it = json_iter_begin(messages);
    const char *lack = NULL;
    bool any = false, spoken = false, said = false;
    while (messages.type == JSON_ARRAY && !lack && json_array_next(&it, &message)) {
        messages_members_read(message, anthropic_message_names, ANTHROPIC_MESSAGE_FIELD_COUNT, m,
                              NULL);
        bool is_system = openai_is_system(m[ANTHROPIC_MESSAGE_ROLE]);
        lack = anthropic_message_lacks(m);
        if (!lack)
            lack = parts_lack(m[ANTHROPIC_MESSAGE_CONTENT], is_system && !any, &said);
        any |= !is_system;
        spoken |= any && (said || is_block(m));
    }
    if (!lack && !any)
        return "a conversation of system messages only";
    return lack || spoken ? lack : "a conversation that says nothing";
}

static bool has_nameless_tool(struct json_value tools)
{
    struct json_iter it = json_iter_begin(tools);
    struct json_value tool;
    while (tools.type == JSON_ARRAY && json_array_next(&it, &tool))
        if (!messages_has_text(json_get(json_get(tool, "function"), "name")))
            return true;
    return false;
}

const char *anthropic_fields_lack(const struct json_value *fields, struct json_value other)
{
    for (size_t i = 0; i < ANTHROPIC_FIELD_COUNT; i++)
        if (json_is_set(fields[i]) && !rules[i].asks_nothing(fields[i]))
            return rules[i].lack;
    if (has_nameless_tool(fields[ANTHROPIC_TOOLS]))
        return "functions without a name";
    return other.type != JSON_NONE ? "a parameter that is unknown to it" : NULL;
}

const char *anthropic_lacks(const struct openai_request *r)
{
    struct json_value fields[ANTHROPIC_FIELD_COUNT], other;
    messages_members_read(r->root, anthropic_field_names, ANTHROPIC_FIELD_COUNT, fields, &other);
    const char *lack = anthropic_fields_lack(fields, other);
    return lack ? lack : messages_lack(fields[ANTHROPIC_MESSAGES]);
}
