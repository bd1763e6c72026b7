/* Content-Encoding of requests: gzip and nothing else. Inflating stops at the limit of a plain body, so that what a
 * small one unpacks to costs no more than what a large one would. */
#include "serve/unpack.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/gz.h"
#include "serve/errors.h"

#define ERROR_BYTES_MAX 4096

static void refuse(struct http_exchange *x, int http_status, const char *message)
{
    const struct http_header headers[] = {
        {STR("content-type"), STR("application/json")},
        {STR("accept-encoding"), STR("gzip")}, /* RFC 9110 15.5.16: what would have been taken */
    };
    struct buf body;
    buf_init(&body, ERROR_BYTES_MAX);
    errors_write_http(x->path, http_status, message, &body);
    http_respond(x, http_status, headers, http_status == 415 ? 2 : 1, buf_str(&body));
    buf_done(&body);
}

static size_t header_count(const struct http_exchange *x, struct str name)
{
    size_t count = 0;
    for (size_t i = 0; i < x->header_count; i++)
        count += str_equal_nocase(x->headers[i].name, name);
    return count;
}

static int http_status_of(enum status status)
{
    switch (status) {
    case ERR_TOO_LARGE:
        return 413;
    case ERR_MEMORY:
    case ERR_OVERLOAD:
        return 503;
    default:
        return 400;
    }
}

/* What it unpacked to counts as a body until the exchange ends. */
struct held {
    struct http_bodies *bodies;
    size_t bytes;
};

static void give_back(void *arg)
{
    const struct held *h = arg;
    http_bodies_give_back(h->bodies, h->bytes);
}

static enum status count_body(struct http_exchange *x, struct http_bodies *bodies, size_t bytes,
                              struct error *err)
{
    struct held *h = ARENA_NEW(x->arena, struct held);
    if (!h)
        return error_set(err, ERR_MEMORY, "out of memory");
    *h = (struct held){bodies, bytes};
    if (!http_bodies_take(bodies, 0, bytes))
        return error_set(err, ERR_OVERLOAD,
                         "too many request bodies are on their way; try again later");
    if (arena_defer(x->arena, give_back, h) == OK)
        return OK;
    give_back(h);
    return error_set(err, ERR_MEMORY, "out of memory");
}

static bool inflate_body(struct http_exchange *x, size_t bytes_max, struct http_bodies *bodies)
{
    char message[240];
    struct error err = {0};
    struct buf plain;
    buf_init(&plain, bytes_max);
    enum status status = gz_inflate(x->body, &plain, &err);
    struct str text = buf_str(&plain);
    if (status == OK)
        status = count_body(x, bodies, text.len, &err);
    char *bytes = status == OK ? buf_take(&plain) : NULL;
    buf_done(&plain);
    if (bytes && arena_defer(x->arena, free, bytes) != OK) {
        free(bytes);
        status = error_set(&err, ERR_MEMORY, "out of memory");
    }
    if (status == OK) {
        x->body = bytes ? (struct str){bytes, text.len} : STR("");
        return true;
    }
    snprintf(message, sizeof(message), "the gzip body cannot be unpacked: %s", err.text);
    refuse(x, http_status_of(status), message);
    return false;
}

static bool is_plain(struct str encoding)
{
    return encoding.len == 0 || str_equal_nocase(encoding, STR("identity"));
}

bool unpack_offered(struct http_exchange *x)
{
    struct str encoding = http_header_get(x, "content-encoding");
    if (header_count(x, STR("content-encoding")) <= 1 &&
        (is_plain(encoding) || str_equal_nocase(encoding, STR("gzip")) ||
         str_equal_nocase(encoding, STR("x-gzip"))))
        return true;
    refuse(x, 415, "this content-encoding is not offered; send plain JSON, or gzip");
    return false;
}

bool unpack_body(struct http_exchange *x, size_t bytes_max, struct http_bodies *bodies)
{
    if (is_plain(http_header_get(x, "content-encoding")))
        return true;
    return inflate_body(x, bytes_max, bodies);
}
