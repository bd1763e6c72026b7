/* Responses in any cuts. */
#include "net/http_reply.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define HEAD_MAX 512

static struct http_reply_parser *parser;
static struct {
    int heads, http_status;
    char body[1024];
    size_t len;
    bool stop_at_head, stop_at_body;
} told;

static void setup(void)
{
    parser = http_reply_parser_create(HEAD_MAX);
}

static void teardown(void)
{
    http_reply_parser_free(parser);
}

TestSuite(http_reply, .init = setup, .fini = teardown);

static bool on_head(void *arg, int http_status)
{
    cr_assert_eq(arg, &told);
    told.heads++;
    told.http_status = http_status;
    return !told.stop_at_head;
}

static bool on_body(void *arg, struct str bytes)
{
    cr_assert_eq(arg, &told);
    memcpy(told.body + told.len, bytes.ptr, bytes.len);
    told.len += bytes.len;
    told.body[told.len] = '\0';
    return !told.stop_at_body;
}

static void begin(bool is_head)
{
    const struct http_reply_user user = {&told, on_head, on_body};
    told.heads = 0;
    told.len = 0;
    told.body[0] = '\0';
    http_reply_begin(parser, is_head, &user);
}

/* Fed in pieces of `step` bytes; all but the last must say MORE. */
static enum http_reply feed(const char *text, size_t step, bool *ret_all)
{
    enum http_reply result = HTTP_REPLY_MORE;
    size_t len = strlen(text);
    for (size_t at = 0; at < len && result == HTTP_REPLY_MORE; at += step)
        result =
            http_reply_feed(parser, str_slice((struct str){text, len}, at, at + step), ret_all);
    return result;
}

static void expect(const char *text, int http_status, const char *body, bool keep_alive)
{
    for (size_t step = 1; step < strlen(text) + 2; step++) {
        bool all = false;
        begin(false);
        cr_assert_eq(feed(text, step, &all), HTTP_REPLY_DONE, "%s in steps of %zu", text, step);
        cr_expect(all);
        cr_expect(told.heads == 1 && told.http_status == http_status);
        cr_expect_str_eq(told.body, body);
        cr_expect_eq(http_reply_keep_alive(parser), keep_alive, "%s", text);
    }
}

Test(http_reply, whole_answers_in_every_cut)
{
    expect("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", true);
    expect("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n"
           "trailer: x\r\n\r\n",
           200, "abcde", true);
    expect("HTTP/1.1 204 No Content\r\n\r\n", 204, "", true);
    expect("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 500, "", false);
    expect("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, "x", false);
    expect(
        "HTTP/1.1 100 Continue\r\nx: interim\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        200, "ok", true);
}

Test(http_reply, the_head_is_that_of_the_final_answer)
{
    bool all;
    begin(false);
    cr_assert_eq(
        feed("HTTP/1.1 103 Early\r\nx: interim\r\n\r\nHTTP/1.1 200 OK\r\nX-A: 1\r\nx-b:  two "
             "\r\nContent-Length: 0\r\n\r\n",
             1, &all),
        HTTP_REPLY_DONE);
    struct str head = http_reply_head(parser);
    cr_expect(str_find(head, STR("X-A: 1\r\n"), 0) != SIZE_MAX, "%.*s", STR_FMT(head));
    cr_expect(str_find(head, STR("x-b: two"), 0) != SIZE_MAX, "%.*s", STR_FMT(head));
    cr_expect_eq(str_find(head, STR("interim"), 0), SIZE_MAX);
}

Test(http_reply, an_answer_to_head_has_no_body)
{
    bool all;
    begin(true);
    cr_expect_eq(feed("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", 7, &all), HTTP_REPLY_DONE);
}

Test(http_reply, what_follows_an_answer_is_seen)
{
    bool all = true;
    begin(false);
    cr_expect_eq(
        feed("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n", 1000, &all),
        HTTP_REPLY_DONE);
    cr_expect_not(all);
    cr_expect_str_eq(told.body, "x");
}

Test(http_reply, the_end_of_the_connection)
{
    bool all;
    begin(false);
    cr_expect_eq(feed("HTTP/1.1 200 OK\r\n\r\nuntil the end", 4, &all), HTTP_REPLY_MORE);
    cr_expect_eq(http_reply_eof(parser), HTTP_REPLY_DONE);
    cr_expect_str_eq(told.body, "until the end");
    cr_expect_not(http_reply_keep_alive(parser));
    const char *cut[] = {"", "HTTP/1.1 200 OK\r\n",
                         "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
                         "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n"};
    for (size_t i = 0; i < sizeof(cut) / sizeof(cut[0]); i++) {
        begin(false);
        cr_expect_eq(feed(cut[i], 3, &all), HTTP_REPLY_MORE);
        cr_expect_eq(http_reply_eof(parser), HTTP_REPLY_BAD, "%s", cut[i]);
    }
}

Test(http_reply, what_is_refused)
{
    const char *bad[] = {
        "SSH-2.0-OpenSSH\r\n",
        "HTTP/1.1 abc\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        bool all;
        begin(false);
        cr_expect_eq(feed(bad[i], 5, &all), HTTP_REPLY_BAD, "%s", bad[i]);
    }
}

Test(http_reply, a_head_has_a_limit)
{
    char text[2 * HEAD_MAX];
    bool all;
    snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nx: %0*d\r\n\r\n", HEAD_MAX, 1);
    begin(false);
    cr_expect_eq(feed(text, 100, &all), HTTP_REPLY_LARGE);
    begin(false);
    cr_expect_eq(feed("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 100, &all), HTTP_REPLY_DONE);
}

Test(http_reply, callbacks_stop_it)
{
    bool all;
    told.stop_at_head = true;
    begin(false);
    cr_expect_eq(feed("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", 1000, &all),
                 HTTP_REPLY_STOPPED);
    cr_expect_eq(told.len, 0u);
    told.stop_at_head = false;
    told.stop_at_body = true;
    begin(false);
    cr_expect_eq(feed("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nxy", 1, &all),
                 HTTP_REPLY_STOPPED);
    cr_expect_str_eq(told.body, "x");
    told.stop_at_body = false;
}
