/* Answers as they go over the wire: framing per version and method, nothing injected. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/net_test.h"

#define GET(path)  "GET " path " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
#define HEAD(path) "HEAD " path " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"

static void answer(struct http_exchange *x, void *arg)
{
    (void)arg;
    const struct http_header evil[] = {
        {STR("x-split"), STR("a\r\nSet-Cookie: b=1\r\n\r\n<html>")},
        {STR("x-nul"), STR("a\0b")},
        {STR("bad name"), STR("v")},
        {STR("bad:name"), STR("v")},
        {STR("bad\r\nname"), STR("v")},
        {STR(""), STR("v")},
        {STR("Content-Length"), STR("999")},
        {STR("Transfer-Encoding"), STR("chunked")},
        {STR("connection"), STR("keep-alive")},
        {STR("date"), STR("never")},
        {STR("x-good"), STR("tab\tand \xC3\xA9")},
    };
    if (str_equal(x->path, STR("/evil"))) {
        http_respond(x, 200, evil, sizeof evil / sizeof evil[0], STR("ok"));
    } else if (str_equal(x->path, STR("/204"))) {
        http_respond(x, 204, NULL, 0, STR(""));
    } else if (str_equal(x->path, STR("/stream"))) {
        http_stream_begin(x, 200, NULL, 0);
        http_stream_write(x, STR("hello, "));
        http_stream_write(x, STR("")); /* must not end the answer */
        http_stream_write(x, STR("stream of 26 bytes"));
        http_stream_end(x, NULL, 0);
    } else if (str_equal(x->path, STR("/trailers"))) {
        const struct http_header trailers[] = {{STR("x-cost"), STR("1\r\n2")}};
        http_stream_begin(x, 200, NULL, 0);
        http_stream_end(x, trailers, 1);
    } else if (str_equal(x->path, STR("/abort-stream"))) {
        http_stream_begin(x, 200, NULL, 0);
        http_stream_write(x, STR("half"));
        http_abort(x);
    } else if (str_equal(x->path, STR("/abort"))) {
        http_abort(x);
    } else {
        test_echo(x, NULL);
    }
}

static struct test_server *t;

static void start(void)
{
    t = test_server_start(NULL, answer, NULL);
}

static void stop(void)
{
    test_server_stop(t);
}

TestSuite(http_response, .init = start, .fini = stop);

static void expect_has(const char *text, const char *part)
{
    cr_assert_not_null(strstr(text, part), "no \"%s\" in:\n%s", part, text);
}

static void expect_lacks(const char *text, const char *part)
{
    cr_assert_null(strstr(text, part), "\"%s\" in:\n%s", part, text);
}

static void expect_body(const char *text, const char *body)
{
    const char *end = strstr(text, "\r\n\r\n");
    cr_assert_not_null(end, "no head in: %s", text);
    cr_assert_str_eq(end + 4, body);
}

Test(http_response, a_whole_answer)
{
    char *a = test_ask(t->port, GET("/x?y=z"));
    cr_assert(str_starts(str_from(a), STR("HTTP/1.1 200 OK\r\n")), "%s", a);
    expect_has(a, "\r\ncontent-length: 11\r\n");
    expect_has(a, "\r\nconnection: close\r\n");
    expect_has(a, " GMT\r\n");
    expect_body(a, "GET /x?y=z ");
    free(a);
}

Test(http_response, head_has_the_length_and_no_body)
{
    char *a = test_ask(t->port, HEAD("/x"));
    expect_has(a, "\r\ncontent-length: 9\r\n");
    expect_body(a, "");
    free(a);
    a = test_ask(t->port, HEAD("/stream"));
    expect_body(a, "");
    free(a);
}

Test(http_response, no_content_has_no_length)
{
    char *a = test_ask(t->port, GET("/204"));
    expect_has(a, "204 No Content");
    expect_lacks(a, "content-length");
    expect_body(a, "");
    free(a);
}

Test(http_response, nothing_can_be_injected)
{
    char *a = test_ask(t->port, GET("/evil"));
    expect_lacks(a, "\r\nSet-Cookie");
    expect_has(a, "\r\nx-split: a  Set-Cookie: b=1    <html>\r\n");
    expect_has(a, "\r\nx-nul: a b\r\n");
    expect_lacks(a, "bad");
    expect_lacks(a, "999");
    expect_lacks(a, "chunked");
    expect_lacks(a, "keep-alive");
    expect_lacks(a, "never");
    expect_has(a, "\r\nx-good: tab\tand \xC3\xA9\r\n");
    expect_body(a, "ok");
    free(a);
}

Test(http_response, a_stream_is_chunked)
{
    char *a = test_ask(t->port, GET("/stream"));
    expect_has(a, "\r\ntransfer-encoding: chunked\r\n");
    expect_body(a, "7\r\nhello, \r\n12\r\nstream of 26 bytes\r\n0\r\n\r\n");
    free(a);
}

Test(http_response, trailers_are_clean)
{
    char *a = test_ask(t->port, GET("/trailers"));
    expect_body(a, "0\r\nx-cost: 1  2\r\n\r\n");
    free(a);
}

Test(http_response, http_1_0_streams_until_the_end)
{
    char *a = test_ask(t->port, "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    expect_lacks(a, "chunked");
    expect_has(a, "connection: close");
    expect_body(a, "hello, stream of 26 bytes");
    free(a);
}

Test(http_response, http_1_0_closes_unless_asked)
{
    char *a = test_ask(t->port, "GET /x HTTP/1.0\r\n\r\n");
    expect_has(a, "connection: close");
    free(a);
    int fd = test_connect(t->port);
    for (int i = 0; i < 2; i++) {
        test_send(fd, "GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        a = test_read_answer(fd);
        expect_has(a, "connection: keep-alive");
        expect_body(a, "GET /x? ");
        free(a);
    }
    close(fd);
}

Test(http_response, an_aborted_stream_lacks_its_end)
{
    char *a = test_ask(t->port, GET("/abort-stream"));
    expect_body(a, "4\r\nhalf\r\n");
    free(a);
    a = test_ask(t->port, GET("/abort"));
    cr_assert_str_eq(a, "");
    free(a);
}

Test(http_response, an_aborted_http_1_0_stream_ends_with_a_reset)
{
    int fd = test_connect(t->port);
    test_send(fd, "GET /abort-stream HTTP/1.0\r\n\r\n");
    ssize_t n;
    char bytes[4096];
    do
        n = read(fd, bytes, sizeof bytes);
    while (n > 0);
    cr_assert_eq(n, -1, "the cut answer looks whole");
    close(fd);
}

Test(http_response, every_status_has_a_reason)
{
    cr_assert_str_eq(http_reason(200), "OK");
    cr_assert_str_eq(http_reason(429), "Too Many Requests");
    cr_assert_str_eq(http_reason(431), "Request Header Fields Too Large");
    cr_assert_str_eq(http_reason(299), "Unknown");
}

#ifndef NET_TEST_TLS /* what stands between would read */

#define UNSENT_BYTES (16u << 20)

struct filling {
    struct test_hold hold;
    size_t unsent;
    char *bytes;
};

static void fill(void *arg)
{
    struct filling *f = arg;
    (void)http_stream_write(f->hold.x, (struct str){f->bytes, UNSENT_BYTES});
}

static void look(void *arg)
{
    struct filling *f = arg;
    f->unsent = http_stream_unsent(f->hold.x);
}

Test(http_response, what_a_client_does_not_read_is_unsent)
{
    struct filling f = {.bytes = calloc(1, UNSENT_BYTES)};
    test_hold_init(&f.hold);
    f.hold.stream = true;
    struct test_server *holder = test_server_start(NULL, test_holding, &f.hold);
    int fd = test_connect(holder->port);
    test_send(fd, GET("/"));
    test_wait(&f.hold.asked);
    free(test_read_until(fd, "first"));
    test_on_loop(holder, fill, &f);
    test_on_loop(holder, look, &f);
    cr_assert(f.unsent > UNSENT_BYTES / 4 && f.unsent < UNSENT_BYTES + 100, "%zu", f.unsent);
    for (size_t got = 0; got < UNSENT_BYTES;) {
        ssize_t n = recv(fd, f.bytes, UNSENT_BYTES, 0);
        cr_assert_gt(n, 0);
        got += (size_t)n;
    }
    for (int i = 0; i < 2000 && f.unsent > 0; i++, usleep(10000))
        test_on_loop(holder, look, &f);
    cr_assert_eq(f.unsent, 0);
    close(fd);
    test_wait(&f.hold.gone);
    test_server_stop(holder);
    free(f.bytes);
}

#endif
