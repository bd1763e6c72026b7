/* One GET for each of a list, all on one loop.
 *
 * The loop lives in fetch_all alone, on the thread of the command, which waits until the last has ended; each has its
 * own deadline. What an endpoint sends back may hold the key, so texts are scrubbed of it, and copies of it wiped. */
#include "discover/fetch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expert/redact.h"

#define URL_BYTES_MAX 4096
#define HEADERS_MAX   (3 + DIALECT_HEADERS_MAX)

struct asking;

struct getting {
    struct asking *asking;
    struct fetch *fetch;
    struct buf url, credential;
    struct http_header headers[HEADERS_MAX];
    uint64_t begin_ms;
};

struct asking {
    struct loop *loop;
    struct http_client *client;
    struct getting *list;
    size_t count, left;
};

static void on_head(struct http_call *call, int http_status)
{
    struct getting *g = http_call_user(call);
    g->fetch->http_status = http_status;
}

static void on_body(struct http_call *call, struct str bytes)
{
    struct getting *g = http_call_user(call);
    buf_add(&g->fetch->body, bytes);
}

static void keep_text(struct fetch *f, const char *why)
{
    struct buf scrubbed;
    buf_init(&scrubbed, 2 * sizeof(f->text));
    struct str text = redact(str_from(why), f->key, &scrubbed);
    snprintf(f->text, sizeof(f->text), "%.*s", STR_FMT(text));
    buf_done(&scrubbed);
}

static enum fetch_end end_of(int http_status)
{
    if (http_status == 401 || http_status == 402 || http_status == 403)
        return FETCH_REFUSED;
    if (http_status == 503)
        return FETCH_LOADING;
    if (http_status == 200)
        return FETCH_ANSWERED;
    return http_status < 500 ? FETCH_NOTHING : FETCH_BROKEN;
}

static void on_done(struct http_call *call, enum status status, const struct error *err)
{
    struct getting *g = http_call_user(call);
    struct fetch *f = g->fetch;
    f->end = end_of(f->http_status);
    if (status == OK && f->body.status != OK) {
        f->end = FETCH_BROKEN;
        keep_text(f, "its answer is too long");
    } else if (status != OK) {
        f->end = http_call_sent(call) ? FETCH_BROKEN : FETCH_NOBODY;
        keep_text(f, err->text);
    }
    f->took_ms = loop_now_ms(g->asking->loop) - g->begin_ms;
    if (--g->asking->left == 0)
        loop_stop(g->asking->loop);
}

static size_t fill_headers(struct getting *g)
{
    const struct dialect *dialect = g->fetch->dialect;
    struct http_header *headers = g->headers;
    size_t n = 0;
    headers[n++] = (struct http_header){STR("user-agent"), STR("leeroo/" LEEROO_VERSION)};
    for (size_t i = 0; i < dialect_header_count(dialect); i++)
        headers[n++] = dialect->headers[i];
    if (g->fetch->post.len > 0)
        headers[n++] = (struct http_header){STR("content-type"), STR("application/json")};
    if (g->fetch->key.len == 0)
        return n;
    buf_addf(&g->credential, "%s%.*s", dialect->key_prefix, STR_FMT(g->fetch->key));
    headers[n++] = (struct http_header){dialect->key_header, buf_str(&g->credential)};
    return n;
}

static enum status getting_start(struct getting *g, struct error *err)
{
    struct http_call *call;
    buf_add(&g->url, g->fetch->url);
    const struct http_call_options o = {.method = g->fetch->post.len > 0 ? "POST" : "GET",
                                        .body = g->fetch->post,
                                        .headers = g->headers,
                                        .header_count = fill_headers(g),
                                        .url = g->url.ptr,
                                        .connect_timeout_ms = g->fetch->connect_timeout_ms,
                                        .total_timeout_ms = g->fetch->total_timeout_ms,
                                        .user = g,
                                        .on_head = on_head,
                                        .on_body = on_body,
                                        .on_done = on_done};
    enum status status = buf_status(&g->url, err);
    if (status == OK)
        status = buf_status(&g->credential, err);
    g->begin_ms = loop_now_ms(g->asking->loop);
    return status == OK ? http_call_start(g->asking->client, &o, &call, err) : status;
}

static enum status ask(struct asking *a, struct fetch *list, const struct http_client_options *o,
                       struct error *err)
{
    enum status status = loop_create(&a->loop, err);
    if (status == OK)
        status = http_client_create(a->loop, o, &a->client, err);
    for (size_t i = 0; status == OK && i < a->count; i++) {
        struct getting *g = &a->list[i];
        *g = (struct getting){.asking = a, .fetch = &list[i]};
        buf_init(&g->url, URL_BYTES_MAX);
        buf_init(&g->credential, URL_BYTES_MAX);
        status = getting_start(g, err);
    }
    return status == OK ? loop_run(a->loop, err) : status;
}

enum status fetch_all(struct fetch *list, size_t count, const struct http_client_options *o,
                      struct error *err)
{
    struct asking a = {.count = count, .left = count};
    for (size_t i = 0; i < count; i++)
        buf_init(&list[i].body, FETCH_BODY_BYTES_MAX);
    if (count == 0)
        return OK;
    a.list = calloc(count, sizeof(*a.list));
    if (!a.list)
        return error_set(err, ERR_MEMORY, "out of memory for calls");
    enum status status = ask(&a, list, o, err);
    if (a.client)
        http_client_free(a.client);
    loop_free(a.loop);
    for (size_t i = 0; i < count; i++) {
        buf_done(&a.list[i].url);
        if (a.list[i].credential.ptr)
            explicit_bzero(a.list[i].credential.ptr, a.list[i].credential.len);
        buf_done(&a.list[i].credential);
    }
    free(a.list);
    return status;
}

void fetch_done(struct fetch *f)
{
    buf_done(&f->body);
}
