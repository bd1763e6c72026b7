/* Bytes of HTTP/1.x responses in any cuts → head, pieces of the body, end. Knows no sockets. Interim answers (1xx) are
 * skipped; one that switches protocols is refused, because nobody asked for it. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

struct http_reply_parser;

struct http_reply_user {
    void *arg;
    /* False: no more; the parser stops where it is. */
    bool (*on_head)(void *arg, int http_status);
    bool (*on_body)(void *arg, struct str bytes);
};

enum http_reply {
    HTTP_REPLY_MORE,    /* all bytes taken, the answer goes on */
    HTTP_REPLY_DONE,    /* complete */
    HTTP_REPLY_STOPPED, /* a callback said so */
    HTTP_REPLY_LARGE,   /* the head is over the limit */
    HTTP_REPLY_BAD,     /* not HTTP, or ambiguous */
};

/* NULL: no memory. */
struct http_reply_parser *http_reply_parser_create(size_t head_bytes_max);
void http_reply_parser_free(struct http_reply_parser *p); /* NULL is fine */
/* Forgets everything, for the next answer. `is_head`: to a HEAD request, so no body follows. */
void http_reply_begin(struct http_reply_parser *p, bool is_head,
                      const struct http_reply_user *user);
/* *ret_all: whether all bytes were taken when DONE; any that are left belong to no answer. */
enum http_reply http_reply_feed(struct http_reply_parser *p, struct str bytes, bool *ret_all);
/* The connection has ended: DONE where the end of the connection is the end of the answer, else BAD. */
enum http_reply http_reply_eof(struct http_reply_parser *p);
/* After DONE: whether the connection may carry another request. */
bool http_reply_keep_alive(const struct http_reply_parser *p);
/* "Name: value\r\n"... of the final head, from on_head until the next begin. */
struct str http_reply_head(const struct http_reply_parser *p);
