/* The body of POST /messages out of a chat request: model, limit, tools, sampling, format and metadata; the messages
 * themselves are anthropic_messages.c's. Pure functions of text for any thread, called by the row of the dialect. What
 * anthropic_lacks names is refused here too, by its name: nothing that would change an answer is left out in
 * silence. */
#include "dialect/anthropic_int.h"

#define NAME_BYTES_MAX 64 /* of an unknown parameter, in an error */

const char *const anthropic_field_names[ANTHROPIC_FIELD_COUNT] = {
    "model",
    "messages",
    "stream",
    "stream_options",
    "max_tokens",
    "max_completion_tokens",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "response_format",
    "temperature",
    "top_p",
    "top_k",
    "stop",
    "user",
    "safety_identifier",
    "reasoning_effort",
    "thinking",
    "n",
    "logprobs",
    "top_logprobs",
    "logit_bias",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "modalities",
    "audio",
    "web_search_options",
    "verbosity",
    "functions",
    "function_call",
    "metadata",
    "store",
    "service_tier",
    "prediction",
    "prompt_cache_key",
    "prompt_cache_retention",
    "prompt_cache_options",
    "leeroo",
};

static void write_limit(const struct openai_request *r, int64_t limit, int64_t standard,
                        struct buf *out)
{
    int64_t tokens = r->output_tokens_max > 0 ? r->output_tokens_max : standard;
    if (tokens <= 0)
        tokens = ANTHROPIC_OUTPUT_TOKENS_DEFAULT;
    if (limit > 0 && tokens > limit)
        tokens = limit;
    buf_addf(out, ",\"max_tokens\":%lld,", (long long)tokens);
}

/* A temperature or top_p of 1 is left out: it is the default of both sides, and some models accept no value at all. */
static void write_sampling(const struct json_value *f, struct buf *out)
{
    static const enum anthropic_field defaults_to_one[] = {ANTHROPIC_TEMPERATURE, ANTHROPIC_TOP_P};
    for (size_t i = 0; i < 2; i++) {
        double value = 0;
        struct json_value v = f[defaults_to_one[i]];
        if (json_to_double(v, &value) != OK || value != 1)
            messages_write_member(out, anthropic_field_names[defaults_to_one[i]], v);
    }
    messages_write_member(out, "top_k", f[ANTHROPIC_TOP_K]);
}

static void write_stop(struct json_value stop, struct buf *out)
{
    struct json_iter it = json_iter_begin(stop);
    struct json_value item;
    size_t count = 0;
    if (stop.type == JSON_STRING && messages_has_text(stop))
        buf_addf(out, ",\"stop_sequences\":[%.*s]", STR_FMT(stop.raw));
    if (stop.type != JSON_ARRAY)
        return;
    while (json_array_next(&it, &item)) {
        if (!messages_has_text(item))
            continue;
        buf_add_c(out, count++ == 0 ? ",\"stop_sequences\":[" : ",");
        buf_add(out, item.raw);
    }
    if (count > 0)
        buf_add_char(out, ']');
}

/* Tools */

/* The schema of an object. Anthropic demands its type, which chat's clients may leave out. */
static void write_schema(struct json_value schema, struct buf *out)
{
    struct json_iter it = json_iter_begin(schema);
    struct json_value key, item;
    if (schema.type != JSON_OBJECT || !json_object_next(&it, &key, &item)) {
        buf_add(out, STR("{\"type\":\"object\",\"properties\":{}}"));
    } else if (json_is_set(json_get(schema, "type"))) {
        buf_add(out, schema.raw);
    } else {
        buf_add(out, STR("{\"type\":\"object\","));
        buf_add(out, str_slice(schema.raw, 1, schema.raw.len));
    }
}

static enum status write_tool(struct json_value tool, struct buf *out, struct error *err)
{
    enum { NAME, DESCRIPTION, PARAMETERS, STRICT, CACHE_CONTROL, COUNT };
    static const char *const names[COUNT] = {"name", "description", "parameters", "strict",
                                             "cache_control"};
    struct json_value f[COUNT], cache = json_get(tool, "cache_control");
    messages_members_read(json_get(tool, "function"), names, COUNT, f, NULL);
    if (!messages_has_text(f[NAME]))
        return error_set(err, ERR_INPUT, "tools hold a function without a name");
    buf_addf(out, "{\"name\":%.*s", STR_FMT(f[NAME].raw));
    if (messages_has_text(f[DESCRIPTION]))
        messages_write_member(out, "description", f[DESCRIPTION]);
    buf_add(out, STR(",\"input_schema\":"));
    write_schema(f[PARAMETERS], out);
    if (f[STRICT].type == JSON_TRUE)
        buf_add(out, STR(",\"strict\":true"));
    messages_write_member(out, "cache_control", json_is_set(cache) ? cache : f[CACHE_CONTROL]);
    buf_add_char(out, '}');
    return OK;
}

static void write_tool_choice(const struct json_value *f, struct buf *out)
{
    struct json_value choice = f[ANTHROPIC_TOOL_CHOICE];
    struct json_value name = json_get(json_get(choice, "function"), "name");
    bool one = f[ANTHROPIC_PARALLEL_TOOL_CALLS].type == JSON_FALSE;
    if (!json_is_set(choice) && !one)
        return;
    buf_add(out, STR(",\"tool_choice\":{\"type\":"));
    if (name.type == JSON_STRING)
        buf_addf(out, "\"tool\",\"name\":%.*s", STR_FMT(name.raw));
    else
        buf_add_c(out, messages_is(choice, "required") ? "\"any\""
                       : messages_is(choice, "none")   ? "\"none\""
                                                       : "\"auto\"");
    if (one && !messages_is(choice, "none"))
        buf_add(out, STR(",\"disable_parallel_tool_use\":true"));
    buf_add_char(out, '}');
}

static enum status write_tools(const struct json_value *f, struct buf *out, struct error *err)
{
    struct json_iter it = json_iter_begin(f[ANTHROPIC_TOOLS]);
    struct json_value tool;
    size_t count = 0;
    enum status status = OK;
    while (status == OK && f[ANTHROPIC_TOOLS].type == JSON_ARRAY && json_array_next(&it, &tool)) {
        buf_add_c(out, count++ == 0 ? ",\"tools\":[" : ",");
        status = write_tool(tool, out, err);
    }
    if (count > 0) {
        buf_add_char(out, ']');
        write_tool_choice(f, out);
    }
    return status;
}

/* Effort and format share `output_config`. There is nothing below "low", and "none" switches thinking off. */
static void write_output_config(const struct json_value *f, struct buf *out)
{
    struct json_value effort = f[ANTHROPIC_REASONING_EFFORT];
    struct json_value schema =
        json_get(json_get(f[ANTHROPIC_RESPONSE_FORMAT], "json_schema"), "schema");
    bool off = messages_is(effort, "none");
    bool has_effort = effort.type == JSON_STRING && !off, has_schema = schema.type == JSON_OBJECT;
    if (json_is_set(f[ANTHROPIC_THINKING]))
        messages_write_member(out, "thinking", f[ANTHROPIC_THINKING]);
    else if (off)
        buf_add(out, STR(",\"thinking\":{\"type\":\"disabled\"}"));
    if (!has_effort && !has_schema)
        return;
    buf_add(out, STR(",\"output_config\":{"));
    if (has_effort)
        buf_addf(out, "\"effort\":%.*s%s",
                 STR_FMT(messages_is(effort, "minimal") ? STR("\"low\"") : effort.raw),
                 has_schema ? "," : "");
    if (has_schema) {
        buf_add(out, STR("\"format\":{\"type\":\"json_schema\",\"schema\":"));
        buf_add(out, schema.raw);
        buf_add_char(out, '}');
    }
    buf_add_char(out, '}');
}

static void write_metadata(const struct json_value *f, struct buf *out)
{
    struct json_value user = f[ANTHROPIC_SAFETY_IDENTIFIER];
    if (!messages_has_text(user))
        user = f[ANTHROPIC_USER];
    if (!messages_has_text(user))
        return;
    buf_add(out, STR(",\"metadata\":{\"user_id\":"));
    buf_add(out, user.raw);
    buf_add_char(out, '}');
}

/* One piece: the members are read once, and what is written in which order can be seen at a glance. */
enum status anthropic_request_write(const struct openai_request *r, struct str upstream_model,
                                    int64_t output_tokens_limit, int64_t output_tokens_default,
                                    struct arena *a, struct buf *out, struct error *err)
{
    struct json_value f[ANTHROPIC_FIELD_COUNT], other;
    messages_members_read(r->root, anthropic_field_names, ANTHROPIC_FIELD_COUNT, f, &other);
    const char *lack = anthropic_fields_lack(f, other);
    if (lack)
        return error_set(err, ERR_UNSUPPORTED, "an Anthropic expert does not offer %s%s%.*s", lack,
                         other.type == JSON_NONE ? "" : ": ",
                         STR_FMT(str_slice(json_inside(other), 0, NAME_BYTES_MAX)));
    size_t start = out->len;
    buf_add(out, STR("{\"model\":"));
    json_write_string(out, upstream_model);
    write_limit(r, output_tokens_limit, output_tokens_default, out);
    enum status status = anthropic_messages_write(f[ANTHROPIC_MESSAGES], a, out, err);
    if (status == OK)
        status = write_tools(f, out, err);
    if (status == OK) {
        write_sampling(f, out);
        write_stop(f[ANTHROPIC_STOP], out);
        write_output_config(f, out);
        write_metadata(f, out);
        buf_add_c(out, r->stream ? ",\"stream\":true}" : "}");
        status = buf_status(out, err);
    }
    if (status != OK && out->len > start)
        out->len = start;
    return status;
}
