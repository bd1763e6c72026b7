/* Records as OTLP's JSON, https://opentelemetry.io/docs/specs/otlp/ (ids in hexadecimal, 64-bit integers as strings),
 * with the attributes of https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/ and our own, "leeroo.*".
 *
 * Keeps no state, so any thread may call it. A buffer that is full is noticed by the caller, who then drops the whole
 * record: half a span must not be sent. Only what a record holds may be written, never a prompt or an answer. */
#include "watch/otlp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/money.h"
#include "expert/expert.h"
#include "watch/trace_context.h"

#define NAME_BYTES_MAX 120 /* of what a client calls its model */

enum span_kind { SPAN_SERVER = 2, SPAN_CLIENT = 3 };

struct attributes {
    struct buf *out;
    bool any;
};

static void begin_attribute(struct attributes *a, const char *key, const char *type)
{
    buf_addf(a->out, "%s{\"key\":\"%s\",\"value\":{\"%s\":", a->any ? "," : "", key, type);
    a->any = true;
}

static void add_text(struct attributes *a, const char *key, struct str value)
{
    if (value.len == 0)
        return;
    begin_attribute(a, key, "stringValue");
    json_write_string(a->out, value);
    buf_add_c(a->out, "}}");
}

static void add_int(struct attributes *a, const char *key, int64_t value)
{
    begin_attribute(a, key, "intValue");
    buf_addf(a->out, "\"%lld\"}}", (long long)value);
}

static void add_double(struct attributes *a, const char *key, double value)
{
    begin_attribute(a, key, "doubleValue");
    json_write_double(a->out, value);
    buf_add_c(a->out, "}}");
}

static void add_usd(struct attributes *a, const char *key, int64_t nano_usd)
{
    begin_attribute(a, key, "doubleValue");
    money_format_usd(a->out, nano_usd);
    buf_add_c(a->out, "}}");
}

static void add_bool(struct attributes *a, const char *key, bool value)
{
    begin_attribute(a, key, "boolValue");
    buf_add_c(a->out, value ? "true}}" : "false}}");
}

void otlp_write_head(struct str service_name, struct buf *out)
{
    struct attributes a = {.out = out};
    buf_add_c(out, "{\"resourceSpans\":[{\"resource\":{\"attributes\":[");
    add_text(&a, "service.name", service_name);
    add_text(&a, "service.version", STR(LEEROO_VERSION));
    buf_add_c(out,
              "]},\"scopeSpans\":[{\"scope\":{\"name\":\"leeroo\",\"version\":\"" LEEROO_VERSION
              "\"},\"spans\":[");
}

void otlp_write_tail(struct buf *out)
{
    buf_add_c(out, "]}]}]}");
}

struct span {
    uint64_t id, parent;
    enum span_kind kind;
    int64_t begin_wall_ms;
    uint64_t ms;
    struct str model;
    bool failed;
};

static const char *operation(struct str front)
{
    return str_equal(front, STR("completions")) ? "text_completion" : "chat";
}

static struct attributes begin_span(const struct record *r, const struct span *s, struct buf *out)
{
    char name[NAME_BYTES_MAX + 32];
    snprintf(name, sizeof(name), "%s%s%.*s", operation(r->front), s->model.len ? " " : "",
             (int)(s->model.len < NAME_BYTES_MAX ? s->model.len : NAME_BYTES_MAX), s->model.ptr);
    buf_addf(out, "%s{\"traceId\":\"%016llx%016llx\",\"spanId\":\"%016llx\"", out->len ? "," : "",
             (unsigned long long)r->trace->id_high, (unsigned long long)r->trace->id_low,
             (unsigned long long)s->id);
    if (s->parent)
        buf_addf(out, ",\"parentSpanId\":\"%016llx\"", (unsigned long long)s->parent);
    buf_add_c(out, ",\"name\":");
    json_write_string(out, str_from(name));
    buf_addf(out, ",\"kind\":%d,\"startTimeUnixNano\":\"%lld000000\"", (int)s->kind,
             (long long)s->begin_wall_ms);
    buf_addf(out, ",\"endTimeUnixNano\":\"%lld000000\",\"attributes\":[",
             (long long)s->begin_wall_ms + (long long)s->ms);
    return (struct attributes){.out = out};
}

static void end_span(const struct span *s, struct buf *out)
{
    buf_addf(out, "],\"status\":{%s}}", s->failed ? "\"code\":2" : "");
}

static void add_tokens(struct attributes *a, const struct cost *cost)
{
    add_int(a, "gen_ai.usage.input_tokens", cost->tokens.input);
    add_int(a, "gen_ai.usage.output_tokens", cost->tokens.output);
    if (cost->tokens.cached)
        add_int(a, "gen_ai.usage.cache_read.input_tokens", cost->tokens.cached);
    if (cost->tokens.cache_write)
        add_int(a, "gen_ai.usage.cache_creation.input_tokens", cost->tokens.cache_write);
    add_usd(a, "leeroo.cost_usd", cost->nano_usd);
    add_text(a, "leeroo.cost_basis", str_from(cost_basis_name(cost->basis)));
}

/* "https://host:port/..." */
static void add_server(struct attributes *a, struct str url)
{
    size_t scheme = str_find(url, STR("://"), 0);
    bool tls = str_starts(url, STR("https"));
    struct str host = scheme == SIZE_MAX ? url : str_slice(url, scheme + 3, url.len);
    host = str_slice(host, 0, str_find(host, STR("/"), 0));
    const char *colon = host.ptr ? memrchr(host.ptr, ':', host.len) : NULL;
    const char *bracket = host.ptr ? memrchr(host.ptr, ']', host.len) : NULL;
    uint64_t port = tls ? 443 : 80;
    if (colon && (!bracket || colon > bracket)) {
        size_t at = (size_t)(colon - host.ptr);
        if (str_to_uint64(str_slice(host, at + 1, host.len), &port) != OK)
            port = 0;
        host = str_slice(host, 0, at);
    }
    add_text(a, "server.address", host);
    add_int(a, "server.port", (int64_t)port);
}

/* An expert is asked once for a request; a check is asked about each answer. */
static uint64_t call_span(const struct record *r, const struct record_call *call)
{
    char name[2 * NAME_BYTES_MAX];
    if (!call->verdict)
        return trace_child(r->trace, call->expert);
    snprintf(name, sizeof(name), "%.*s %.*s", STR_FMT(call->expert), STR_FMT(call->checked));
    return trace_child(r->trace, str_from(name));
}

/* One piece: a span's attributes, in a row. */
static void write_call(const struct record *r, const struct record_call *call, struct buf *out)
{
    const struct expert *e = call->asked;
    const struct span s = {.id = call_span(r, call),
                           .parent = r->trace->span,
                           .kind = SPAN_CLIENT,
                           .begin_wall_ms = r->begin_wall_ms + (int64_t)call->begin_ms,
                           .ms = call->latency_ms,
                           .model = e ? e->upstream_model : call->expert,
                           .failed = call->outcome == CALL_FAILED};
    struct attributes a = begin_span(r, &s, out);
    add_text(&a, "gen_ai.operation.name", call->verdict ? STR("evaluate") : STR("chat"));
    add_text(&a, "gen_ai.request.model", s.model);
    if (e) {
        add_text(&a, "gen_ai.provider.name", str_from(e->dialect->provider));
        add_text(&a, "gen_ai.system", str_from(e->dialect->provider));
        if (!e->dialect->in_process)
            add_server(&a, e->url);
    }
    add_tokens(&a, &call->cost);
    add_text(&a, "leeroo.expert", call->expert);
    add_text(&a, "leeroo.outcome", str_from(call_outcome_name(call->outcome)));
    add_bool(&a, "leeroo.hedge", call->hedge);
    if (call->verdict) {
        add_text(&a, "leeroo.verdict", str_from(call->verdict));
        add_text(&a, "leeroo.checked", call->checked);
    }
    if (s.failed)
        add_text(&a, "error.type", STR("_OTHER"));
    end_span(&s, out);
}

static void add_decision(struct attributes *a, const struct record *r)
{
    add_text(a, "leeroo.policy", r->policy);
    add_text(a, "leeroo.plan", r->plan);
    add_text(a, "leeroo.expert", r->expert);
    add_double(a, "leeroo.quality", r->quality);
    add_double(a, "leeroo.lambda", r->lambda);
    add_usd(a, "leeroo.predicted_cost_usd", r->predicted_nano_usd);
    add_int(a, "leeroo.attempts", r->attempts);
    add_bool(a, "leeroo.cached", r->cached);
    if (r->first_token_ms >= 0)
        add_int(a, "leeroo.time_to_first_token_ms", r->first_token_ms);
    add_tokens(a, &r->cost);
}

/* Long because it is a list: an attribute a line, in the order in which collectors show them. */
static void write_request(const struct record *r, struct buf *out)
{
    const struct span s = {.id = r->trace->span,
                           .parent = r->trace->parent,
                           .kind = SPAN_SERVER,
                           .begin_wall_ms = r->begin_wall_ms,
                           .ms = r->total_ms,
                           .model = r->expert.len ? r->model : STR(""),
                           .failed = r->outcome == REQUEST_FAILED};
    char code[16];
    snprintf(code, sizeof(code), "%d", r->http_status);
    struct attributes a = begin_span(r, &s, out);
    add_text(&a, "gen_ai.operation.name", str_from(operation(r->front)));
    add_text(&a, "gen_ai.provider.name", STR("leeroo"));
    add_text(&a, "gen_ai.system", STR("leeroo"));
    add_text(&a, "gen_ai.request.model", str_slice(r->model, 0, NAME_BYTES_MAX));
    add_text(&a, "gen_ai.response.model", r->expert);
    add_text(&a, "http.request.method", STR("POST"));
    add_int(&a, "http.response.status_code", r->http_status);
    add_text(&a, "leeroo.request_id", str_from(r->id));
    add_text(&a, "leeroo.front", r->front);
    add_text(&a, "leeroo.outcome", str_from(request_outcome_name(r->outcome)));
    if (r->expert.len > 0)
        add_decision(&a, r);
    if (s.failed)
        add_text(&a, "error.type", str_from(code));
    end_span(&s, out);
}

size_t otlp_write_spans(const struct record *r, struct buf *out)
{
    write_request(r, out);
    for (size_t i = 0; i < r->call_count; i++)
        write_call(r, &r->calls[i], out);
    return 1 + r->call_count;
}
