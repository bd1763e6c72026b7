/* Bytes of one HTTP/1.x request in any cuts → its head, then its body, within limits. Knows no sockets.
 *
 * The parser owns what it gives: all slices stay valid until http_parser_begin or http_parser_free. It is meant
 * to be kept and used for request after request. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "net/http_server.h" /* struct http_header */

#define HTTP_HEADERS_MAX 128 /* more is answered with 431 */

struct http_parser;

struct http_parse_limits {
    /* Request line and headers as sent; trailers and chunk framing have a second limit of the same size. */
    size_t header_bytes_max;
    size_t body_bytes_max;      /* decoded */
    struct http_bodies *bodies; /* borrowed; what all bodies may hold together; NULL: no limit */
};

enum http_parse {
    HTTP_PARSE_MORE, /* all bytes taken, the request goes on */
    /* The head is whole, once for each request. Feed again to go on, also with no bytes: without a body it is done. */
    HTTP_PARSE_HEAD,
    HTTP_PARSE_DONE, /* complete; bytes left over belong to the next request */
    HTTP_PARSE_BAD,  /* see http_parser_error; the connection cannot be used further */
};

struct http_request {
    struct str method, path, query;
    struct str
        host; /* with its port: the target's where it has one, else the header Host's; may be empty */
    const struct http_header *headers;
    size_t header_count;
    struct str body;       /* empty before DONE */
    uint64_t body_bytes;   /* as announced; 0 where it is chunked */
    bool chunked, expects; /* the latter: waits for "100 Continue" */
    bool keep_alive;       /* what the client wants */
    bool http_1_0;
};

struct http_parser *
http_parser_create(const struct http_parse_limits *limits); /* NULL: no memory */
void http_parser_free(struct http_parser *p);               /* NULL is fine */
void http_parser_begin(struct http_parser *p); /* forgets everything, for the next request */
/* *consumed is the number of bytes taken from the front. After DONE or BAD only begin and free may follow. */
enum http_parse http_parser_feed(struct http_parser *p, struct str bytes, size_t *consumed);
struct str http_parser_target(const struct http_parser *p); /* as much as was read, in any state */
bool http_parser_head_done(const struct http_parser *p);
size_t http_parser_body_bytes(const struct http_parser *p); /* that have come */
/* True once per request, when the client waits for "100 Continue" before it sends the body. */
bool http_parser_take_expect(struct http_parser *p);
const struct http_request *http_parser_request(const struct http_parser *p); /* after HEAD */
/* After BAD: the HTTP status to answer (400, 413, 417, 431, 501, 503, 505) and a sentence. */
int http_parser_error(const struct http_parser *p, const char **message);
