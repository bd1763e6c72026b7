/* Records as spans; how they travel is tested end to end. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "expert/expert.h"
#include "watch/otlp.h"
#include "watch/trace_context.h"

static struct json_value parse(const struct buf *b)
{
    struct json_value root;
    struct error err = {0};
    cr_assert_eq(json_parse(buf_str(b), "spans", 1, &root, &err), OK, "%s: %.*s", err.text,
                 STR_FMT(buf_str(b)));
    return root;
}

/* The value of an attribute as its raw text; empty: there is none. */
static struct str attribute(struct json_value span, const char *key)
{
    struct json_value item, name, value;
    struct json_iter it = json_iter_begin(json_get(span, "attributes"));
    while (json_array_next(&it, &item)) {
        struct json_iter of = json_iter_begin(json_get(item, "value"));
        if (json_string_equal(json_get(item, "key"), str_from(key)) &&
            json_object_next(&of, &name, &value))
            return value.raw;
    }
    return STR("");
}

static void has(struct json_value span, const char *key, const char *raw)
{
    struct str found = attribute(span, key);
    cr_expect(str_equal(found, str_from(raw)), "%s is %.*s, not %s", key, STR_FMT(found), raw);
}

static const struct trace trace = {.on = true, .id_high = 1, .id_low = 2, .span = 3, .parent = 4};
static const struct expert experts[] = {{.url = STR_INIT("http://[::1]:81/v1"),
                                         .upstream_model = STR_INIT("c-1"),
                                         .dialect = &dialect_openai},
                                        {.url = STR_INIT("https://api.example.com/v1"),
                                         .upstream_model = STR_INIT("dear"),
                                         .dialect = &dialect_anthropic}};
static const struct record_call calls[] = {
    {.expert = {"cheap", 5},
     .asked = &experts[0],
     .outcome = CALL_FAILED,
     .begin_ms = 5,
     .latency_ms = 7},
    {.expert = {"dear", 4},
     .asked = &experts[1],
     .outcome = CALL_ANSWERED,
     .begin_ms = 12,
     .latency_ms = 100,
     .hedge = true,
     .cost = {.nano_usd = 123456789, .tokens = {.input = 10, .cached = 4, .output = 20}}}};
static const struct record r = {
    .id = "req_1",
    .begin_wall_ms = 1700000000123,
    .front = {"messages", 8},
    .trace = &trace,
    .model = {"leeroo/\"x\"", 10},
    .policy = {"best", 4},
    .expert = {"dear", 4},
    .plan = {"single", 6},
    .quality = 0.5,
    .predicted_nano_usd = 1,
    .http_status = 200,
    .cost = {.nano_usd = 123456789, .tokens = {.input = 10, .cached = 4, .output = 20}},
    .attempts = 2,
    .first_token_ms = 40,
    .total_ms = 112,
    .calls = calls,
    .call_count = 2};

Test(otlp, a_record_is_one_span_and_one_of_each_call)
{
    struct buf spans, whole;
    buf_init(&spans, 65536);
    buf_init(&whole, 65536);
    cr_expect_eq(otlp_write_spans(&r, &spans), 3);
    otlp_write_head(STR("a \"b\""), &whole);
    buf_add(&whole, buf_str(&spans));
    otlp_write_tail(&whole);
    struct json_value of, resource, scope, span;
    struct json_iter it = json_iter_begin(json_get(parse(&whole), "resourceSpans"));
    cr_assert(json_array_next(&it, &resource));
    has(json_get(resource, "resource"), "service.name", "\"a \\\"b\\\"\"");
    it = json_iter_begin(json_get(resource, "scopeSpans"));
    cr_assert(json_array_next(&it, &scope));
    it = json_iter_begin(json_get(scope, "spans"));
    cr_assert(json_array_next(&it, &span));
    of = json_get(span, "traceId");
    cr_expect(json_string_equal(of, STR("00000000000000010000000000000002")));
    cr_expect(json_string_equal(json_get(span, "spanId"), STR("0000000000000003")));
    cr_expect(json_string_equal(json_get(span, "parentSpanId"), STR("0000000000000004")));
    cr_expect(json_string_equal(json_get(span, "name"), STR("chat leeroo/\"x\"")));
    cr_expect(json_string_equal(json_get(span, "startTimeUnixNano"), STR("1700000000123000000")));
    cr_expect(json_string_equal(json_get(span, "endTimeUnixNano"), STR("1700000000235000000")));
    has(span, "gen_ai.usage.input_tokens", "\"10\"");
    has(span, "gen_ai.usage.cache_read.input_tokens", "\"4\"");
    has(span, "leeroo.cost_usd", "0.123456789");
    has(span, "leeroo.time_to_first_token_ms", "\"40\"");
    has(span, "error.type", "");
    cr_assert(json_array_next(&it, &span));
    has(span, "server.address", "\"[::1]\"");
    has(span, "server.port", "\"81\"");
    has(span, "gen_ai.request.model", "\"c-1\"");
    has(span, "error.type", "\"_OTHER\"");
    cr_expect(json_string_equal(json_get(span, "parentSpanId"), STR("0000000000000003")));
    cr_assert(json_array_next(&it, &span));
    has(span, "server.address", "\"api.example.com\"");
    has(span, "server.port", "\"443\"");
    has(span, "gen_ai.provider.name", "\"anthropic\"");
    has(span, "leeroo.hedge", "true");
    cr_expect_not(json_array_next(&it, &span));
    buf_done(&spans);
    buf_done(&whole);
}
