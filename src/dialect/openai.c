/* Reading the answers, chunks and errors of chat completions, in all the forms in which compatible servers send them.
 * It is also what every other dialect is translated into. Pure functions of text for any thread; results are spans into
 * the bytes given and live as long as those. On the way of every chunk of every stream, so each object is walked once
 * and nothing is allocated. Not for requests: openai_request.c. */
#include "dialect/openai.h"

#include "dialect/token_estimate.h"

#define USAGE_TOKENS_MAX INT64_C(1000000000000) /* beyond it a report is nonsense */

static bool is_label(struct json_value key)
{
    static const struct str labels[] = {STR_INIT("role"), STR_INIT("id"), STR_INIT("type")};
    return json_key_index(key, labels, 3) < 3;
}

/* Depth is bounded by json_parse. */
uint64_t openai_count_text(struct json_value value)
{
    uint64_t characters = tokens_json_characters(value);
    struct json_iter it = json_iter_begin(value);
    struct json_value key, item;
    if (value.type == JSON_ARRAY)
        while (json_array_next(&it, &item))
            characters += openai_count_text(item);
    else if (value.type == JSON_OBJECT)
        while (json_object_next(&it, &key, &item))
            if (!is_label(key))
                characters += openai_count_text(item);
    return characters;
}

static bool is_set(struct json_value value)
{
    return value.type != JSON_NONE && value.type != JSON_NULL;
}

/* Reads `value`, or `other` where that is absent. */
static bool read_tokens(struct json_value value, struct json_value other, int64_t *ret)
{
    int64_t tokens = 0;
    if (json_to_int64(is_set(value) ? value : other, &tokens) != OK || tokens < 0 ||
        tokens > USAGE_TOKENS_MAX)
        return false;
    *ret = tokens;
    return true;
}

static void read_input_details(struct json_value details, const struct json_value *beside,
                               struct openai_usage *u)
{
    static const struct str names[] = {STR_INIT("cached_tokens"), STR_INIT("cache_creation_tokens"),
                                       STR_INIT("cache_write_tokens")};
    const struct json_value none = {0};
    struct json_value in[3];
    json_members(details, names, 3, in);
    (void)(read_tokens(in[0], none, &u->cached_tokens) ||
           read_tokens(beside[0], beside[1], &u->cached_tokens));
    (void)(read_tokens(in[1], in[2], &u->cache_write_tokens) ||
           read_tokens(beside[2], none, &u->cache_write_tokens));
}

/* Cached input and the like are parts of the input, and stand in its details. Servers that pass on Anthropic's counts
 * put them beside prompt_tokens, of which they are parts just the same. One piece: a table of eleven names, looked up
 * in one walk over the object. */
static struct openai_usage read_usage(struct json_value usage)
{
    enum { INPUT, OUTPUT = 2, INPUT_DETAILS = 4, OUTPUT_DETAILS = 6, BESIDE = 8, NAMES = 11 };
    static const struct str names[NAMES] = {
        STR_INIT("prompt_tokens"),
        STR_INIT("input_tokens"),
        STR_INIT("completion_tokens"),
        STR_INIT("output_tokens"),
        STR_INIT("prompt_tokens_details"),
        STR_INIT("input_tokens_details"),
        STR_INIT("completion_tokens_details"),
        STR_INIT("output_tokens_details"),
        STR_INIT("cache_read_input_tokens"),
        STR_INIT("prompt_cache_hit_tokens"),
        STR_INIT("cache_creation_input_tokens"),
    };
    struct openai_usage u = {0};
    struct json_value v[NAMES];
    if (usage.type != JSON_OBJECT)
        return u;
    json_members(usage, names, NAMES, v);
    bool input = read_tokens(v[INPUT], v[INPUT + 1], &u.input_tokens);
    bool output = read_tokens(v[OUTPUT], v[OUTPUT + 1], &u.output_tokens);
    const struct json_value *in = &v[INPUT_DETAILS], *out = &v[OUTPUT_DETAILS];
    read_input_details(in[!is_set(in[0])], &v[BESIDE], &u);
    struct json_value reasoning = json_get(out[!is_set(out[0])], "reasoning_tokens");
    (void)read_tokens(reasoning, reasoning, &u.reasoning_tokens);
    u.known = input && output;
    return u;
}

static void read_choice(struct json_value choice, struct openai_reply *reply)
{
    static const struct str names[] = {STR_INIT("delta"), STR_INIT("message"), STR_INIT("text"),
                                       STR_INIT("finish_reason")};
    struct json_value values[4];
    json_members(choice, names, 4, values);
    for (size_t i = 0; i < 3; i++)
        reply->characters += openai_count_text(values[i]);
    reply->finished |= is_set(values[3]);
}

/* Some servers wrap an error in a list. */
static struct json_value unwrap_error(struct json_value root)
{
    struct json_iter it = json_iter_begin(root);
    struct json_value item;
    if (root.type == JSON_ARRAY && json_array_next(&it, &item) && is_set(json_get(item, "error")))
        return item;
    return root;
}

static void read_members(struct openai_reply *reply)
{
    static const struct str names[] = {STR_INIT("choices"), STR_INIT("error"), STR_INIT("usage")};
    struct json_value values[3], choice;
    json_members(reply->root, names, 3, values);
    struct json_iter it = json_iter_begin(values[0]);
    size_t count = 0;
    for (; values[0].type == JSON_ARRAY && json_array_next(&it, &choice); count++)
        read_choice(choice, reply);
    reply->is_error = is_set(values[1]);
    reply->has_content = reply->characters > 0 || reply->finished;
    reply->usage = read_usage(values[2]);
    reply->usage_only = count == 0 && values[2].type == JSON_OBJECT;
}

enum status openai_reply_read(struct str text, struct openai_reply *ret, struct error *err)
{
    struct openai_reply reply = {0};
    enum status status = json_parse(text, "answer", 1, &reply.root, err);
    if (status != OK)
        return status;
    reply.root = unwrap_error(reply.root);
    if (reply.root.type != JSON_OBJECT)
        return error_set(err, ERR_INPUT, "the answer is not a JSON object");
    read_members(&reply);
    *ret = reply;
    return OK;
}

/* Errors */

#define DELAY_MS_MAX (24 * 3600 * UINT64_C(1000))

static uint64_t seconds_to_ms(double seconds)
{
    if (!(seconds > 0))
        return 0;
    return seconds * 1000 > (double)DELAY_MS_MAX ? DELAY_MS_MAX : (uint64_t)(seconds * 1000);
}

/* A number of seconds, or a string like "30s" or "1.5". */
static uint64_t read_delay(struct json_value value, double unit_seconds)
{
    double number = 0;
    if (value.type == JSON_NUMBER && json_to_double(value, &number) == OK)
        return seconds_to_ms(number * unit_seconds);
    if (value.type != JSON_STRING)
        return 0;
    struct str text = str_slice(value.raw, 1, value.raw.len - 1);
    if (str_ends(text, STR("s")))
        text.len--;
    return str_to_double(text, &number) == OK ? seconds_to_ms(number * unit_seconds) : 0;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t read_delays(struct json_value error)
{
    uint64_t ms = read_delay(json_get(error, "retry_after"), 1);
    ms = larger(ms, read_delay(json_get(error, "retry_after_ms"), 0.001));
    struct json_value details = json_get(error, "details"), item;
    struct json_iter it = json_iter_begin(details);
    while (details.type == JSON_ARRAY && json_array_next(&it, &item))
        ms = larger(ms, read_delay(json_get(item, "retryDelay"), 1));
    return ms;
}

static int read_status(struct json_value value)
{
    int64_t number = 0;
    if (value.type == JSON_STRING) {
        struct str digits = str_slice(value.raw, 1, value.raw.len - 1);
        if (str_to_int64(digits, &number) != OK)
            return 0;
    } else if (json_to_int64(value, &number) != OK) {
        return 0;
    }
    return number >= 400 && number <= 599 ? (int)number : 0;
}

static struct json_value first_string(struct json_value object, const char *const *names,
                                      size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct json_value value = json_get(object, names[i]);
        if (value.type == JSON_STRING)
            return value;
    }
    return (struct json_value){0};
}

void openai_error_read(struct str body, struct openai_error *ret)
{
    static const char *const names[] = {"message", "detail", "error_description"};
    struct json_value root = {0}, first;
    *ret = (struct openai_error){0};
    if (json_parse(body, "error body", 1, &root, NULL) != OK)
        return;
    struct json_iter it = json_iter_begin(root);
    bool is_list = root.type == JSON_ARRAY && json_array_next(&it, &first);
    if (is_list)
        root = first;
    struct json_value error = json_get(root, "error");
    if (error.type == JSON_STRING)
        ret->message = error;
    else
        ret->message = first_string(error.type == JSON_OBJECT ? error : root, names, 3);
    ret->standard = !is_list && error.type == JSON_OBJECT && ret->message.type == JSON_STRING;
    ret->retry_after_ms = larger(read_delays(error), read_delays(root));
    ret->http_status = read_status(json_get(error, "code"));
    if (!ret->http_status)
        ret->http_status = read_status(json_get(error, "status"));
}

static void write_field(struct buf *out, const char *name, const char *value)
{
    buf_addf(out, ",\"%s\":", name);
    if (value)
        json_write_string(out, str_from(value));
    else
        buf_add_c(out, "null");
}

void openai_error_write(struct buf *out, struct str message, const char *type, const char *param,
                        const char *code)
{
    buf_add_c(out, "{\"error\":{\"message\":");
    json_write_string(out, message);
    write_field(out, "type", type);
    write_field(out, "param", param);
    write_field(out, "code", code);
    buf_add_c(out, "}}");
}
