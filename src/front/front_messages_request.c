/* A Messages request as a chat request: its members; the conversation is front_messages_input.c's. Of what chat cannot
 * express there are three kinds. What changes no answer (cache_control, service_tier, ...) is left out; a wish
 * (thinking, edits of the context, members that are unknown here) is put in chat's words, or left out and named; and
 * what an answer would be wrong without is left to experts that speak Messages. Pure functions of text for any thread,
 * called by way of the front's row and for count_tokens; the translated body lives in the request's arena. */
#include "base/hash.h"
#include "front/front_members.h"
#include "front/front_messages_int.h"

#define NATIVE_NAME_BYTES_MAX 64
#define USER_BYTES_MAX        64

enum {
    MODEL,
    MESSAGES,
    MAX_TOKENS,
    SYSTEM,
    STREAM,
    TEMPERATURE,
    TOP_P,
    STOP_SEQUENCES,
    TOOLS,
    TOOL_CHOICE,
    METADATA,
    THINKING,
    OUTPUT_CONFIG,
    OUTPUT_FORMAT,
    LEEROO,
    SEED, /* from here on: chat's, not Anthropic's; for clients that know what stands behind the gateway */
    PRESENCE_PENALTY,
    FREQUENCY_PENALTY,
    LOGIT_BIAS,
    CACHE_CONTROL, /* from here on: what changes no answer */
    SERVICE_TIER,
    DIAGNOSTICS,
    SPEED,
    USER_PROFILE_ID,
    BETAS,
    FIELD_COUNT
};

static const char *const names[FIELD_COUNT] = {
    "model",
    "messages",
    "max_tokens",
    "system",
    "stream",
    "temperature",
    "top_p",
    "stop_sequences",
    "tools",
    "tool_choice",
    "metadata",
    "thinking",
    "output_config",
    "output_format",
    "leeroo",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "logit_bias",
    "cache_control",
    "service_tier",
    "diagnostics",
    "speed",
    "user_profile_id",
    "betas",
};

enum status messages_bad(struct messages_reader *x, const char *param, const char *what)
{
    x->param = param;
    return error_set(x->err, ERR_INPUT, "%s: %s", param, what);
}

void messages_native(struct messages_reader *x, const char *what)
{
    if (!x->native_only)
        x->native_only = what;
}

void messages_drop(struct messages_reader *x, const char *place, struct json_value key)
{
    if (key.type != JSON_NONE)
        dropped_add(&x->dropped, place, json_inside(key));
}

void messages_rather(struct messages_reader *x, const char *place, struct json_value type)
{
    struct str name = str_slice(json_inside(type), 0, NATIVE_NAME_BYTES_MAX);
    messages_drop(x, place, type);
    if (!x->native_rather)
        x->native_rather = arena_printf(x->a, "%.*s", STR_FMT(name));
}

void messages_native_key(struct messages_reader *x, struct json_value key)
{
    struct str name = str_slice(json_inside(key), 0, NATIVE_NAME_BYTES_MAX);
    if (key.type == JSON_NONE || x->native_only)
        return;
    const char *copy = arena_printf(x->a, "%.*s", STR_FMT(name));
    x->native_only = copy ? copy : "an unknown member";
}

static bool is_nothing(struct json_value value)
{
    struct json_iter it = json_iter_begin(value);
    struct json_value key, item;
    return !json_is_set(value) || (value.type == JSON_ARRAY && !json_array_next(&it, &item)) ||
           (value.type == JSON_OBJECT && !json_object_next(&it, &key, &item));
}

/* Where an answer is made is a promise, no wish. */
static void note_unknown(struct messages_reader *x, struct json_value key, struct json_value item)
{
    if (is_nothing(item))
        return;
    if (messages_is(key, "inference_geo"))
        messages_native_key(x, key);
    else
        messages_drop(x, NULL, key);
}

static enum status read_fields(struct messages_reader *x, struct json_value root,
                               struct json_value *fields)
{
    struct json_iter it = json_iter_begin(root);
    struct json_value key, item;
    if (root.type != JSON_OBJECT)
        return error_set(x->err, ERR_INPUT, "the request body must be a JSON object");
    while (json_object_next(&it, &key, &item)) {
        size_t i = 0;
        while (i < FIELD_COUNT && !messages_is(key, names[i]))
            i++;
        if (i == FIELD_COUNT) {
            note_unknown(x, key, item);
            continue;
        }
        if (fields[i].type != JSON_NONE)
            return messages_bad(x, names[i], "is given twice");
        fields[i] = item;
    }
    return OK;
}

/* Complains of what is missing or of the wrong type, in Anthropic's words. */
static enum status check_fields(struct messages_reader *x, const struct json_value *f,
                                bool want_limit)
{
    int64_t tokens = 0;
    if (!json_is_set(f[MODEL]))
        return messages_bad(x, "model", "Field required");
    if (!json_is_set(f[MESSAGES]))
        return messages_bad(x, "messages", "Field required");
    if (f[MESSAGES].type != JSON_ARRAY)
        return messages_bad(x, "messages", "Input should be a valid list");
    if (json_is_set(f[STREAM]) && f[STREAM].type != JSON_TRUE && f[STREAM].type != JSON_FALSE)
        return messages_bad(x, "stream", "Input should be a valid boolean");
    if (!json_is_set(f[MAX_TOKENS]))
        return want_limit ? messages_bad(x, "max_tokens", "Field required") : OK;
    if (json_to_int64(f[MAX_TOKENS], &tokens) != OK)
        return messages_bad(x, "max_tokens", "Input should be a valid integer");
    if (tokens < 0)
        return messages_bad(x, "max_tokens", "Input should be greater than or equal to 0");
    if (tokens == 0)
        messages_native(x, "max_tokens 0");
    return OK;
}

/* Settings */

static void write_format(struct messages_reader *x, struct json_value format)
{
    struct json_value schema = json_get(format, "schema");
    if (!json_is_set(format))
        return;
    if (!messages_is(json_get(format, "type"), "json_schema") || schema.type != JSON_OBJECT) {
        messages_native(x, "this output format");
        return;
    }
    buf_add(x->out, STR(",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":"
                        "{\"name\":\"output\",\"strict\":true,\"schema\":"));
    buf_add(x->out, schema.raw);
    buf_add(x->out, STR("}}"));
}

/* As much as all models understand that have efforts. */
static const char *effort_named(struct json_value effort)
{
    static const char *const pairs[][2] = {
        {"low", "low"}, {"medium", "medium"}, {"high", "high"}, {"xhigh", "high"}, {"max", "high"}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        if (messages_is(effort, pairs[i][0]))
            return pairs[i][1];
    return NULL;
}

/* The effort that a number of tokens to think with comes near to; without one the model has its own. */
static const char *effort_of_budget(struct json_value thinking)
{
    int64_t tokens = 0;
    if (json_to_int64(json_get(thinking, "budget_tokens"), &tokens) != OK)
        return NULL;
    return tokens < 4096 ? "low" : tokens < 16384 ? "medium" : "high";
}

/* Stands where another member follows that experts get, so that it can be cut (openai_request_write). */
static void write_effort(struct messages_reader *x, const struct json_value *f)
{
    struct json_value given = json_get(f[OUTPUT_CONFIG], "effort");
    const char *effort = effort_named(given);
    bool thinks =
        json_is_set(f[THINKING]) && !messages_is(json_get(f[THINKING], "type"), "disabled");
    if (thinks)
        dropped_add(&x->effort, NULL, STR("thinking"));
    if (effort)
        dropped_add(&x->effort, "output_config", STR("effort"));
    else if (json_is_set(given))
        dropped_add(&x->dropped, "output_config", STR("effort"));
    if (!effort && thinks)
        effort = effort_of_budget(f[THINKING]);
    if (effort)
        buf_addf(x->out, ",\"reasoning_effort\":\"%s\"", effort);
}

static void write_output_config(struct messages_reader *x, const struct json_value *f)
{
    enum { EFFORT, FORMAT, COUNT };
    static const char *const members[COUNT] = {"effort", "format"};
    struct json_value c[COUNT], other;
    messages_members_read(f[OUTPUT_CONFIG], members, COUNT, c, &other);
    messages_drop(x, "output_config", other);
    write_format(x, json_is_set(c[FORMAT]) ? c[FORMAT] : f[OUTPUT_FORMAT]);
}

static enum status write_stop(struct messages_reader *x, struct json_value stop)
{
    struct json_iter it = json_iter_begin(stop);
    struct json_value item;
    if (!json_is_set(stop))
        return OK;
    if (stop.type != JSON_ARRAY)
        return messages_bad(x, "stop_sequences", "Input should be a valid list");
    if (json_array_next(&it, &item))
        messages_write_member(x->out, "stop", stop);
    return OK;
}

/* OpenAI refuses a longer one; its hash says as well whether two requests come from the same user. */
static void write_user(struct messages_reader *x, struct json_value id)
{
    if (json_inside(id).len > USER_BYTES_MAX)
        buf_addf(x->out, ",\"user\":\"%016llx\"", (unsigned long long)hash64(json_inside(id), 0));
    else
        messages_write_member(x->out, "user", id);
}

static enum status write_settings(struct messages_reader *x, const struct json_value *f)
{
    write_effort(x, f);
    messages_write_member(x->out, "max_tokens", f[MAX_TOKENS]);
    messages_write_member(x->out, "stream", f[STREAM]);
    if (f[STREAM].type == JSON_TRUE) /* message_delta reports it */
        buf_add(x->out, STR(",\"stream_options\":{\"include_usage\":true}"));
    messages_write_member(x->out, "temperature", f[TEMPERATURE]);
    messages_write_member(x->out, "top_p", f[TOP_P]);
    for (size_t i = SEED; i < CACHE_CONTROL; i++)
        messages_write_member(x->out, names[i], f[i]);
    write_output_config(x, f);
    write_user(x, json_get(f[METADATA], "user_id"));
    messages_write_member(x->out, "leeroo", f[LEEROO]);
    return write_stop(x, f[STOP_SEQUENCES]);
}

static enum status write_body(struct messages_reader *x, const struct json_value *f)
{
    buf_add(x->out, STR("{\"model\":"));
    buf_add(x->out, f[MODEL].raw);
    buf_add(x->out, STR(",\"messages\":"));
    enum status status = messages_input_write(x, f[SYSTEM], f[MESSAGES]);
    if (status == OK)
        status = messages_tools_write(x, f[TOOLS], f[TOOL_CHOICE]);
    if (status == OK)
        status = write_settings(x, f);
    buf_add_char(x->out, '}');
    return status == OK ? buf_status(x->out, x->err) : status;
}

static enum status read_request(struct str body, bool want_limit, struct arena *a,
                                struct front_chat *ret, const char **ret_param, struct error *err)
{
    struct messages_reader x = {.a = a, .err = err};
    struct json_value fields[FIELD_COUNT] = {{0}}, root;
    enum status status = json_parse(body, "request body", 1, &root, err);
    if (status == OK)
        status = read_fields(&x, root, fields);
    if (status == OK)
        status = check_fields(&x, fields, want_limit);
    if (status == OK)
        status = front_body_create(a, body, &x.out, err);
    if (status == OK)
        status = write_body(&x, fields);
    *ret_param = x.param;
    if (status == OK)
        *ret = (struct front_chat){.body = buf_str(x.out),
                                   .native_only = x.native_only,
                                   .native_rather = x.native_rather,
                                   .dropped = x.dropped,
                                   .effort = x.effort};
    return status;
}

enum status messages_request(struct str body, struct arena *a, struct front_chat *ret,
                             const char **ret_param, struct error *err)
{
    return read_request(body, true, a, ret, ret_param, err);
}

enum status front_messages_count_request(struct str body, struct arena *a, struct front_chat *ret,
                                         const char **ret_param, struct error *err)
{
    return read_request(body, false, a, ret, ret_param, err);
}
