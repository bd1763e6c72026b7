/* A call of the transport is a call of the HTTP client; its user is the request, which outlives it. */
#include "expert/transport_http.h"

static const struct http_call *http(const struct transport_call *c)
{
    return (const struct http_call *)c;
}

static void on_head(struct http_call *c, int http_status)
{
    const struct transport_request *r = http_call_user(c);
    r->on_head(r->user, http_status);
}

static void on_body(struct http_call *c, struct str bytes)
{
    const struct transport_request *r = http_call_user(c);
    r->on_body(r->user, bytes);
}

static void on_done(struct http_call *c, enum status status, const struct error *err)
{
    const struct transport_request *r = http_call_user(c);
    r->on_done(r->user, status, err);
}

static enum status start(struct transport *t, const struct transport_request *r,
                         struct transport_call **ret, struct error *err)
{
    const struct transport_http *h = (const struct transport_http *)t;
    struct http_call *call;
    const struct http_call_options o = {
        .method = "POST",
        .url = r->url,
        .headers = r->headers,
        .header_count = r->header_count,
        .body = r->body,
        .connect_timeout_ms = r->connect_timeout_ms,
        .first_byte_timeout_ms = r->first_content_timeout_ms,
        .idle_timeout_ms = r->idle_timeout_ms,
        .total_timeout_ms = r->total_timeout_ms,
        .progress_is_told = true,
        .user = (void *)(uintptr_t)r,
        .on_head = on_head,
        .on_body = on_body,
        .on_done = on_done,
    };
    enum status status = http_call_start(h->client, &o, &call, err);
    if (status == OK)
        *ret = (struct transport_call *)call;
    return status;
}

static void cancel(struct transport_call *c)
{
    http_call_cancel((struct http_call *)c);
}

static void hold(struct transport_call *c)
{
    http_call_pause((struct http_call *)c);
}

static void resume(struct transport_call *c)
{
    http_call_resume((struct http_call *)c);
}

static void progress(struct transport_call *c)
{
    http_call_progress((struct http_call *)c);
}

static struct str header(const struct transport_call *c, const char *name)
{
    return http_call_header(http(c), name);
}

static bool sent(const struct transport_call *c)
{
    return http_call_sent(http(c));
}

static const struct transport_ops ops = {.start = start,
                                         .cancel = cancel,
                                         .pause = hold,
                                         .resume = resume,
                                         .progress = progress,
                                         .header = header,
                                         .sent = sent};

struct transport_http transport_http_of(struct http_client *client)
{
    return (struct transport_http){.transport = {&ops}, .client = client};
}
