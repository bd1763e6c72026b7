/* The text of an outgoing request, as lines for curl and as an HTTP/1.1 head, and look-up in the raw head of an answer.
 * Both ways of sending go through call_text_check, so no URL, name or value with a control character ever reaches a
 * socket; messages name the header by its number and never show a value.
 *
 * Pure text: no socket, no curl, no state but the caller's. A call_text belongs to one call and so to one loop's
 * thread. */
#include "net/http_call_text.h"

#include <string.h>

#include "base/check.h"

#ifndef LEEROO_VERSION
#define LEEROO_VERSION "dev"
#endif

void call_text_init(struct call_text *t)
{
    *t = (struct call_text){0};
    buf_init(&t->bytes, CALL_TEXT_BYTES_MAX);
}

void call_text_done(struct call_text *t)
{
    buf_done(&t->bytes);
}

static bool is_clean(struct str s, bool name)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char ch = (unsigned char)s.ptr[i];
        bool control = (ch < ' ' && ch != '\t') || ch == 0x7f;
        if (control || (name && (ch <= ' ' || ch == ':' || ch == ';' || ch > 0x7f)))
            return false;
    }
    return true;
}

enum status call_text_check(const struct http_call_options *o, struct error *err)
{
    struct str url = str_from(o->url);
    bool known = str_equal_nocase(str_slice(url, 0, 7), STR("http://")) ||
                 str_equal_nocase(str_slice(url, 0, 8), STR("https://"));
    if (!known || !is_clean(url, false))
        return error_set(err, ERR_INPUT,
                         "the URL of an outgoing call must begin with http:// or "
                         "https:// and hold no control characters");
    if (o->header_count > CALL_HEADERS_MAX)
        return error_set(err, ERR_TOO_LARGE, "an outgoing call has more than %d headers",
                         CALL_HEADERS_MAX);
    for (size_t i = 0; i < o->header_count; i++) {
        const struct http_header *h = &o->headers[i];
        if (h->name.len == 0 || !is_clean(h->name, true) || !is_clean(h->value, false))
            return error_set(err, ERR_INPUT,
                             "header %zu of an outgoing call holds characters that headers "
                             "cannot hold",
                             i + 1);
    }
    return OK;
}

/* The end of a line is its NUL; pointers are set when the buffer no longer moves. */
static void line_end(struct call_text *t)
{
    buf_add_char(&t->bytes, '\0');
    t->count++;
}

static void line_add(struct call_text *t, const char *line)
{
    buf_add_c(&t->bytes, line);
    line_end(t);
}

/* The headers that frame the request are ours, never the caller's. */
static bool is_framing(struct str name)
{
    return str_equal_nocase(name, STR("content-length")) ||
           str_equal_nocase(name, STR("transfer-encoding")) ||
           str_equal_nocase(name, STR("expect"));
}

static void header_add(struct call_text *t, const struct http_header *h)
{
    if (is_framing(h->name))
        return;
    buf_add(&t->bytes, h->name);
    if (h->value.len == 0) {
        buf_add_char(&t->bytes, ';'); /* curl's spelling of an empty value */
    } else {
        buf_add(&t->bytes, STR(": "));
        buf_add(&t->bytes, h->value);
    }
    line_end(t);
}

static bool has_header(const struct http_call_options *o, struct str name)
{
    for (size_t i = 0; i < o->header_count; i++)
        if (str_equal_nocase(o->headers[i].name, name))
            return true;
    return false;
}

enum status call_text_build(struct call_text *t, const struct http_call_options *o,
                            struct error *err)
{
    enum status status = call_text_check(o, err);
    if (status != OK)
        return status;
    buf_clear(&t->bytes);
    t->count = 0;
    line_add(t, o->url);
    for (size_t i = 0; i < o->header_count; i++)
        header_add(t, &o->headers[i]);
    line_add(t, "Expect:"); /* curl would wait a second for a 100 that few servers send */
    if (!has_header(o, STR("accept-encoding")))
        line_add(t, "Accept-Encoding: identity");
    if (!has_header(o, STR("user-agent")))
        line_add(t, "User-Agent: leeroo/" LEEROO_VERSION);
    if (!has_header(o, STR("content-type")))
        line_add(t, "Content-Type:"); /* curl would call any body a web form */
    CHECK(t->count <= 1 + CALL_LINES_MAX);
    status = buf_status(&t->bytes, err);
    const char *at = t->bytes.ptr;
    for (size_t i = 0; status == OK && i < t->count; i++) {
        t->lines[i] = at;
        at += strlen(at) + 1;
    }
    return status;
}

static void header_write(struct buf *out, struct str name, struct str value)
{
    buf_add(out, name);
    buf_add(out, STR(": "));
    buf_add(out, value);
    buf_add(out, STR("\r\n"));
}

void call_text_write(const struct http_call_options *o, struct str authority, struct str path,
                     struct buf *out)
{
    bool encoding = false, agent = false, host = false;
    buf_add_c(out, o->method);
    buf_add_char(out, ' ');
    buf_add(out, path);
    buf_add(out, STR(" HTTP/1.1\r\n"));
    for (size_t i = 0; i < o->header_count; i++) {
        const struct http_header *h = &o->headers[i];
        if (is_framing(h->name) || str_equal_nocase(h->name, STR("connection")))
            continue;
        encoding |= str_equal_nocase(h->name, STR("accept-encoding"));
        agent |= str_equal_nocase(h->name, STR("user-agent"));
        host |= str_equal_nocase(h->name, STR("host"));
        header_write(out, h->name, h->value);
    }
    if (!host)
        header_write(out, STR("host"), authority);
    if (!encoding)
        header_write(out, STR("accept-encoding"), STR("identity"));
    if (!agent)
        header_write(out, STR("user-agent"), STR("leeroo/" LEEROO_VERSION));
    if (o->body.len > 0 || strcmp(o->method, "POST") == 0)
        buf_addf(out, "content-length: %zu\r\n", o->body.len);
    buf_add(out, STR("\r\n"));
}

struct str call_head_find(struct str head, struct str name)
{
    struct str found = {0};
    while (head.len > 0) {
        struct str value = str_split(&head, '\n');
        struct str key = str_split(&value, ':');
        if (str_equal_nocase(key, name))
            found = str_trim(value);
    }
    return found;
}
