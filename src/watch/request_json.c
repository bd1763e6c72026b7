/* A row of the ledger as JSON: what was predicted, what it really cost, why it was decided so, and what was said of it
 * afterwards. A row may be of an earlier version, or damaged: what is no JSON in it is null here, and the rest is told.
 *
 * Pure writing, any thread, of texts in an arena that the caller keeps until it is done; nothing here may be called
 * that asks the ledger. */
#include "watch/request_json.h"

#include "base/json.h"
#include "base/money.h"

static void write_text(struct buf *out, const char *key, struct str text)
{
    buf_addf(out, ",\"%s\":", key);
    if (text.len > 0)
        json_write_string(out, text);
    else
        buf_add_c(out, "null");
}

static void write_integer(struct buf *out, const char *key, int64_t value, bool known)
{
    if (known)
        buf_addf(out, ",\"%s\":%lld", key, (long long)value);
    else
        buf_addf(out, ",\"%s\":null", key);
}

static void write_usd(struct buf *out, const char *key, int64_t nano_usd)
{
    buf_addf(out, ",\"%s\":", key);
    money_format_usd(out, nano_usd);
}

static void write_real(struct buf *out, const char *key, double value)
{
    buf_addf(out, ",\"%s\":", key);
    json_write_double(out, value);
}

static void write_usage(struct buf *out, const int64_t tokens[5])
{
    buf_addf(out,
             ",\"usage\":{\"input_tokens\":%lld,\"cached_tokens\":%lld,\"cache_write_tokens\":%lld,"
             "\"output_tokens\":%lld,\"reasoning_tokens\":%lld}",
             (long long)tokens[0], (long long)tokens[1], (long long)tokens[2], (long long)tokens[3],
             (long long)tokens[4]);
}

/* Calls */

static int64_t integer_of(struct json_value object, const char *key)
{
    int64_t value = 0;
    return json_to_int64(json_get(object, key), &value) == OK ? value : 0;
}

static void write_member(struct buf *out, const char *key, struct json_value object,
                         const char *from)
{
    struct json_value v = json_get(object, from);
    buf_addf(out, "\"%s\":", key);
    buf_add(out, v.type == JSON_NONE ? STR("null") : v.raw);
}

/* Of a check. */
static void write_verdict(struct buf *out, struct json_value call)
{
    static const char *const keys[] = {"verdict", "checked", "why"};
    bool is_check = json_get(call, "verdict").type == JSON_STRING;
    for (size_t i = 0; is_check && i < sizeof(keys) / sizeof(keys[0]); i++) {
        buf_add_char(out, ',');
        write_member(out, keys[i], call, keys[i]);
    }
}

static void write_call(struct buf *out, struct json_value call)
{
    const int64_t tokens[5] = {integer_of(call, "input_tokens"), integer_of(call, "cached_tokens"),
                               integer_of(call, "cache_write_tokens"),
                               integer_of(call, "output_tokens"),
                               integer_of(call, "reasoning_tokens")};
    buf_add_char(out, '{');
    write_member(out, "expert", call, "expert");
    buf_add_char(out, ',');
    write_member(out, "outcome", call, "outcome");
    write_usd(out, "cost_usd", integer_of(call, "cost_nano_usd"));
    buf_add_char(out, ',');
    write_member(out, "cost_basis", call, "basis");
    write_usage(out, tokens);
    buf_add_char(out, ',');
    write_member(out, "begin_ms", call, "begin_ms");
    buf_add_char(out, ',');
    write_member(out, "latency_ms", call, "latency_ms");
    buf_add_char(out, ',');
    write_member(out, "hedge", call, "hedge");
    write_verdict(out, call);
    buf_add_char(out, '}');
}

static void write_only_call(const struct ledger_found *f, struct buf *out)
{
    const int64_t tokens[5] = {f->input_tokens, f->cached_tokens, f->cache_write_tokens,
                               f->output_tokens, f->reasoning_tokens};
    buf_add_c(out, "{\"expert\":");
    json_write_string(out, f->expert);
    write_text(out, "outcome", f->outcome);
    write_usd(out, "cost_usd", f->cost_nano_usd);
    write_text(out, "cost_basis", f->basis);
    write_usage(out, tokens);
    buf_add_char(out, '}');
}

static void write_calls(const struct ledger_found *f, struct buf *out)
{
    struct json_value list = {0}, call;
    const char *separator = "";
    buf_add_c(out, ",\"calls\":[");
    if (f->calls.len > 0 && json_parse(f->calls, "calls", 1, &list, NULL) == OK) {
        struct json_iter it = json_iter_begin(list);
        for (; json_array_next(&it, &call); separator = ",") {
            buf_add_c(out, separator);
            write_call(out, call);
        }
    } else if (f->attempts > 0) {
        write_only_call(f, out);
    }
    buf_add_char(out, ']');
}

/* The request */

/* Members of an object that are called after arms, without those that the reader may not hear of. */
static void write_arms(struct buf *out, struct json_value arms,
                       const struct request_json_view *view)
{
    struct json_iter it = json_iter_begin(arms);
    struct json_value name, value;
    const char *separator = "{";
    while (json_object_next(&it, &name, &value)) {
        if (view && !view->may_hear_of(view->arg, str_slice(name.raw, 1, name.raw.len - 1)))
            continue;
        buf_add_c(out, separator);
        buf_add(out, name.raw);
        buf_add_char(out, ':');
        buf_add(out, value.raw);
        separator = ",";
    }
    buf_add_c(out, separator[0] == '{' ? "{}" : "}");
}

static void write_decision(struct buf *out, struct str json, const struct request_json_view *view)
{
    struct json_value root, name, value;
    bool sound = json.len > 0 && json_parse(json, "decision", 1, &root, NULL) == OK;
    buf_add_c(out, ",\"decision\":");
    if (!sound || root.type != JSON_OBJECT) {
        buf_add_c(out, "null");
        return;
    }
    struct json_iter it = json_iter_begin(root);
    const char *separator = "{";
    while (json_object_next(&it, &name, &value)) {
        buf_add_c(out, separator);
        buf_add(out, name.raw);
        buf_add_char(out, ':');
        if (value.type == JSON_OBJECT)
            write_arms(out, value, view);
        else
            buf_add(out, value.raw);
        separator = ",";
    }
    buf_add_c(out, separator[0] == '{' ? "{}" : "}");
}

static void write_feedback(const struct ledger_found *f, struct buf *out)
{
    if (!f->has_feedback) {
        buf_add_c(out, ",\"feedback\":null");
        return;
    }
    buf_add_c(out, ",\"feedback\":{\"score\":");
    json_write_double(out, f->score);
    write_text(out, "comment", f->comment);
    write_integer(out, "at_ms", f->feedback_ms, true);
    buf_add_char(out, '}');
}

/* One piece: a list of members in the order in which they are read. */
void request_json_write(const struct ledger_found *f, const struct request_json_view *view,
                        struct buf *out)
{
    const int64_t tokens[5] = {f->input_tokens, f->cached_tokens, f->cache_write_tokens,
                               f->output_tokens, f->reasoning_tokens};
    buf_add_c(out, "{\"id\":");
    json_write_string(out, f->id);
    write_text(out, "outcome", f->outcome);
    write_integer(out, "begin_ms", f->begin_ms, true);
    write_text(out, "front", f->front);
    write_text(out, "key", f->key);
    write_text(out, "model", f->model);
    write_text(out, "policy", f->policy);
    write_text(out, "plan", f->plan);
    write_text(out, "expert", f->expert);
    buf_addf(out, ",\"stream\":%s,\"cached\":%s", f->stream ? "true" : "false",
             f->cached ? "true" : "false");
    write_real(out, "quality", f->quality);
    write_real(out, "lambda", f->lambda);
    write_usd(out, "predicted_cost_usd", f->predicted_nano_usd);
    write_usd(out, "reference_cost_usd", f->reference_nano_usd);
    write_usd(out, "cost_usd", f->cost_nano_usd);
    write_text(out, "cost_basis", f->basis);
    write_usage(out, tokens);
    write_integer(out, "status", f->http_status, f->http_status != 0);
    write_integer(out, "attempts", f->attempts, true);
    write_integer(out, "first_token_ms", f->first_token_ms, f->first_token_ms >= 0);
    write_integer(out, "total_ms", f->total_ms, f->total_ms >= 0);
    write_text(out, "error", f->problem);
    write_text(out, "instance", f->instance);
    write_decision(out, f->decision, view);
    write_calls(f, out);
    write_feedback(f, out);
    buf_add_char(out, '}');
}
