/* Private to the HTTP client: the text of an outgoing request (URL and header lines, checked against injection)
 * and of a response head. Knows no curl. */
#pragma once

#include "base/buf.h"
#include "net/http_client.h"

#define CALL_HEADERS_MAX         64
#define CALL_LINES_MAX           (CALL_HEADERS_MAX + 4) /* ours beside the caller's */
#define CALL_TEXT_BYTES_MAX      (256u << 10)
#define CALL_RESPONSE_HEAD_BYTES (64u << 10)

/* NUL-terminated lines in one buffer; lines[0] is the URL, the others are headers as curl wants them. */
struct call_text {
    struct buf bytes;
    const char *lines[1 + CALL_LINES_MAX];
    size_t count;
};

void call_text_init(struct call_text *t);
void call_text_done(struct call_text *t);
/* ERR_INPUT: not http(s), or a header that would break the request; ERR_TOO_LARGE, ERR_MEMORY. Says no values. */
NODISCARD enum status call_text_build(struct call_text *t, const struct http_call_options *o,
                                      struct error *err);
/* The checks of call_text_build alone. */
NODISCARD enum status call_text_check(const struct http_call_options *o, struct error *err);
/* The head of an HTTP/1.1 request that has passed them, content-length included. */
void call_text_write(const struct http_call_options *o, struct str authority, struct str path,
                     struct buf *out);
/* Value of a header in raw lines ("Name: value\r\n"...), the last one; ptr NULL when absent. */
struct str call_head_find(struct str head, struct str name);
