/* Requests to the gateway from within its own process.
 *
 * The gateway runs on a thread of its own, with its loops; the client's loop runs on the thread of the caller, inside
 * local_post alone. The two meet over a loopback socket, so nothing is shared. One thread uses a struct local, one post
 * after the other; local_stop drains the gateway and waits for its thread. */
#include "serve/local.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/thread.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "net/sse.h"

struct local {
    struct gateway *gateway;
    pthread_t thread;
    bool has_thread;
    struct loop *loop; /* the client's, run inside local_post */
    struct http_client *client;
};

struct post {
    struct local *local;
    void (*on_event)(struct str, void *);
    void *arg;
    struct buf *whole;
    struct sse_parser sse;
    bool is_sse;
    struct local_reply reply;
    enum status status;
    struct error failure;
};

static void *gateway_thread(void *arg)
{
    struct error err;
    if (gateway_run(arg, false, &err) != OK)
        return arg; /* cut at the drain's timeout: nobody is waiting any more */
    return NULL;
}

static enum status start(struct local *l, const struct config *config, const struct model *model,
                         local_prepare *prepare, struct error *err)
{
    enum status status = gateway_create(config, model, &l->gateway, err);
    if (status == OK && prepare)
        status = prepare(l->gateway, err);
    if (status == OK)
        status = loop_create(&l->loop, err);
    if (status == OK)
        status = http_client_create(l->loop, &(struct http_client_options){0}, &l->client, err);
    if (status != OK)
        return status;
    status = thread_start(&l->thread, gateway_thread, l->gateway, err);
    l->has_thread = status == OK;
    return status;
}

enum status local_start(const struct config *config, const struct model *model,
                        local_prepare *prepare, struct local **ret, struct error *err)
{
    struct local *l = calloc(1, sizeof(*l));
    if (!l)
        return error_set(err, ERR_MEMORY, "out of memory for the gateway");
    enum status status = start(l, config, model, prepare, err);
    if (status != OK) {
        local_stop(l);
        return status;
    }
    *ret = l;
    return OK;
}

void local_stop(struct local *l)
{
    if (!l)
        return;
    if (l->client)
        http_client_free(l->client);
    loop_free(l->loop);
    if (l->has_thread) {
        gateway_drain(l->gateway);
        pthread_join(l->thread, NULL);
    }
    gateway_free(l->gateway);
    free(l);
}

const char *local_address(const struct local *l)
{
    return gateway_address(l->gateway);
}

static void take_header(const struct http_call *call, const char *name, char *into, size_t size)
{
    struct str value = http_call_header(call, name);
    snprintf(into, size, "%.*s", (int)value.len, value.ptr ? value.ptr : "");
}

static void on_head(struct http_call *call, int http_status)
{
    struct post *p = http_call_user(call);
    p->reply.http_status = http_status;
    take_header(call, "x-leeroo-expert", p->reply.expert, sizeof(p->reply.expert));
    take_header(call, "x-leeroo-plan", p->reply.plan, sizeof(p->reply.plan));
    take_header(call, "x-leeroo-cost-usd", p->reply.cost_usd, sizeof(p->reply.cost_usd));
    take_header(call, "x-leeroo-cost-basis", p->reply.cost_basis, sizeof(p->reply.cost_basis));
    take_header(call, "x-leeroo-request-id", p->reply.request_id, sizeof(p->reply.request_id));
    p->is_sse =
        p->on_event && str_starts(http_call_header(call, "content-type"), STR("text/event-stream"));
}

static void on_sse(const struct sse_event *event, void *arg)
{
    struct post *p = arg;
    p->on_event(event->data, p->arg);
}

static void on_body(struct http_call *call, struct str bytes)
{
    struct post *p = http_call_user(call);
    if (!p->is_sse)
        buf_add(p->whole, bytes);
    else if (p->status == OK)
        p->status = sse_feed(&p->sse, bytes, on_sse, p, &p->failure);
}

static void on_done(struct http_call *call, enum status status, const struct error *err)
{
    struct post *p = http_call_user(call);
    if (p->status == OK && status != OK) {
        p->status = status;
        if (err)
            p->failure = *err;
    }
    loop_stop(p->local->loop);
}

/* One piece: the call's callbacks live on this frame until loop_run comes back. */
enum status local_post(struct local *l, const char *path, struct str body,
                       void (*on_event)(struct str data, void *arg), void *arg, struct buf *whole,
                       struct local_reply *ret, struct error *err)
{
    const struct http_header headers[] = {{STR("content-type"), STR("application/json")}};
    char url[256];
    struct post post = {.local = l, .on_event = on_event, .arg = arg, .whole = whole};
    struct http_call *call = NULL;
    snprintf(url, sizeof(url), "http://%s%s", gateway_address(l->gateway), path);
    const struct http_call_options o = {.method = body.ptr ? "POST" : "GET",
                                        .url = url,
                                        .headers = headers,
                                        .header_count = 1,
                                        .body = body,
                                        .user = &post,
                                        .on_head = on_head,
                                        .on_body = on_body,
                                        .on_done = on_done};
    sse_init(&post.sse);
    enum status status = http_call_start(l->client, &o, &call, err);
    if (status == OK)
        status = loop_run(l->loop, err);
    sse_done(&post.sse);
    if (status == OK && post.status != OK) {
        if (err)
            *err = post.failure;
        status = post.status;
    }
    if (status == OK)
        status = buf_status(whole, err);
    if (status == OK)
        *ret = post.reply;
    return status;
}
