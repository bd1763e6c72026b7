/* HTTP/1.x responses over llhttp, strict: an answer whose end could be read in two ways is refused.
 *
 * A parser belongs to one call, so to one loop's thread, and knows no sockets. The callbacks run from inside
 * http_reply_feed and must not free the parser. */
#include "net/http_reply.h"

#include <llhttp.h>
#include <stdlib.h>

struct http_reply_parser {
    llhttp_t state; /* first: llhttp's callbacks get this */
    struct http_reply_user user;
    struct buf head;
    bool is_head, head_done, done, interim, stopped, keep_alive;
};

static struct http_reply_parser *parser_of(llhttp_t *state)
{
    return (struct http_reply_parser *)state;
}

static int add_head(llhttp_t *state, struct str text)
{
    struct http_reply_parser *p = parser_of(state);
    if (!p->head_done) /* else a trailer */
        buf_add(&p->head, text);
    return p->head.status == OK ? 0 : HPE_USER;
}

static int on_name(llhttp_t *state, const char *at, size_t len)
{
    return add_head(state, (struct str){at, len});
}

static int on_name_complete(llhttp_t *state)
{
    return add_head(state, STR(": "));
}

static int on_value_complete(llhttp_t *state)
{
    return add_head(state, STR("\r\n"));
}

/* 1: no body follows. */
static int on_headers_complete(llhttp_t *state)
{
    struct http_reply_parser *p = parser_of(state);
    int http_status = llhttp_get_status_code(state);
    if (http_status < 200) {
        p->interim = true;
        return http_status == 101 ? HPE_USER : 0;
    }
    p->head_done = true;
    if (p->user.on_head && !p->user.on_head(p->user.arg, http_status)) {
        p->stopped = true;
        return HPE_USER;
    }
    return p->is_head ? 1 : 0;
}

static int on_body(llhttp_t *state, const char *at, size_t len)
{
    struct http_reply_parser *p = parser_of(state);
    if (len == 0 || p->user.on_body(p->user.arg, (struct str){at, len}))
        return 0;
    p->stopped = true;
    return HPE_USER;
}

/* Stops behind a final answer, so that the caller sees what follows it. */
static int on_complete(llhttp_t *state)
{
    struct http_reply_parser *p = parser_of(state);
    if (p->interim) {
        p->interim = false;
        buf_clear(&p->head);
        return 0;
    }
    p->done = true;
    p->keep_alive = llhttp_should_keep_alive(state);
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_header_field = on_name,
    .on_header_field_complete = on_name_complete,
    .on_header_value = on_name,
    .on_header_value_complete = on_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_complete,
};

struct http_reply_parser *http_reply_parser_create(size_t head_bytes_max)
{
    struct http_reply_parser *p = calloc(1, sizeof(*p));
    if (p)
        buf_init(&p->head, head_bytes_max);
    return p;
}

void http_reply_parser_free(struct http_reply_parser *p)
{
    if (!p)
        return;
    buf_done(&p->head);
    free(p);
}

void http_reply_begin(struct http_reply_parser *p, bool is_head, const struct http_reply_user *user)
{
    llhttp_init(&p->state, HTTP_RESPONSE, &settings);
    p->user = *user;
    buf_clear(&p->head);
    p->is_head = is_head;
    p->head_done = p->done = p->interim = p->stopped = p->keep_alive = false;
}

static enum http_reply verdict(const struct http_reply_parser *p)
{
    if (p->stopped)
        return HTTP_REPLY_STOPPED;
    if (p->done)
        return HTTP_REPLY_DONE;
    return p->head.status == OK ? HTTP_REPLY_BAD : HTTP_REPLY_LARGE;
}

enum http_reply http_reply_feed(struct http_reply_parser *p, struct str bytes, bool *ret_all)
{
    llhttp_errno_t e = llhttp_execute(&p->state, bytes.ptr, bytes.len);
    *ret_all = true;
    if (e == HPE_OK)
        return HTTP_REPLY_MORE;
    enum http_reply result = verdict(p);
    if (result == HTTP_REPLY_DONE)
        *ret_all = llhttp_get_error_pos(&p->state) == bytes.ptr + bytes.len;
    return result;
}

enum http_reply http_reply_eof(struct http_reply_parser *p)
{
    if (p->head_done && !p->done)
        (void)llhttp_finish(&p->state);
    return verdict(p);
}

bool http_reply_keep_alive(const struct http_reply_parser *p)
{
    return p->keep_alive;
}

struct str http_reply_head(const struct http_reply_parser *p)
{
    return buf_str(&p->head);
}
