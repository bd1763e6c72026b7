/* http_parse.h: what is taken apart, what is refused and with which status, and that cuts do not matter. */
#include "net/http_parse.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "net/http_bodies.h"

static const struct http_parse_limits limits = {.header_bytes_max = 400, .body_bytes_max = 1000};

/* Feeds in pieces of `piece` bytes; writes down everything that came out, or the refusal. */
static char *describe(struct str text, size_t piece)
{
    struct http_parser *p = http_parser_create(&limits);
    struct buf out;
    buf_init(&out, 1 << 20);
    enum http_parse result = HTTP_PARSE_MORE;
    size_t at = 0;
    bool expect = false;
    while (at < text.len || result == HTTP_PARSE_HEAD) {
        size_t taken;
        bool had_head = http_parser_head_done(p);
        result = http_parser_feed(p, str_slice(text, at, at + piece), &taken);
        at += taken;
        expect = http_parser_take_expect(p) || expect;
        if (result == HTTP_PARSE_BAD)
            break;
        cr_assert_eq(result == HTTP_PARSE_HEAD, !had_head && http_parser_head_done(p));
        if (result == HTTP_PARSE_MORE || result == HTTP_PARSE_HEAD)
            continue;
        const struct http_request *r = http_parser_request(p);
        buf_addf(&out, "%.*s %.*s ? %.*s%s%s\n", STR_FMT(r->method), STR_FMT(r->path),
                 STR_FMT(r->query), r->keep_alive ? " keep" : " close", r->http_1_0 ? " 1.0" : "");
        for (size_t i = 0; i < r->header_count; i++)
            buf_addf(&out, "%.*s=%.*s\n", STR_FMT(r->headers[i].name),
                     STR_FMT(r->headers[i].value));
        buf_addf(&out, "<%.*s>\n", STR_FMT(r->body));
        http_parser_begin(p);
    }
    const char *message;
    if (result == HTTP_PARSE_BAD)
        buf_addf(&out, "refused %d\n", http_parser_error(p, &message));
    else if (result == HTTP_PARSE_MORE)
        buf_add_c(&out, "more\n");
    http_parser_free(p);
    buf_add_char(&out, '\0');
    return buf_take(&out);
}

static void expect_cut(struct str text, const char *wanted, size_t piece)
{
    char *seen = describe(text, piece);
    cr_assert_str_eq(seen, wanted, "pieces of %zu of: %.*s\ngave: %s", piece, STR_FMT(text), seen);
    free(seen);
}

static void expect(const char *text, const char *wanted)
{
    expect_cut(str_from(text), wanted, 100000);
    for (size_t piece = 1; piece < 12; piece++)
        expect_cut(str_from(text), wanted, piece);
}

Test(http_parse, a_request_is_taken_apart)
{
    expect(
        "POST /v1/chat?a=b&c HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nX-Empty:\r\n"
        "X-Space:  a b \t\r\n\r\nhello",
        "POST /v1/chat ? a=b&c keep\nHost=h\nContent-Length=5\nX-Empty=\nX-Space=a b\n<hello>\n");
}

Test(http_parse, pipelined_requests)
{
    expect("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nPOST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: "
           "2\r\n\r\nok"
           "GET /3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
           "GET /1 ?  keep\nHost=h\n<>\nPOST /2 ?  keep\nHost=h\nContent-Length=2\n<ok>\n"
           "GET /3 ?  close\nHost=h\nConnection=close\n<>\n");
}

Test(http_parse, chunked_bodies)
{
    expect("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
           "3\r\nabc\r\nA;ext=1\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n"
           "GET /n HTTP/1.1\r\nHost: h\r\n\r\n",
           "POST / ?  keep\nHost=h\nTransfer-Encoding=chunked\n<abc0123456789>\n"
           "GET /n ?  keep\nHost=h\n<>\n");
}

Test(http_parse, http_1_0)
{
    expect("GET / HTTP/1.0\r\n\r\n", "GET / ?  close 1.0\n<>\n");
    expect("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
           "GET / ?  keep 1.0\nConnection=keep-alive\n<>\n");
}

Test(http_parse, targets)
{
    expect("GET http://host:80/a?b HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a ? b keep\nHost=h\n<>\n");
    expect("GET http://host HTTP/1.1\r\nHost: h\r\n\r\n", "GET / ?  keep\nHost=h\n<>\n");
    expect("GET http://host?q HTTP/1.1\r\nHost: h\r\n\r\n", "GET / ? q keep\nHost=h\n<>\n");
    expect("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS * ?  keep\nHost=h\n<>\n");
    expect("GET /a%2Fb#frag HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a%2Fb ?  keep\nHost=h\n<>\n");
}

Test(http_parse, an_upgrade_is_ignored)
{
    expect("GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
           "GET / ?  keep\nHost=h\nUpgrade=websocket\nConnection=Upgrade\n<>\n");
}

Test(http_parse, an_unfinished_request_wants_more)
{
    expect("GET / HTTP/1.1\r\nHos", "more\n");
    expect("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhell", "more\n");
}

Test(http_parse, not_http_is_refused)
{
    static const char *const bad[] = {
        "hello\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n", /* no Host */
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET a HTTP/1.1\r\nHost: h\r\n\r\n",
        "get / HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nbad header\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : h\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n",
        "GET / HTTP/7.3\r\nHost: h\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        expect(bad[i], "refused 400\n");
}

Test(http_parse, ambiguous_bodies_are_refused)
{
    static const char *const bad[] = {
        "Content-Length: 1\r\nContent-Length: 1\r\n",
        "Content-Length: 1\r\nContent-Length: 2\r\n",
        "Content-Length: 1, 1\r\n",
        "Content-Length: +1\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 0x1\r\n",
        "Content-Length:\r\n",
        "Content-Length: 99999999999999999999999\r\n",
        "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding : chunked\r\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[300];
        snprintf(text, sizeof text, "POST / HTTP/1.1\r\nHost: h\r\n%s\r\n0\r\n\r\n", bad[i]);
        expect(text, "refused 400\n");
    }
    expect("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "refused 400\n");
    expect("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
           "refused 501\n");
    expect("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
           "refused 501\n");
}

Test(http_parse, malformed_chunks_are_refused)
{
    static const char *const bad[] = {"x\r\n", "-1\r\n", "1\r\nab\r\n", "FFFFFFFFFFFFFFFFF\r\n",
                                      "1\nab", "\r\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[300];
        snprintf(text, sizeof text,
                 "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n%s", bad[i]);
        expect(text, "refused 400\n");
    }
}

Test(http_parse, nul_bytes_are_refused)
{
    expect_cut(STR("GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n"), "refused 400\n", 1000);
    expect_cut(STR("GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n"), "refused 400\n", 1000);
}

/* Each of them is one header, or none, to one reader and something else to another. */
Test(http_parse, what_two_readers_might_see_differently_is_refused)
{
    static const char *const heads[] = {
        "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n Content-Length: 3\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n\tb\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nX:\r\n b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n \r\n\r\n",
        "GET / HTTP/1.1\r\n X: a\r\nHost: h\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\n: a\r\n\r\n",
        "GET / HTTP/1.1\r\n: a\r\nHost: h\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\n:\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /  HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /\tHTTP/1.1\r\nHost: h\r\n\r\n",
        "GET / HTTP/1.1 \r\nHost: h\r\n\r\n",
        " GET / HTTP/1.1\r\nHost: h\r\n\r\n",
        "DESCRIBE / RTSP/1.0\r\nHost: h\r\n\r\n",
        "GET / HTTP/1.1\nHost: h\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\r\nY: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nX\t: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nX: \x01\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nX\xe9: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n",
        "GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET http:///a HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET http://u@h/a HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET http HTTP/1.1\r\nHost: h\r\n\r\n",
    };
    static const char *const trailers[] = {"X: a\r\n b\r\n", ": a\r\n",     " X: a\r\n",
                                           "X : a\r\n",      "X: \x01\r\n", "X: a\n"};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        expect(heads[i], "refused 400\n");
    for (size_t i = 0; i < sizeof trailers / sizeof trailers[0]; i++) {
        char text[300];
        snprintf(text, sizeof text,
                 "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "1\r\nx\r\n0\r\n%s\r\n",
                 trailers[i]);
        expect(text, "refused 400\n");
    }
}

/* The target's, where it has one (RFC 9112 3.2.2). */
static void expect_host(const char *text, const char *host)
{
    struct http_parser *p = http_parser_create(&limits);
    size_t taken;
    cr_assert_eq(http_parser_feed(p, str_from(text), &taken), HTTP_PARSE_HEAD, "%s", text);
    cr_expect(str_equal(http_parser_request(p)->host, str_from(host)), "%s", text);
    http_parser_free(p);
}

Test(http_parse, which_host_is_meant)
{
    expect_host("GET / HTTP/1.1\r\nHost: a:80\r\n\r\n", "a:80");
    expect_host("GET HTTP://b:1/ HTTP/1.1\r\nHost: a\r\n\r\n", "b:1");
    expect_host("GET http://[::1]:1 HTTP/1.1\r\nHost: a\r\n\r\n", "[::1]:1");
    expect_host("GET / HTTP/1.1\r\nHost:\r\n\r\n", "");
    expect_host("GET / HTTP/1.0\r\n\r\n", "");
}

/* A chunk that is announced too large is refused before any of it has come. */
Test(http_parse, a_chunk_too_large_is_refused_by_its_size)
{
    expect("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3E9\r\n",
           "refused 413\n");
    expect("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
           "refused 413\n");
}

Test(http_parse, bodies_have_a_sum)
{
    struct http_bodies bodies = {.bytes_max = 1000};
    const struct http_parse_limits wide = {
        .header_bytes_max = 400, .body_bytes_max = 1 << 20, .bodies = &bodies};
    struct http_parser *a = http_parser_create(&wide), *b = http_parser_create(&wide);
    struct str head = STR("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n");
    char *filling = calloc(1, HTTP_BODY_FREE_BYTES + 1000);
    struct str most = {filling, HTTP_BODY_FREE_BYTES + 999};
    const char *message;
    size_t taken;
    cr_assert_eq(http_parser_feed(a, head, &taken), HTTP_PARSE_HEAD);
    cr_assert_eq(http_parser_feed(b, head, &taken), HTTP_PARSE_HEAD);
    cr_assert_eq(http_parser_feed(a, most, &taken), HTTP_PARSE_MORE);
    cr_expect_eq(atomic_load(&bodies.bytes), 999);
    cr_assert_eq(http_parser_feed(b, most, &taken), HTTP_PARSE_BAD);
    cr_expect_eq(http_parser_error(b, &message), 503);
    http_parser_begin(a);
    cr_expect_eq(atomic_load(&bodies.bytes), 0);
    http_parser_begin(b);
    cr_assert_eq(http_parser_feed(b, head, &taken), HTTP_PARSE_HEAD);
    cr_assert_eq(http_parser_feed(b, most, &taken), HTTP_PARSE_MORE);
    http_parser_free(b);
    cr_expect_eq(atomic_load(&bodies.bytes), 0);
    http_parser_free(a);
    free(filling);
}

Test(http_parse, other_refusals)
{
    expect("CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n", "refused 501\n");
    expect("POST / HTTP/1.1\r\nHost: h\r\nExpect: miracles\r\nContent-Length: 1\r\n\r\n",
           "refused 417\n");
    expect("GET / HTTP/2.0\r\nHost: h\r\n\r\n", "refused 505\n");
}

static char *padded(const char *front, size_t pad, const char *back)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_add_c(&b, front);
    for (size_t i = 0; i < pad; i++)
        buf_add_char(&b, 'x');
    buf_add_c(&b, back);
    return buf_take(&b);
}

Test(http_parse, the_head_has_an_exact_limit)
{
    const char *front = "GET / HTTP/1.1\r\nHost: h\r\nX: ", *back = "\r\n\r\n";
    size_t pad = limits.header_bytes_max - strlen(front) - strlen(back);
    char *fits = padded(front, pad, back), *over = padded(front, pad + 1, back);
    for (size_t piece = 1; piece < 500; piece += 83) {
        char *seen = describe(str_from(fits), piece);
        cr_assert(str_starts(str_from(seen), STR("GET / ?  keep\n")), "%s", seen);
        free(seen);
        expect_cut(str_from(over), "refused 431\n", piece);
    }
    free(fits);
    free(over);
}

Test(http_parse, headers_have_a_number)
{
    struct http_parse_limits wide = {.header_bytes_max = 65536, .body_bytes_max = 1};
    for (int extra = 0; extra <= 1; extra++) {
        struct buf b;
        buf_init(&b, 1 << 20);
        buf_add_c(&b, "GET / HTTP/1.0\r\n");
        for (int i = 0; i < HTTP_HEADERS_MAX + extra; i++)
            buf_add_c(&b, "a: b\r\n");
        buf_add_c(&b, "\r\n");
        struct http_parser *p = http_parser_create(&wide);
        size_t taken;
        const char *message;
        enum http_parse result = http_parser_feed(p, buf_str(&b), &taken);
        cr_assert_eq(result, extra ? HTTP_PARSE_BAD : HTTP_PARSE_HEAD);
        if (extra)
            cr_assert_eq(http_parser_error(p, &message), 431);
        http_parser_free(p);
        buf_done(&b);
    }
}

Test(http_parse, the_body_has_an_exact_limit)
{
    const char *known = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n";
    expect(known, "refused 413\n"); /* before any of it came */
    const char *chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_add_c(&b, chunked);
    char *fits = padded("3E8\r\n", 1000, "\r\n0\r\n\r\n");
    char *over = padded("3E8\r\n", 1000, "\r\n1\r\nx\r\n0\r\n\r\n");
    size_t head = b.len;
    buf_add_c(&b, fits);
    char *seen = describe(buf_str(&b), 100);
    cr_assert_not_null(strstr(seen, "xxx>\n"));
    free(seen);
    b.len = head;
    buf_add_c(&b, over);
    expect_cut(buf_str(&b), "refused 413\n", 100);
    buf_done(&b);
    free(fits);
    free(over);
}

Test(http_parse, chunk_framing_and_trailers_have_limits)
{
    const char *chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    char *extension = padded("1;", 600, "\r\nx\r\n0\r\n\r\n");
    char *trailer = padded("0\r\nX: ", 600, "\r\n\r\n");
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_add_c(&b, chunked);
    size_t head = b.len;
    buf_add_c(&b, extension);
    expect_cut(buf_str(&b), "refused 413\n", 100);
    b.len = head;
    buf_add_c(&b, trailer);
    char *seen = describe(buf_str(&b), 100);
    cr_assert(str_starts(str_from(seen), STR("refused 4")), "%s", seen);
    free(seen);
    buf_done(&b);
    free(extension);
    free(trailer);
}

Test(http_parse, the_wish_for_100_continue_is_told_once)
{
    struct http_parser *p = http_parser_create(&limits);
    size_t taken;
    struct str head =
        STR("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n");
    cr_assert_eq(http_parser_feed(p, head, &taken), HTTP_PARSE_HEAD);
    cr_assert_eq(http_parser_feed(p, STR(""), &taken), HTTP_PARSE_MORE);
    cr_assert(http_parser_head_done(p));
    cr_assert(http_parser_take_expect(p));
    cr_assert(!http_parser_take_expect(p));
    cr_assert_eq(http_parser_feed(p, STR("ok"), &taken), HTTP_PARSE_DONE);
    cr_assert(str_equal(http_parser_request(p)->body, STR("ok")));
    http_parser_free(p);
}
