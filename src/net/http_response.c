/* Answers: heads, whole bodies and chunked streams, into a connection's send buffer. No byte that a handler gives can
 * end a header early: values lose their control characters, and names that are not tokens are left out.
 *
 * Runs on the loop's thread. Nothing is sent from here: the bytes leave at the end of the round (http_conn.c), so a
 * handler may respond from anywhere, even from inside its own call. */
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "base/check.h"
#include "base/clock.h"
#include "net/http_conn.h"

#define DECIMAL_BYTES_MAX 20
#define HEX_BYTES_MAX     16

struct response_head {
    int http_status;
    const struct http_header *headers;
    size_t header_count;
    bool keep_alive, has_length, chunked, http_1_0;
    size_t length;
};

/* A table with its look-up; the statuses that the gateway sends most often come first. */
const char *http_reason(int http_status)
{
    static const struct {
        int http_status;
        const char *reason;
    } reasons[] = {
        {200, "OK"},
        {400, "Bad Request"},
        {404, "Not Found"},
        {429, "Too Many Requests"},
        {500, "Internal Server Error"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {401, "Unauthorized"},
        {402, "Payment Required"},
        {403, "Forbidden"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {411, "Length Required"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {426, "Upgrade Required"},
        {431, "Request Header Fields Too Large"},
        {501, "Not Implemented"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].http_status == http_status)
            return reasons[i].reason;
    return "Unknown";
}

static void add_decimal(struct buf *b, size_t value)
{
    char digits[DECIMAL_BYTES_MAX];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    buf_add(b, (struct str){digits + at, sizeof digits - at});
}

static void add_hex(struct buf *b, size_t value)
{
    char digits[HEX_BYTES_MAX];
    size_t at = sizeof digits;
    do {
        digits[--at] = "0123456789abcdef"[value % 16];
        value /= 16;
    } while (value > 0);
    buf_add(b, (struct str){digits + at, sizeof digits - at});
}

static bool is_token(struct str name)
{
    static const char also[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < name.len; i++) {
        char ch = name.ptr[i];
        bool alphanumeric =
            (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9');
        if (!alphanumeric && (ch == '\0' || !strchr(also, ch)))
            return false;
    }
    return name.len > 0;
}

/* The headers that frame an answer are the server's own; what a handler says about them is left out. */
static bool is_framing(struct str name)
{
    switch (name.len) {
    case sizeof "date" - 1:
        return str_equal_nocase(name, STR("date"));
    case sizeof "connection" - 1: /* and "keep-alive", as long */
        return str_equal_nocase(name, STR("connection")) ||
               str_equal_nocase(name, STR("keep-alive"));
    case sizeof "content-length" - 1:
        return str_equal_nocase(name, STR("content-length"));
    case sizeof "transfer-encoding" - 1:
        return str_equal_nocase(name, STR("transfer-encoding"));
    default:
        return false;
    }
}

static void add_header(struct buf *b, const struct http_header *h)
{
    if (is_framing(h->name) || !is_token(h->name))
        return;
    buf_add(b, h->name);
    buf_add(b, STR(": "));
    char *value = buf_reserve(b, h->value.len + 2);
    if (!value)
        return;
    for (size_t i = 0; i < h->value.len; i++) {
        unsigned char ch = (unsigned char)h->value.ptr[i];
        value[i] = (ch < ' ' && ch != '\t') || ch == 0x7f ? ' ' : (char)ch;
    }
    value[h->value.len] = '\r';
    value[h->value.len + 1] = '\n';
    b->len += h->value.len + 2;
}

static void add_date(struct http_server *s, struct buf *b)
{
    int64_t second = clock_wall_ms() / 1000;
    if (second != s->date_second) {
        time_t t = (time_t)second;
        struct tm tm;
        gmtime_r(&t, &tm);
        strftime(s->date, sizeof s->date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
        s->date_second = second;
    }
    buf_add(b, STR("date: "));
    buf_add_c(b, s->date);
    buf_add(b, STR("\r\n"));
}

/* What the server's owner says in every answer, by what the request said. */
static void add_owners_headers(struct conn *c)
{
    const struct http_server *s = c->server;
    struct http_header headers[HTTP_ANSWER_HEADERS_MAX];
    bool asked = c->request && http_parser_head_done(c->request->parser);
    const struct http_request *q = asked ? http_parser_request(c->request->parser) : NULL;
    if (!s->options.answer_headers)
        return;
    size_t count =
        s->options.answer_headers(q ? q->headers : NULL, q ? q->header_count : 0, headers, s->arg);
    for (size_t i = 0; i < count; i++)
        add_header(&c->out, &headers[i]);
}

static void add_head(struct conn *c, const struct response_head *h)
{
    struct http_server *s = c->server;
    struct buf *b = &c->out;
    buf_add(b, STR("HTTP/1.1 "));
    add_decimal(b, (size_t)h->http_status);
    buf_add_char(b, ' ');
    buf_add_c(b, http_reason(h->http_status));
    buf_add(b, STR("\r\n"));
    for (size_t i = 0; i < h->header_count; i++)
        add_header(b, &h->headers[i]);
    add_owners_headers(c);
    add_date(s, b);
    if (h->has_length) {
        buf_add(b, STR("content-length: "));
        add_decimal(b, h->length);
        buf_add(b, STR("\r\n"));
    }
    if (h->chunked)
        buf_add(b, STR("transfer-encoding: chunked\r\n"));
    if (!h->keep_alive)
        buf_add(b, STR("connection: close\r\n"));
    else if (h->http_1_0)
        buf_add(b, STR("connection: keep-alive\r\n"));
    buf_add(b, STR("\r\n"));
}

static struct request *request_of(struct http_exchange *x)
{
    struct request *r = (struct request *)x;
    CHECK(r->conn);
    CHECK(r->conn->state == CONN_HANDLING);
    return r;
}

static bool has_no_body(int http_status)
{
    return http_status == 204 || http_status == 304;
}

void http_respond(struct http_exchange *x, int http_status, const struct http_header *headers,
                  size_t header_count, struct str body)
{
    struct request *r = request_of(x);
    struct conn *c = r->conn;
    CHECK(http_status >= 200 && http_status <= 599);
    CHECK(!r->streaming);
    bool keep_alive = r->keep_alive && !c->server->winding_down;
    struct response_head head = {.http_status = http_status,
                                 .headers = headers,
                                 .header_count = header_count,
                                 .keep_alive = keep_alive,
                                 .http_1_0 = r->http_1_0,
                                 .has_length = !has_no_body(http_status),
                                 .length = body.len};
    add_head(c, &head);
    if (!r->is_head && head.has_length)
        buf_add(&c->out, body);
    conn_exchange_end(c, keep_alive);
}

void http_stream_begin(struct http_exchange *x, int http_status, const struct http_header *headers,
                       size_t header_count)
{
    struct request *r = request_of(x);
    struct conn *c = r->conn;
    CHECK(http_status >= 200 && http_status <= 599);
    CHECK(!r->streaming);
    r->streaming = true;
    r->chunked = !r->http_1_0 && !has_no_body(http_status);
    if (r->http_1_0) /* the end of the connection is the end of the answer */
        r->keep_alive = false;
    if (c->server->winding_down)
        r->keep_alive = false;
    struct response_head head = {.http_status = http_status,
                                 .headers = headers,
                                 .header_count = header_count,
                                 .keep_alive = r->keep_alive,
                                 .chunked = r->chunked};
    add_head(c, &head);
    if (has_no_body(http_status))
        r->is_head = true;
    conn_flush_later(c);
}

bool http_stream_write(struct http_exchange *x, struct str bytes)
{
    struct request *r = request_of(x);
    struct conn *c = r->conn;
    CHECK(r->streaming);
    if (bytes.len > 0 && !r->is_head) {
        if (r->chunked) {
            add_hex(&c->out, bytes.len);
            buf_add(&c->out, STR("\r\n"));
        }
        buf_add(&c->out, bytes);
        if (r->chunked)
            buf_add(&c->out, STR("\r\n"));
        conn_flush_later(c);
    }
    if (conn_unsent_bytes(c) > c->server->options.send_high_water)
        c->full = true;
    return !c->full;
}

size_t http_stream_unsent(struct http_exchange *x)
{
    struct conn *c = request_of(x)->conn;
    int queued = 0;
    if (ioctl(c->fd, SIOCOUTQ, &queued) != 0 || queued < 0)
        queued = 0;
    return conn_unsent_bytes(c) + (size_t)queued;
}

void http_stream_end(struct http_exchange *x, const struct http_header *trailers,
                     size_t trailer_count)
{
    struct request *r = request_of(x);
    struct conn *c = r->conn;
    CHECK(r->streaming);
    if (r->chunked && !r->is_head) {
        buf_add(&c->out, STR("0\r\n"));
        for (size_t i = 0; i < trailer_count; i++)
            add_header(&c->out, &trailers[i]);
        buf_add(&c->out, STR("\r\n"));
    }
    conn_exchange_end(c, r->keep_alive);
}

/* What is queued is still sent, then the connection ends without the last chunk. Where a client would take the end of
 * the connection for the end of the answer, it ends with a reset instead. */
void http_abort(struct http_exchange *x)
{
    struct request *r = request_of(x);
    struct conn *c = r->conn;
    c->reset = !r->chunked;
    conn_exchange_end(c, false);
}

void response_refuse(struct conn *c, int http_status, const char *message)
{
    struct buf body;
    buf_init(&body, 64u << 10);
    bool has_builder = c->server->options.error_body;
    if (has_builder)
        c->server->options.error_body(c->request ? http_parser_target(c->request->parser) : STR(""),
                                      http_status, message, &body);
    else
        buf_addf(&body, "%s\n", message);
    struct http_header type = {STR("content-type"),
                               has_builder ? STR("application/json") : STR("text/plain")};
    struct response_head head = {.http_status = http_status,
                                 .headers = &type,
                                 .header_count = 1,
                                 .has_length = true,
                                 .length = body.len};
    add_head(c, &head);
    buf_add(&c->out, buf_str(&body));
    buf_done(&body);
    c->unread = true;
    conn_exchange_end(c, false);
}

struct str http_header_get(const struct http_exchange *x, const char *name)
{
    struct str wanted = str_from(name);
    for (size_t i = 0; i < x->header_count; i++)
        if (str_equal_nocase(x->headers[i].name, wanted))
            return x->headers[i].value;
    return (struct str){0};
}
