/* Timeouts of connections, each with a short one and the others long. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/net_test.h"

#define SHORT_MS 80

static void expect_408(const struct http_server_options *options, const char *half)
{
    struct test_server *t = test_server_start(options, test_echo, NULL);
    uint64_t begin = clock_now_ms();
    char *a = test_ask(t->port, half);
    cr_assert(str_starts(str_from(a), STR("HTTP/1.1 408 ")), "%s", a);
    cr_assert_not_null(strstr(a, "connection: close"));
    cr_assert_geq(clock_now_ms() - begin, SHORT_MS - 1);
    free(a);
    test_server_stop(t);
}

Test(http_deadline, a_slow_head_is_408)
{
    struct http_server_options o = {.header_timeout_ms = SHORT_MS};
    expect_408(&o, "GET / HTT");
}

Test(http_deadline, a_slow_body_is_408)
{
    struct http_server_options o = {.body_timeout_ms = SHORT_MS};
    expect_408(&o, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n12345");
}

/* Bytes do not prolong a head, or one byte a second would hold a connection for ever. */
Test(http_deadline, a_dripping_head_is_408)
{
    struct http_server_options o = {.header_timeout_ms = 150};
    struct test_server *t = test_server_start(&o, test_echo, NULL);
    int fd = test_connect(t->port), sent = 0;
    test_send(fd, "GET / HTTP/1.1\r\nX: ");
    char byte;
    while (recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && sent++ < 1000) {
        test_send(fd, "x");
        usleep(10000);
    }
    cr_assert_lt(sent, 1000);
    char *a = test_read_answer(fd);
    cr_assert(str_starts(str_from(a), STR("HTTP/1.1 408 ")), "%s", a);
    free(a);
    close(fd);
    test_server_stop(t);
}

/* A body that moves is not slow, however long it takes. */
Test(http_deadline, a_moving_body_may_take_long)
{
    struct http_server_options o = {.body_timeout_ms = 400};
    struct test_server *t = test_server_start(&o, test_echo, NULL);
    int fd = test_connect(t->port);
    test_send(fd, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\n");
    for (int i = 0; i < 8; i++) {
        usleep(100000);
        test_send(fd, "x");
    }
    char *a = test_read_answer(fd);
    cr_assert_not_null(strstr(a, "POST /? xxxxxxxx"), "%s", a);
    free(a);
    close(fd);
    test_server_stop(t);
}

/* A byte now and then keeps no body going: there is a time for all of it, and a rate. */
static void expect_drip_408(const struct http_server_options *options)
{
    struct test_server *t = test_server_start(options, test_echo, NULL);
    int fd = test_connect(t->port), sent = 0;
    test_send(fd, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n");
    char byte;
    while (recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && sent++ < 1000) {
        test_send(fd, "x");
        usleep(10000);
    }
    cr_assert_lt(sent, 1000);
    char *a = test_read_answer(fd);
    cr_assert(str_starts(str_from(a), STR("HTTP/1.1 408 ")), "%s", a);
    free(a);
    close(fd);
    test_server_stop(t);
}

Test(http_deadline, a_dripping_body_is_408)
{
    expect_drip_408(&(struct http_server_options){.body_total_ms = 150});
    expect_drip_408(&(struct http_server_options){.body_grace_ms = 100, .body_rate = 1000});
}

Test(http_deadline, idle_connections_are_closed_silently)
{
    struct http_server_options o = {.idle_timeout_ms = SHORT_MS};
    struct test_server *t = test_server_start(&o, test_echo, NULL);
    char *a = test_ask(t->port, "GET /x HTTP/1.1\r\nHost: h\r\n\r\n");
    cr_assert(str_ends(str_from(a), STR("\r\n\r\nGET /x? ")), "%s", a);
    free(a);
    a = test_ask(t->port, "");
    cr_assert_str_eq(a, "");
    free(a);
    test_wait_connections(t, 0);
    test_server_stop(t);
}

Test(http_deadline, the_handler_has_all_the_time)
{
    struct test_hold h;
    test_hold_init(&h);
    struct http_server_options o = {.idle_timeout_ms = 20,
                                    .header_timeout_ms = 20,
                                    .body_timeout_ms = 20,
                                    .write_timeout_ms = 20};
    struct test_server *t = test_server_start(&o, test_holding, &h);
    int fd = test_connect(t->port);
    test_send(fd, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    test_wait(&h.asked);
    usleep(150000);
    cr_assert_eq(test_exchanges(t), 1);
    cr_assert_eq(atomic_load(&h.gone_count), 0);
    close(fd);
    test_wait(&h.gone);
    test_server_stop(t);
}

static void write_much(struct http_exchange *x)
{
    static const char bytes[4096];
    while (http_stream_write(x, (struct str){bytes, sizeof bytes}))
        ;
}

static void flood(struct http_exchange *x, void *arg)
{
    test_holding(x, arg);
    x->on_drained = write_much;
    http_stream_begin(x, 200, NULL, 0);
    write_much(x);
}

Test(http_deadline, a_reader_that_takes_nothing_is_cut)
{
    struct test_hold h;
    test_hold_init(&h);
    struct http_server_options o = {.write_timeout_ms = SHORT_MS};
    struct test_server *t = test_server_start(&o, flood, &h);
    int fd = test_connect(t->port);
    test_send(fd, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    test_wait(&h.gone);
    test_wait_connections(t, 0);
    close(fd);
    test_server_stop(t);
}
