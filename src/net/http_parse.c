/* HTTP/1.x requests over llhttp, strict. llhttp finds the pieces; this file joins them, holds the limits, and refuses
 * what RFC 9112 lets a server refuse wherever two readers of the same bytes might disagree.
 *
 * A parser belongs to one connection, so to one loop's thread, and knows no sockets. After an error it must be begun
 * anew or freed; it never recovers in the middle of a request. */
#include "net/http_parse.h"

#include <llhttp.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "net/http_bodies.h"
#include "net/http_lines.h"

#define TEXT_KEPT_BYTES    (16u << 10) /* a larger buffer is freed between requests */
#define BODY_KEPT_BYTES    (32u << 10)
#define BODY_RESERVE_BYTES (64u << 10) /* reserved at most before it arrives */
#define CHUNK_OVERHEAD_FACTOR                                                                      \
    16 /* framing bytes allowed per body byte, beside the fixed allowance */

struct span {
    size_t at, len;
};

struct http_parser {
    llhttp_t state; /* first: llhttp's callbacks get this */
    struct http_parse_limits limits;
    struct buf text; /* target, names and values, one after the other */
    struct buf body;
    struct span target, names[HTTP_HEADERS_MAX], values[HTTP_HEADERS_MAX];
    struct http_header headers[HTTP_HEADERS_MAX];
    size_t header_count;
    size_t head_bytes, rest_bytes, trailer_bytes;
    size_t body_held; /* of limits.bodies */
    struct http_lines lines;
    bool in_value, in_trailers, head_done, resumed, done, expect;
    struct http_request request;
    int error_status;
    const char *error_message;
};

static int refuse(struct http_parser *p, int http_status, const char *message)
{
    if (p->error_status == 0) {
        p->error_status = http_status;
        p->error_message = message;
    }
    return HPE_USER;
}

static struct http_parser *parser_of(llhttp_t *state)
{
    return (struct http_parser *)state;
}

static int span_add(struct http_parser *p, struct span *span, const char *at, size_t len)
{
    buf_add(&p->text, (struct str){at, len});
    span->len += len;
    if (p->text.status == OK)
        return 0;
    return p->text.status == ERR_MEMORY ? refuse(p, 503, "Out of memory for the request headers.")
                                        : refuse(p, 431, "The request headers are too large.");
}

static int on_url(llhttp_t *state, const char *at, size_t len)
{
    struct http_parser *p = parser_of(state);
    return span_add(p, &p->target, at, len);
}

static int on_trailer(struct http_parser *p, size_t len)
{
    p->trailer_bytes += len;
    return p->trailer_bytes > p->limits.header_bytes_max
               ? refuse(p, 431, "The request trailers are too large.")
               : 0;
}

static int on_header_field(llhttp_t *state, const char *at, size_t len)
{
    struct http_parser *p = parser_of(state);
    if (p->head_done)
        return on_trailer(p, len);
    if (p->in_value || p->header_count == 0) {
        if (p->header_count == HTTP_HEADERS_MAX)
            return refuse(p, 431, "The request has too many headers.");
        p->names[p->header_count] = (struct span){.at = p->text.len};
        p->values[p->header_count] = (struct span){0};
        p->header_count++;
        p->in_value = false;
    }
    return span_add(p, &p->names[p->header_count - 1], at, len);
}

/* llhttp gives a header without a name no field, so its value would become that of the header before. */
static int on_header_field_complete(llhttp_t *state)
{
    struct http_parser *p = parser_of(state);
    if (p->head_done)
        return 0;
    if (p->in_value || p->header_count == 0)
        return refuse(p, 400, "A header has no name.");
    p->in_value = true;
    p->values[p->header_count - 1] = (struct span){.at = p->text.len};
    return 0;
}

static int on_header_value(llhttp_t *state, const char *at, size_t len)
{
    struct http_parser *p = parser_of(state);
    if (p->head_done)
        return on_trailer(p, len);
    return span_add(p, &p->values[p->header_count - 1], at, len);
}

/* Slices of the text; made once it no longer moves. */
static void headers_resolve(struct http_parser *p)
{
    const char *text = p->text.ptr;
    for (size_t i = 0; i < p->header_count; i++) {
        p->headers[i].name = (struct str){text + p->names[i].at, p->names[i].len};
        p->headers[i].value = str_trim((struct str){text + p->values[i].at, p->values[i].len});
    }
    p->request.headers = p->headers;
    p->request.header_count = p->header_count;
}

static size_t header_count(const struct http_parser *p, struct str name, struct str *last)
{
    size_t count = 0;
    for (size_t i = 0; i < p->header_count; i++) {
        if (str_equal_nocase(p->headers[i].name, name)) {
            *last = p->headers[i].value;
            count++;
        }
    }
    return count;
}

/* A host and perhaps a port: nothing that begins a path, a list or a user's name. */
static bool is_authority(struct str text)
{
    static const char never[] = " \t,/\\?#@<>\"{}|^`";
    for (size_t i = 0; i < text.len; i++)
        if (strchr(never, text.ptr[i]))
            return false;
    return true;
}

/* "http://host:port" off the front of *target, which becomes the rest. Its host counts instead of the header Host. */
static int take_authority(struct http_parser *p, struct str *target)
{
    struct str scheme = str_slice(*target, 0, str_find(*target, STR("://"), 0));
    if (!str_equal_nocase(scheme, STR("http")) && !str_equal_nocase(scheme, STR("https")))
        return refuse(p, 400, "The request target is not a path.");
    size_t at = scheme.len + 3, path = at;
    while (path < target->len && target->ptr[path] != '/' && target->ptr[path] != '?' &&
           target->ptr[path] != '#')
        path++;
    p->request.host = str_slice(*target, at, path);
    *target = str_slice(*target, path, target->len);
    if (p->request.host.len == 0 || !is_authority(p->request.host))
        return refuse(p, 400, "The request target names no host.");
    return 0;
}

/* origin-form, absolute-form and "*" (RFC 9112 3.2). */
static int target_split(struct http_parser *p)
{
    struct str target = {p->text.ptr + p->target.at, p->target.len};
    bool plain = str_equal(target, STR("*")) || str_starts(target, STR("/"));
    if (!plain && take_authority(p, &target) != 0)
        return HPE_USER;
    struct str rest = target;
    target = str_split(&rest, '#'); /* a fragment is no part of a request */
    p->request.path = str_split(&target, '?');
    p->request.query = target;
    if (p->request.path.len == 0)
        p->request.path = STR("/");
    return 0;
}

/* A body whose length two readers might see differently is refused, whatever llhttp thinks of it. */
static int framing_check(struct http_parser *p)
{
    struct str value = {0};
    size_t encodings = header_count(p, STR("transfer-encoding"), &value);
    if (encodings > 1 || (encodings == 1 && p->request.http_1_0))
        return refuse(p, 400, "The Transfer-Encoding header is not valid here.");
    if (encodings == 1 && !str_equal_nocase(value, STR("chunked")))
        return refuse(p, 501, "Only the chunked transfer encoding is offered.");
    struct str length;
    size_t lengths = header_count(p, STR("content-length"), &length);
    if (lengths > 1 || (lengths == 1 && encodings == 1))
        return refuse(p, 400, "The length of the request body is ambiguous.");
    p->request.chunked = encodings == 1;
    p->request.body_bytes = lengths == 1 ? p->state.content_length : 0;
    if (p->request.body_bytes > p->limits.body_bytes_max)
        return refuse(p, 413, "The request body is too large.");
    return 0;
}

static int expect_check(struct http_parser *p)
{
    struct str value = {0};
    if (p->request.http_1_0 || header_count(p, STR("expect"), &value) == 0)
        return 0;
    if (!str_equal_nocase(value, STR("100-continue")))
        return refuse(p, 417, "This expectation cannot be met.");
    p->expect = p->request.expects = true;
    return 0;
}

static int head_check(struct http_parser *p)
{
    struct str host = STR("");
    if (p->state.http_major != 1)
        return refuse(p, 505, "Only HTTP/1.0 and HTTP/1.1 are offered.");
    if (p->state.method == HTTP_CONNECT)
        return refuse(p, 501, "CONNECT is not offered.");
    size_t hosts = header_count(p, STR("host"), &host);
    if (hosts > 1 || (hosts == 0 && !p->request.http_1_0))
        return refuse(p, 400, "An HTTP/1.1 request needs exactly one Host header.");
    if (!is_authority(host))
        return refuse(p, 400, "The Host header is not a host.");
    p->request.host = host;
    for (size_t i = 0; i < p->text.len; i++)
        if (p->text.ptr[i] == '\0' || p->text.ptr[i] == '\r' || p->text.ptr[i] == '\n')
            return refuse(p, 400, "A request header holds a control character.");
    return 0;
}

static int on_headers_complete(llhttp_t *state)
{
    struct http_parser *p = parser_of(state);
    p->state.upgrade = 0; /* no other protocol is offered; the request is answered as it is */
    p->head_done = true;
    p->request.method = str_from(llhttp_method_name((llhttp_method_t)p->state.method));
    p->request.http_1_0 = p->state.http_minor == 0;
    p->request.keep_alive = llhttp_should_keep_alive(&p->state) != 0;
    headers_resolve(p);
    int refused = head_check(p);
    if (refused == 0)
        refused = target_split(p);
    if (refused == 0)
        refused = framing_check(p);
    if (refused == 0)
        refused = expect_check(p);
    return refused != 0 ? -1 : HPE_PAUSED; /* paused, so that the exact size of the head is known */
}

/* A chunk announces its size; the last one is empty, and lines follow it. */
static int on_chunk_header(llhttp_t *state)
{
    struct http_parser *p = parser_of(state);
    if (p->state.content_length > p->limits.body_bytes_max - p->body.len)
        return refuse(p, 413, "The request body is too large.");
    if (p->state.content_length > 0)
        return 0;
    p->in_trailers = true;
    http_lines_begin(&p->lines, true);
    return HPE_PAUSED; /* so that the lines begin where a stretch begins */
}

static int on_body(llhttp_t *state, const char *at, size_t len)
{
    struct http_parser *p = parser_of(state);
    if (!http_bodies_take(p->limits.bodies, p->body.len, len))
        return refuse(p, 503, "Too many request bodies are on their way; try again later.");
    p->body_held += len;
    buf_add(&p->body, (struct str){at, len});
    if (p->body.status == OK)
        return 0;
    return p->body.status == ERR_MEMORY ? refuse(p, 503, "Out of memory for the request body.")
                                        : refuse(p, 413, "The request body is too large.");
}

static int on_message_complete(llhttp_t *state)
{
    struct http_parser *p = parser_of(state);
    p->done = true;
    p->request.body = p->body.len > 0 ? buf_str(&p->body) : (struct str){"", 0};
    return HPE_PAUSED; /* what follows is another request */
}

static const llhttp_settings_t settings = {
    .on_url = on_url,
    .on_header_field = on_header_field,
    .on_header_field_complete = on_header_field_complete,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
    .on_chunk_header = on_chunk_header,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

struct http_parser *http_parser_create(const struct http_parse_limits *limits)
{
    struct http_parser *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->limits = *limits;
    buf_init(&p->text, limits->header_bytes_max);
    buf_init(&p->body, limits->body_bytes_max);
    http_parser_begin(p);
    return p;
}

void http_parser_free(struct http_parser *p)
{
    if (!p)
        return;
    http_bodies_give_back(p->limits.bodies, p->body_held);
    buf_done(&p->text);
    buf_done(&p->body);
    free(p);
}

static void buf_recycle(struct buf *b, size_t kept_bytes)
{
    if (b->capacity > kept_bytes)
        buf_done(b);
    else
        buf_clear(b);
}

void http_parser_begin(struct http_parser *p)
{
    llhttp_init(&p->state, HTTP_REQUEST, &settings);
    buf_recycle(&p->text, TEXT_KEPT_BYTES);
    buf_recycle(&p->body, BODY_KEPT_BYTES);
    http_bodies_give_back(p->limits.bodies, p->body_held);
    http_lines_begin(&p->lines, false);
    p->body_held = 0;
    p->target = (struct span){0};
    p->header_count = p->head_bytes = p->rest_bytes = p->trailer_bytes = 0;
    p->in_value = p->in_trailers = p->head_done = p->resumed = p->done = p->expect = false;
    p->request = (struct http_request){0};
    p->error_status = 0;
    p->error_message = NULL;
}

/* Runs llhttp over one stretch; returns the bytes it took. */
static size_t execute(struct http_parser *p, struct str bytes)
{
    llhttp_errno_t e = llhttp_execute(&p->state, bytes.ptr, bytes.len);
    if (e == HPE_OK)
        return bytes.len;
    size_t taken = (size_t)(llhttp_get_error_pos(&p->state) - bytes.ptr);
    if (e == HPE_PAUSED)
        llhttp_resume(&p->state);
    else
        refuse(p, 400, llhttp_get_error_reason(&p->state));
    return taken;
}

/* What is wrong with a line comes before whatever llhttp stumbled over behind it. */
static void check_lines(struct http_parser *p, struct str bytes)
{
    const char *wrong = http_lines_check(&p->lines, bytes);
    if (!wrong)
        return;
    p->error_status = 400;
    p->error_message = wrong;
}

/* Until the head is complete, llhttp gets no more bytes than the head may still have. It pauses at its end. */
static size_t feed_head(struct http_parser *p, struct str bytes)
{
    size_t room = p->limits.header_bytes_max - p->head_bytes;
    size_t taken = execute(p, str_slice(bytes, 0, room));
    p->head_bytes += taken;
    check_lines(p, str_slice(bytes, 0, taken));
    if (!p->head_done && p->head_bytes == p->limits.header_bytes_max)
        refuse(p, 431, "The request headers are too large.");
    return taken;
}

/* After the pause behind the head llhttp must be resumed even when nothing follows, because a request without a body is
 * complete there. */
static void resume(struct http_parser *p, struct str bytes)
{
    p->resumed = true;
    if (p->request.body_bytes > 0)
        (void)buf_reserve(&p->body, p->request.body_bytes < BODY_RESERVE_BYTES
                                        ? (size_t)p->request.body_bytes
                                        : BODY_RESERVE_BYTES);
    (void)execute(p, (struct str){bytes.ptr, 0});
}

/* Chunk extensions, sizes and trailers must not let a small body take for ever. */
static size_t feed_body(struct http_parser *p, struct str bytes)
{
    bool lines = p->in_trailers;
    size_t taken = execute(p, bytes);
    p->rest_bytes += taken;
    if (lines)
        check_lines(p, str_slice(bytes, 0, taken));
    size_t framing = p->rest_bytes - p->body.len;
    if (framing > p->limits.header_bytes_max + CHUNK_OVERHEAD_FACTOR * p->body.len)
        refuse(p, 413, "The chunk framing of the request body is too large.");
    return taken;
}

enum http_parse http_parser_feed(struct http_parser *p, struct str bytes, size_t *consumed)
{
    CHECK(!p->done);
    CHECK(p->error_status == 0);
    bool had_head = p->head_done;
    size_t at = 0;
    if (had_head && !p->resumed)
        resume(p, bytes);
    while (at < bytes.len && p->error_status == 0 && !p->done && p->head_done == had_head) {
        struct str rest = str_slice(bytes, at, bytes.len);
        at += had_head ? feed_body(p, rest) : feed_head(p, rest);
    }
    *consumed = at;
    if (p->error_status != 0)
        return HTTP_PARSE_BAD;
    if (p->done)
        return HTTP_PARSE_DONE;
    return p->head_done == had_head ? HTTP_PARSE_MORE : HTTP_PARSE_HEAD;
}

struct str http_parser_target(const struct http_parser *p)
{
    return p->target.len > 0 ? (struct str){p->text.ptr + p->target.at, p->target.len} : STR("");
}

bool http_parser_head_done(const struct http_parser *p)
{
    return p->head_done;
}

size_t http_parser_body_bytes(const struct http_parser *p)
{
    return p->body.len;
}

bool http_parser_take_expect(struct http_parser *p)
{
    bool expect = p->expect && p->head_done && !p->done && p->body.len == 0;
    p->expect = false;
    return expect;
}

const struct http_request *http_parser_request(const struct http_parser *p)
{
    CHECK(p->head_done);
    return &p->request;
}

int http_parser_error(const struct http_parser *p, const char **message)
{
    CHECK(p->error_status != 0);
    *message = p->error_message ? p->error_message : "The request is not valid HTTP.";
    return p->error_status;
}
