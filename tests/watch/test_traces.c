/* traces.h: batches on their way to a collector, and the settings that they are sent by. */
#include "watch/traces.h"

#include <stdio.h>
#include <string.h>

#include "net/net_test.h"
#include "watch/trace_context.h"

static struct collector {
    struct test_server *server;
    int http_status;
    char body[65536], key[64];
    unsigned asked;
} collector;

static struct settings {
    char url[128];
    unsigned holds, releases;
} settings;

static void collect(struct http_exchange *x, void *arg)
{
    struct collector *c = arg;
    snprintf(c->body, sizeof(c->body), "%.*s", STR_FMT(x->body));
    snprintf(c->key, sizeof(c->key), "%.*s", STR_FMT(http_header_get(x, "x-key")));
    c->asked++;
    http_respond(x, c->http_status, NULL, 0, STR("{}"));
}

static void begin(int http_status)
{
    const struct http_server_options o = {
        .header_bytes_max = 8192, .body_bytes_max = 1 << 20, .connections_max = 8};
    collector = (struct collector){.http_status = http_status};
    collector.server = test_server_start(&o, collect, &collector);
    settings = (struct settings){0};
    snprintf(settings.url, sizeof(settings.url), "http://127.0.0.1:%d/v1/traces",
             collector.server->port);
}

static void *hold(void *arg, struct traces_settings *ret)
{
    struct settings *s = arg;
    s->holds++;
    *ret = (struct traces_settings){.endpoint = str_from(s->url),
                                    .service_name = STR("test"),
                                    .headers = {{STR("x-key"), STR("secret")}},
                                    .header_count = 1};
    return s;
}

static void release(void *held)
{
    struct settings *s = held;
    s->releases++;
}

static void stop(void *arg)
{
    loop_stop(arg);
}

/* Two records with one call each, sent to the end. */
static struct traces_counts send_two(void)
{
    static const struct trace trace = {.on = true, .id_low = 1, .span = 2};
    static const struct record_call call = {.expert = STR_INIT("cheap")};
    struct loop *loop;
    cr_assert_eq(loop_create(&loop, NULL), OK);
    const struct traces_options o = {
        .loop = loop, .hold = hold, .release = release, .arg = &settings};
    struct traces *t = traces_create(&o);
    cr_assert(t);
    for (int i = 0; i < 2; i++) {
        const struct record r = {.id = i ? "req_b" : "req_a",
                                 .front = STR("chat"),
                                 .trace = &trace,
                                 .expert = STR("cheap"),
                                 .http_status = 200,
                                 .calls = &call,
                                 .call_count = 1};
        traces_add(t, &r);
    }
    traces_drain(t, stop, loop);
    cr_assert_eq(loop_run(loop, NULL), OK);
    struct traces_counts counts = traces_counts(t);
    traces_free(t);
    loop_free(loop);
    test_server_stop(collector.server);
    return counts;
}

Test(traces, what_gathers_is_one_batch, .timeout = 60)
{
    begin(200);
    struct traces_counts counts = send_two();
    cr_expect_eq(counts.sent, 4);
    cr_expect_eq(counts.dropped, 0);
    cr_expect_eq(collector.asked, 1);
    cr_expect_str_eq(collector.key, "secret");
    cr_expect(strstr(collector.body, "\"req_a\""), "%s", collector.body);
    cr_expect(strstr(collector.body, "\"req_b\""), "%s", collector.body);
    cr_expect_eq(settings.holds, 1);
    cr_expect_eq(settings.releases, 1);
}

Test(traces, what_the_collector_refuses_is_dropped, .timeout = 60)
{
    begin(503);
    struct traces_counts counts = send_two();
    cr_expect_eq(counts.sent, 0);
    cr_expect_eq(counts.dropped, 4);
    cr_expect_eq(settings.releases, settings.holds);
}

Test(traces, without_an_endpoint_nothing_is_sent, .timeout = 60)
{
    begin(200);
    settings.url[0] = '\0';
    struct traces_counts counts = send_two();
    cr_expect_eq(counts.dropped, 4);
    cr_expect_eq(collector.asked, 0);
    cr_expect_eq(settings.releases, settings.holds);
}
