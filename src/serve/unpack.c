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
        return 503;
    default:
        return 400;
    }
}

static bool inflate_body(struct http_exchange *x, size_t bytes_max)
{
    char message[240];
    struct error err = {0};
    struct buf plain;
    buf_init(&plain, bytes_max);
    enum status status = gz_inflate(x->body, &plain, &err);
    struct str text = buf_str(&plain);
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

bool unpack_body(struct http_exchange *x, size_t bytes_max)
{
    struct str encoding = http_header_get(x, "content-encoding");
    bool many = header_count(x, STR("content-encoding")) > 1;
    if (!many && (encoding.len == 0 || str_equal_nocase(encoding, STR("identity"))))
        return true;
    if (!many &&
        (str_equal_nocase(encoding, STR("gzip")) || str_equal_nocase(encoding, STR("x-gzip"))))
        return inflate_body(x, bytes_max);
    refuse(x, 415, "this content-encoding is not offered; send plain JSON, or gzip");
    return false;
}
