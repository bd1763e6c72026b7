/* Reading the answers, chunks and errors of chat completions, in all the forms in which compatible servers send them.
 * It is also what every other dialect is translated into. Pure functions of text for any thread; results are spans into
 * the bytes given and live as long as those. On the way of every chunk of every stream, so each object is walked once
 * and nothing is allocated. Not for requests: openai_request.c. */
#include "dialect/openai.h"

#include "dialect/token_estimate.h"

#define USAGE_TOKENS_MAX INT64_C(1000000000000) /* beyond it a report is nonsense */

/* Depth is bounded by json_parse. Notes what lists of calls and roles there are. */
static uint64_t count_text(struct json_value value, struct openai_reply *reply)
{
    enum { ROLE = 0, TOOL_CALLS = 4, NAMES };
    static const struct str names[NAMES] = {STR_INIT("role"), STR_INIT("id"), STR_INIT("type"),
                                            STR_INIT("format"), STR_INIT("tool_calls")};
    uint64_t characters = tokens_json_weight(value);
    struct json_iter it = json_iter_begin(value);
    struct json_value key, item;
    if (value.type == JSON_ARRAY)
        while (json_array_next(&it, &item))
            characters += count_text(item, reply);
    while (value.type == JSON_OBJECT && json_object_next(&it, &key, &item)) {
        size_t i = json_key_index(key, names, NAMES);
        reply->has_calls |= i == TOOL_CALLS && item.type == JSON_ARRAY;
        reply->has_role |= i == ROLE && item.type == JSON_STRING;
        if (i >= TOOL_CALLS)
            characters += count_text(item, reply);
    }
    return characters;
}

uint64_t openai_count_text(struct json_value value)
{
    struct openai_reply unused = {0};
    return count_text(value, &unused);
}

/* Set, and not one of the values by which servers say that there is nothing. */
static bool is_told(struct json_value value)
{
    return json_is_set(value) && value.type != JSON_FALSE && !str_equal(value.raw, STR("\"\"")) &&
           !str_equal(value.raw, STR("0"));
}

/* A count as servers write it: 12, "12", or 12.0, as programs do that keep every number as a double. */
bool openai_read_count(struct json_value value, int64_t *ret)
{
    double number = 0;
    if (value.type == JSON_STRING) {
        value.raw = str_slice(value.raw, 1, value.raw.len - 1);
        value.type = JSON_NUMBER;
    }
    if (json_to_int64(value, ret) == OK)
        return *ret >= 0 && *ret <= USAGE_TOKENS_MAX;
    if (json_to_double(value, &number) != OK || !(number >= 0 && number <= USAGE_TOKENS_MAX))
        return false;
    *ret = (int64_t)number;
    return (double)*ret == number;
}

/* Reads `value`, or `other` where that is absent. */
static bool read_tokens(struct json_value value, struct json_value other, int64_t *ret)
{
    int64_t tokens = 0;
    if (!openai_read_count(json_is_set(value) ? value : other, &tokens))
        return false;
    *ret = tokens;
    return true;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger_count(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Anthropic's split by lifetime, `beside` the counts, or in the details under LiteLLM's name. */
static void read_lifetimes(struct json_value details, struct json_value beside,
                           struct openai_usage *u)
{
    const struct json_value none = {0};
    if (!json_is_set(details) && !json_is_set(beside))
        return;
    struct json_value split = json_is_set(details) ? details : beside;
    (void)read_tokens(json_get(split, "ephemeral_1h_input_tokens"), none,
                      &u->cache_write_1h_tokens);
    u->cache_write_tokens = larger_count(u->cache_write_tokens, u->cache_write_1h_tokens);
}

static void read_input_details(struct json_value details, const struct json_value *beside,
                               struct openai_usage *u)
{
    enum { CACHED, CREATED, WRITTEN, LIFETIMES, NAMES };
    static const struct str names[NAMES] = {
        STR_INIT("cached_tokens"), STR_INIT("cache_creation_tokens"),
        STR_INIT("cache_write_tokens"), STR_INIT("cache_creation_token_details")};
    const struct json_value none = {0};
    struct json_value in[NAMES];
    json_members(details, names, NAMES, in);
    (void)(read_tokens(in[CACHED], none, &u->cached_tokens) ||
           read_tokens(beside[0], beside[1], &u->cached_tokens) ||
           read_tokens(beside[2], none, &u->cached_tokens));
    (void)(read_tokens(in[CREATED], in[WRITTEN], &u->cache_write_tokens) ||
           read_tokens(beside[3], none, &u->cache_write_tokens));
    read_lifetimes(in[LIFETIMES], beside[4], u);
}

/* What the total holds beyond the sum of both counts was billed, too: cache reads and writes beside the prompt where
 * they make up just that, else output that nobody sees (xAI tells its reasoning beside completion_tokens, Gemini's
 * compatible API in the total alone). Reasoning of more tokens than the output has stands beside it as well. */
static void add_beside(struct openai_usage *u, int64_t total)
{
    int64_t more = total - u->input_tokens - u->output_tokens;
    int64_t kept = u->cached_tokens + u->cache_write_tokens;
    bool kept_beside =
        total > 0 ? more == kept && kept != u->reasoning_tokens : kept > u->input_tokens;
    if (kept > 0 && kept_beside) {
        u->input_tokens += kept;
        more -= kept;
    }
    if (total == 0 && u->reasoning_tokens > u->output_tokens)
        more = u->reasoning_tokens;
    if (more <= 0)
        return;
    if (u->reasoning_tokens > 0 && u->reasoning_tokens != more) /* some of it is within */
        u->reasoning_tokens = smaller(u->reasoning_tokens, u->output_tokens) + more;
    else
        u->reasoning_tokens = more;
    u->output_tokens += more;
}

/* Cached input and the like are parts of the input, and stand in its details. Servers that pass on Anthropic's counts
 * put them beside prompt_tokens, of which they are parts just the same. One piece: a table of names, looked up in one
 * walk over the object. */
static struct openai_usage read_usage(struct json_value usage)
{
    enum {
        INPUT,
        OUTPUT = 2,
        INPUT_DETAILS = 4,
        OUTPUT_DETAILS = 6,
        BESIDE = 8,
        TOTAL = 13,
        NAMES
    };
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
        STR_INIT("cached_tokens"), /* Moonshot */
        STR_INIT("cache_creation_input_tokens"),
        STR_INIT("cache_creation"),
        STR_INIT("total_tokens"),
    };
    const struct json_value none = {0};
    int64_t total = 0;
    struct openai_usage u = {0};
    struct json_value v[NAMES];
    if (usage.type != JSON_OBJECT)
        return u;
    json_members(usage, names, NAMES, v);
    bool input = read_tokens(v[INPUT], v[INPUT + 1], &u.input_tokens);
    bool output = read_tokens(v[OUTPUT], v[OUTPUT + 1], &u.output_tokens);
    const struct json_value *in = &v[INPUT_DETAILS], *out = &v[OUTPUT_DETAILS];
    read_input_details(in[!json_is_set(in[0])], &v[BESIDE], &u);
    struct json_value reasoning = json_get(out[!json_is_set(out[0])], "reasoning_tokens");
    (void)read_tokens(reasoning, none, &u.reasoning_tokens);
    (void)read_tokens(v[TOTAL], none, &total);
    u.known = input && output;
    u.odd = (!input && json_is_set(v[json_is_set(v[INPUT]) ? INPUT : INPUT + 1])) ||
            (!output && json_is_set(v[json_is_set(v[OUTPUT]) ? OUTPUT : OUTPUT + 1]));
    if (u.known)
        add_beside(&u, total);
    return u;
}

void openai_usage_merge(struct openai_usage *into, const struct openai_usage *later)
{
    into->odd |= later->odd;
    if (!later->known)
        return;
    into->known = true;
    into->input_tokens = larger_count(into->input_tokens, later->input_tokens);
    into->output_tokens = larger_count(into->output_tokens, later->output_tokens);
    into->cached_tokens = larger_count(into->cached_tokens, later->cached_tokens);
    into->cache_write_tokens = larger_count(into->cache_write_tokens, later->cache_write_tokens);
    into->cache_write_1h_tokens =
        larger_count(into->cache_write_1h_tokens, later->cache_write_1h_tokens);
    into->reasoning_tokens = larger_count(into->reasoning_tokens, later->reasoning_tokens);
}

/* Choices */

#define REASON_BYTES_MAX 64

/* A finish_reason of a server that broke off: "network_error", "engine_overloaded", "MALFORMED_FUNCTION_CALL". */
static bool is_failure(struct json_value reason)
{
    static const char *const words[] = {
        "error",    "abort",    "cancel",    "fail",        "interrupt",
        "timeout",  "overload", "timed_out", "unavailable", "insufficient_system_resource",
        "malformed"};
    char lower[REASON_BYTES_MAX];
    if (reason.type != JSON_STRING || reason.raw.len > REASON_BYTES_MAX)
        return false;
    struct str text = {lower, reason.raw.len - 2};
    for (size_t i = 0; i < text.len; i++) {
        char c = reason.raw.ptr[i + 1];
        lower[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (str_find(text, str_from(words[i]), 0) != SIZE_MAX)
            return true;
    return false;
}

bool openai_is_blank(struct json_value finish_reason)
{
    return str_equal(finish_reason.raw, STR("\"\"")) ||
           str_equal(finish_reason.raw, STR("\"null\""));
}

static void mark(struct openai_marks *marks, struct json_value index)
{
    int64_t number = 0;
    bool is_zero = index.type == JSON_NONE || str_equal(index.raw, STR("0")); /* nearly always */
    if (!is_zero && json_to_int64(index, &number) != OK)
        number = 0;
    if (number >= 0 && number < OPENAI_CHOICES_MAX)
        marks->of[number / 64] |= UINT64_C(1) << number % 64;
}

/* One piece: a table of names, looked up in one walk over the object, and what each of them says. Moonshot's streams
 * tell the usage in the choice. */
static void read_choice(struct json_value choice, struct openai_reply *reply)
{
    enum { TEXTS = 3, FINISH = TEXTS, INDEX, FAILURE, USAGE, NAMES };
    static const struct str names[NAMES] = {
        STR_INIT("delta"), STR_INIT("message"), STR_INIT("text"), STR_INIT("finish_reason"),
        STR_INIT("index"), STR_INIT("error"),   STR_INIT("usage")};
    struct json_value values[NAMES];
    json_members(choice, names, NAMES, values);
    for (size_t i = 0; i < TEXTS; i++)
        reply->characters += count_text(values[i], reply);
    reply->has_messages &= values[1].type == JSON_OBJECT;
    reply->has_text |= values[2].type == JSON_STRING;
    reply->is_error |= is_told(values[FAILURE]);
    mark(&reply->begun, values[INDEX]);
    if (values[USAGE].type == JSON_OBJECT)
        reply->usage = read_usage(values[USAGE]);
    if (!json_is_set(values[FINISH]))
        return;
    if (openai_is_blank(values[FINISH])) {
        reply->has_blank_finish = true;
        return;
    }
    reply->finished = true;
    reply->is_error |= is_failure(values[FINISH]);
    mark(&reply->ended, values[INDEX]);
}

/* Some servers wrap an error in a list. */
static struct json_value unwrap_error(struct json_value root)
{
    struct json_iter it = json_iter_begin(root);
    struct json_value item;
    if (root.type == JSON_ARRAY && json_array_next(&it, &item) &&
        json_is_set(json_get(item, "error")))
        return item;
    return root;
}

/* What FastAPI, Zhipu, MiniMax, Baidu, vLLM and others send instead of an answer. */
static bool is_failure_report(struct json_value root)
{
    enum { LISTED = 2, TELLING = 6, BASE = TELLING, TYPE, OBJECT, SUCCESS, NAMES };
    static const struct str names[NAMES] = {
        STR_INIT("detail"),  STR_INIT("errors"), STR_INIT("error_code"), STR_INIT("error_msg"),
        STR_INIT("message"), STR_INIT("msg"),    STR_INIT("base_resp"),  STR_INIT("type"),
        STR_INIT("object"),  STR_INIT("success")};
    struct json_value v[NAMES];
    int64_t code = 0;
    json_members(root, names, NAMES, v);
    if (json_get(root, "data").type == JSON_ARRAY) /* embeddings */
        return false;
    for (size_t i = 0; i < TELLING; i++)
        if (is_told(v[i]) && (i < LISTED || v[i].type != JSON_OBJECT))
            return true;
    bool refused = json_to_int64(json_get(v[BASE], "status_code"), &code) == OK && code != 0;
    return refused || v[SUCCESS].type == JSON_FALSE || json_string_equal(v[TYPE], STR("error")) ||
           json_string_equal(v[OBJECT], STR("error"));
}

static void read_members(struct openai_reply *reply)
{
    static const struct str names[] = {STR_INIT("choices"), STR_INIT("error"), STR_INIT("usage")};
    struct json_value values[3], choice;
    json_members(reply->root, names, 3, values);
    struct json_iter it = json_iter_begin(values[0]);
    size_t count = 0;
    reply->has_choices = values[0].type == JSON_ARRAY;
    reply->has_messages = true;
    for (; reply->has_choices && json_array_next(&it, &choice); count++)
        read_choice(choice, reply);
    reply->has_messages &= count > 0;
    bool says_neither = !reply->has_choices && values[2].type != JSON_OBJECT;
    reply->is_error |= is_told(values[1]) || (says_neither && is_failure_report(reply->root));
    reply->has_content = reply->characters > 0 || reply->finished;
    if (values[2].type == JSON_OBJECT)
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

/* An error in a choice; where there is none, a finish_reason that is one. */
static struct json_value error_of_choices(struct json_value choices, struct json_value *ret_reason)
{
    struct json_iter it = json_iter_begin(choices);
    struct json_value choice, error = {0};
    while (choices.type == JSON_ARRAY && !is_told(error) && json_array_next(&it, &choice)) {
        struct json_value reason = json_get(choice, "finish_reason");
        error = json_get(choice, "error");
        if (is_failure(reason))
            *ret_reason = reason;
    }
    return error;
}

static struct json_value message_of(struct json_value error)
{
    static const char *const names[] = {"message", "detail",    "error_description",
                                        "msg",     "error_msg", "status_msg"};
    return error.type == JSON_STRING ? error : first_string(error, names, 6);
}

/* One piece: where the error stands decides what is read of it, down to whether a client may have it as it is. */
void openai_error_read(struct str body, struct openai_error *ret)
{
    struct json_value root = {0}, first, reason = {0};
    *ret = (struct openai_error){0};
    if (json_parse(body, "error body", 1, &root, NULL) != OK)
        return;
    struct json_iter it = json_iter_begin(root);
    bool is_list = root.type == JSON_ARRAY && json_array_next(&it, &first);
    if (is_list)
        root = first;
    struct json_value error = json_get(root, "error");
    bool at_top = error.type == JSON_OBJECT;
    if (!is_told(error))
        error = error_of_choices(json_get(root, "choices"), &reason);
    if (!is_told(error))
        error = json_get(root, "base_resp");
    if (!is_told(error))
        error = root;
    ret->message = message_of(error);
    if (ret->message.type == JSON_NONE)
        ret->message = reason;
    ret->standard = !is_list && at_top && ret->message.type == JSON_STRING;
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
