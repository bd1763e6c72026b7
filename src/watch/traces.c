/* A queue of spans, and the one call at a time that takes it to the collector.
 *
 * Three states: empty; waiting, with the timer armed; and a batch being sent, when spans gather for the next one. The
 * settings that a batch is sent by are held from when it is written until its call is over, because URL and headers of
 * a running call are borrowed. Everything happens on the loop's thread but traces_counts, which any thread may call. */
#include "watch/traces.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/log.h"
#include "watch/otlp.h"
#include "watch/trace_context.h"

#define HEAD_BYTES_MAX 4096
#define WARN_EVERY_MS  60000
#define HEADERS_MAX    (TRACES_HEADERS_MAX + 2)

struct traces {
    struct traces_options options;
    /* Made for the first batch. Not the experts' one, whose rules (deny_private) are not for a collector. */
    struct http_client *client;
    struct loop_timer *timer; /* runs while something waits and no batch is being sent */
    bool armed;
    struct buf queue; /* spans, a comma between them */
    size_t queued;
    struct buf body; /* of the batch that is being sent */
    size_t under_way;
    struct http_call *call;          /* NULL: none */
    bool holding;                    /* while a batch is being sent */
    void *held;                      /* for release */
    struct traces_settings settings; /* while holding */
    struct http_header headers[HEADERS_MAX];
    int http_status;
    uint64_t warned_ms; /* 0: never */
    void (*drained)(void *);
    void *drained_arg;
    _Atomic uint64_t sent, dropped;
};

/* No other thread writes `value`. */
static void add(_Atomic uint64_t *value, uint64_t n)
{
    uint64_t now = atomic_load_explicit(value, memory_order_relaxed);
    atomic_store_explicit(value, now + n, memory_order_relaxed);
}

struct traces_counts traces_counts(const struct traces *t)
{
    return (struct traces_counts){atomic_load_explicit(&t->sent, memory_order_relaxed),
                                  atomic_load_explicit(&t->dropped, memory_order_relaxed)};
}

static void drop(struct traces *t, size_t spans, const char *why)
{
    uint64_t now = loop_now_ms(t->options.loop);
    char quoted[320];
    add(&t->dropped, spans);
    if (spans == 0 || (t->warned_ms && now - t->warned_ms < WARN_EVERY_MS))
        return;
    t->warned_ms = now ? now : 1;
    log_quote(quoted, sizeof(quoted), str_from(why));
    log_event(LOG_WARN, "spans dropped", "spans=%zu why=%s", spans, quoted);
}

static void arm(struct traces *t, uint64_t delay_ms)
{
    if (t->call || t->queued == 0 || (t->armed && delay_ms > 0))
        return;
    t->armed = true;
    loop_timer_start(t->timer, delay_ms);
}

static void finish_drain(struct traces *t)
{
    void (*done)(void *) = t->drained;
    t->drained = NULL;
    if (done)
        done(t->drained_arg);
}

static void hold(struct traces *t)
{
    CHECK(!t->holding);
    t->held = t->options.hold(t->options.arg, &t->settings);
    t->holding = true;
}

static void release(struct traces *t)
{
    if (t->holding)
        t->options.release(t->held);
    t->holding = false;
}

/* The batch is sent, or given up. */
static void go_on(struct traces *t)
{
    CHECK(t->holding);
    release(t);
    t->call = NULL;
    t->under_way = 0;
    if (t->queued > 0)
        arm(t, t->drained || t->queue.len >= TRACES_BATCH_BYTES ? 0 : TRACES_DELAY_MS);
    else
        finish_drain(t);
}

static void on_head(struct http_call *call, int http_status)
{
    struct traces *t = http_call_user(call);
    t->http_status = http_status;
}

static void on_done(struct http_call *call, enum status status, const struct error *err)
{
    struct traces *t = http_call_user(call);
    char text[64];
    snprintf(text, sizeof(text), "the collector answered with HTTP %d", t->http_status);
    if (status == OK && t->http_status / 100 == 2)
        add(&t->sent, t->under_way);
    else
        drop(t, t->under_way, status == OK ? text : err->text);
    go_on(t);
}

static size_t fill_headers(struct traces *t)
{
    size_t n = 0;
    t->headers[n++] = (struct http_header){STR("content-type"), STR("application/json")};
    t->headers[n++] = (struct http_header){STR("user-agent"), STR("leeroo/" LEEROO_VERSION)};
    for (size_t i = 0; i < t->settings.header_count; i++)
        t->headers[n++] = t->settings.headers[i];
    return n;
}

static void write_body(struct traces *t)
{
    buf_clear(&t->body);
    otlp_write_head(t->settings.service_name, &t->body);
    buf_add(&t->body, buf_str(&t->queue));
    otlp_write_tail(&t->body);
    t->under_way = t->queued;
    buf_clear(&t->queue);
    t->queued = 0;
}

static enum status need_client(struct traces *t, struct error *err)
{
    const struct http_client_options o = {.host_connections_max = 1,
                                          .use_proxy = t->settings.use_proxy,
                                          .ca_file = t->settings.ca_file};
    return t->client ? OK : http_client_create(t->options.loop, &o, &t->client, err);
}

static enum status start_call(struct traces *t, struct error *err)
{
    if (t->settings.endpoint.len == 0)
        return error_set(err, ERR_CANCELLED, "traces were switched off by a reload");
    enum status status = buf_status(&t->body, err);
    if (status == OK)
        status = need_client(t, err);
    if (status != OK)
        return status;
    const struct http_call_options o = {.method = "POST",
                                        .url = t->settings.endpoint.ptr,
                                        .headers = t->headers,
                                        .header_count = fill_headers(t),
                                        .body = buf_str(&t->body),
                                        .total_timeout_ms = TRACES_TIMEOUT_MS,
                                        .user = t,
                                        .on_head = on_head,
                                        .on_done = on_done};
    return http_call_start(t->client, &o, &t->call, err);
}

static void on_timer(void *arg)
{
    struct traces *t = arg;
    struct error err = {0};
    t->armed = false;
    if (t->call || t->queued == 0)
        return;
    t->http_status = 0;
    hold(t);
    write_body(t);
    if (start_call(t, &err) == OK)
        return;
    drop(t, t->under_way, err.text);
    go_on(t);
}

void traces_add(struct traces *t, const struct record *r)
{
    CHECK(r->trace && r->trace->on);
    size_t before = t->queue.len;
    size_t spans = otlp_write_spans(r, &t->queue);
    if (t->queue.status != OK) { /* what was there stays */
        t->queue.status = OK;
        t->queue.len = before;
        drop(t, spans, "the collector does not keep up");
        return;
    }
    t->queued += spans;
    arm(t, t->queue.len >= TRACES_BATCH_BYTES ? 0 : TRACES_DELAY_MS);
}

void traces_drain(struct traces *t, void (*done)(void *), void *arg)
{
    CHECK(!t->drained);
    t->drained = done;
    t->drained_arg = arg;
    if (!t->call && t->queued == 0)
        finish_drain(t);
    else
        arm(t, 0);
}

struct traces *traces_create(const struct traces_options *o)
{
    struct traces *t = calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    t->options = *o;
    buf_init(&t->queue, TRACES_QUEUE_BYTES_MAX);
    buf_init(&t->body, TRACES_QUEUE_BYTES_MAX + HEAD_BYTES_MAX);
    t->timer = loop_timer_create(o->loop, on_timer, t);
    if (!t->timer) {
        traces_free(t);
        return NULL;
    }
    return t;
}

void traces_free(struct traces *t)
{
    if (!t)
        return;
    if (t->call)
        http_call_cancel(t->call);
    if (t->client)
        http_client_free(t->client);
    release(t);
    loop_timer_free(t->timer);
    buf_done(&t->queue);
    buf_done(&t->body);
    free(t);
}
