/* One connection: keep-alive, pipelining, cuts, refusals, hang-ups in every phase, slow readers. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/http_bodies.h"
#include "net/net_test.h"

#define KEEP "GET /k HTTP/1.1\r\nHost: h\r\n\r\n"

static void expect_body(const char *answer, const char *body)
{
    const char *end = strstr(answer, "\r\n\r\n");
    cr_assert_not_null(end, "no head in: %s", answer);
    cr_assert_str_eq(end + 4, body);
}

Test(http_conn, keep_alive)
{
    struct test_server *t = test_server_start(NULL, test_echo, NULL);
    int fd = test_connect(t->port);
    for (int i = 0; i < 20; i++) {
        test_send(fd, i % 2 ? KEEP : "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
        char *a = test_read_answer(fd);
        cr_assert_null(strstr(a, "connection: close"));
        expect_body(a, i % 2 ? "GET /k? " : "POST /p? abc");
        free(a);
    }
    cr_assert_eq(test_connections(t), 1);
    cr_assert_eq(test_exchanges(t), 0);
    close(fd);
    test_wait_connections(t, 0);
    test_server_stop(t);
}

Test(http_conn, byte_by_byte)
{
    struct test_server *t = test_server_start(NULL, test_echo, NULL);
    int fd = test_connect(t->port);
    const char *requests = "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
                           "POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                           "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    for (const char *r = requests; *r != '\0'; r++)
        test_send_bytes(fd, r, 1);
    char *a = test_read_answer(fd), *b = test_read_answer(fd);
    expect_body(a, "POST /a? hello");
    expect_body(b, "POST /b? abcde");
    free(a);
    free(b);
    close(fd);
    test_server_stop(t);
}

/* Answers later, from a timer, so that the next requests of the pipeline have to wait. */
struct later {
    struct loop_timer *timer;
    struct http_exchange *x;
};

static void answer_later(void *arg)
{
    struct later *w = arg;
    loop_timer_free(w->timer);
    test_echo(w->x, NULL);
    free(w);
}

static struct loop *later_loop;

static void later_gone(struct http_exchange *x)
{
    struct later *w = x->user;
    loop_timer_free(w->timer);
    free(w);
}

static void answering_later(struct http_exchange *x, void *arg)
{
    (void)arg;
    struct later *w = calloc(1, sizeof *w);
    x->user = w;
    x->on_gone = later_gone;
    w->x = x;
    w->timer = loop_timer_create(later_loop, answer_later, w);
    loop_timer_start(w->timer, 0);
}

static void expect_pipeline(struct test_server *t, int requests)
{
    struct buf b;
    buf_init(&b, 4u << 20);
    for (int i = 0; i < requests; i++)
        buf_addf(&b, "GET /%d HTTP/1.1\r\nHost: h\r\n\r\n", i);
    int fd = test_connect(t->port);
    test_send_bytes(fd, b.ptr, b.len);
    for (int i = 0; i < requests; i++) {
        char wanted[32], *a = test_read_answer(fd);
        snprintf(wanted, sizeof wanted, "GET /%d? ", i);
        expect_body(a, wanted);
        free(a);
    }
    close(fd);
    buf_done(&b);
}

Test(http_conn, pipelined_requests_are_answered_in_order)
{
    struct test_server *t = test_server_start(NULL, test_echo, NULL);
    expect_pipeline(t, 3);
    expect_pipeline(t, 6000); /* far more than the buffer for waiting requests */
    test_server_stop(t);
}

Test(http_conn, pipelined_requests_wait_for_a_slow_handler)
{
    struct test_server *t = test_server_start(NULL, answering_later, NULL);
    later_loop = t->loop;
    expect_pipeline(t, 3);
    expect_pipeline(t, 6000);
    test_server_stop(t);
}

static char message_seen[100], path_seen[100];

static void json_error(struct str path, int http_status, const char *message, struct buf *into)
{
    snprintf(path_seen, sizeof path_seen, "%.*s", STR_FMT(path));
    snprintf(message_seen, sizeof message_seen, "%s", message);
    buf_addf(into, "{\"error\":%d}", http_status);
}

static void expect_refused(struct test_server *t, const char *request, int http_status)
{
    char *a = test_ask(t->port, request), wanted[64];
    snprintf(wanted, sizeof wanted, "HTTP/1.1 %d ", http_status);
    cr_assert(str_starts(str_from(a), str_from(wanted)), "%s gave %s", request, a);
    cr_assert_not_null(strstr(a, "\r\nconnection: close\r\n"));
    cr_assert_not_null(strstr(a, "\r\ncontent-type: application/json\r\n"));
    snprintf(wanted, sizeof wanted, "{\"error\":%d}", http_status);
    expect_body(a, wanted);
    cr_assert_gt(strlen(message_seen), 0);
    free(a);
}

Test(http_conn, limits_answer_by_themselves)
{
    struct http_server_options o = {
        .header_bytes_max = 200, .body_bytes_max = 10, .error_body = json_error};
    struct test_server *t = test_server_start(&o, test_echo, NULL);
    char big[600];
    snprintf(big, sizeof big, "GET / HTTP/1.1\r\nHost: h\r\nX: %0400d\r\n\r\n", 0);
    expect_refused(t, big, 431);
    expect_refused(t, "nonsense\r\n\r\n", 400);
    expect_refused(t, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n12345678901", 413);
    expect_refused(t, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n", 413);
    expect_refused(t,
                   "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "6\r\n123456\r\n5\r\n12345\r\n0\r\n\r\n",
                   413);
    expect_refused(t,
                   "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n"
                   "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n",
                   400);
    test_wait_connections(t, 0);
    test_server_stop(t);
}

/* The client sends all of a large body before it reads; the answer must survive that. */
Test(http_conn, a_body_over_the_limit_gets_its_answer)
{
    struct http_server_options o = {.body_bytes_max = 1000};
    struct test_server *t = test_server_start(&o, test_echo, NULL);
    size_t len = 20u << 20;
    char *body = calloc(1, len);
    for (int chunked = 0; chunked <= 1; chunked++) {
        int fd = test_connect(t->port);
        test_send(fd, chunked ? "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                                "1400000\r\n"
                              : "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 20971520\r\n\r\n");
        test_send_bytes(fd, body, len);
        char *a = test_read_answer(fd);
        cr_assert(str_starts(str_from(a), STR("HTTP/1.1 413 ")), "%s", a);
        free(a);
        close(fd);
    }
    free(body);
    test_wait_connections(t, 0);
    test_server_stop(t);
}

Test(http_conn, a_large_body_arrives_whole)
{
    struct test_server *t = test_server_start(NULL, test_echo, NULL);
    size_t len = 3u << 20;
    char *body = malloc(len), head[100];
    for (size_t i = 0; i < len; i++)
        body[i] = (char)('a' + i % 23);
    snprintf(head, sizeof head, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n", len);
    int fd = test_connect(t->port);
    test_send(fd, head);
    test_send_bytes(fd, body, len);
    char *a = test_read_answer(fd), *start = strstr(a, "\r\n\r\nPOST /? ");
    cr_assert_not_null(start);
    cr_assert_eq(strlen(start + 12), len);
    cr_assert_eq(memcmp(start + 12, body, len), 0);
    free(a);
    free(body);
    close(fd);
    test_server_stop(t);
}

Test(http_conn, expect_100_continue)
{
    struct test_server *t = test_server_start(NULL, test_echo, NULL);
    int fd = test_connect(t->port);
    test_send(fd,
              "POST /e HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    char *a = test_read_until(fd, "\r\n\r\n");
    cr_assert_str_eq(a, "HTTP/1.1 100 Continue\r\n\r\n");
    free(a);
    test_send(fd, "ok");
    a = test_read_answer(fd);
    expect_body(a, "POST /e? ok");
    free(a);
    close(fd);
    test_server_stop(t);
}

Test(http_conn, expect_100_continue_of_a_body_too_large)
{
    struct test_server *t = test_server_start(NULL, test_echo, NULL);
    int fd = test_connect(t->port);
    test_send(fd, "POST /e HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                  "Content-Length: 99999999\r\n\r\n");
    char *a = test_read_answer(fd);
    cr_assert(str_starts(str_from(a), STR("HTTP/1.1 413 ")), "%s", a);
    free(a);
    close(fd);
    test_server_stop(t);
}

/* Hang-ups */

static void count_handled(struct http_exchange *x, void *arg)
{
    atomic_fetch_add((atomic_int *)arg, 1);
    http_respond(x, 200, NULL, 0, STR(""));
}

/* The door */

static bool only_in(struct http_exchange *x, void *arg)
{
    (void)arg;
    cr_assert_eq(x->body.len, 0);
    if (str_equal(x->path, STR("/in"))) {
        x->user = x;
        return true;
    }
    http_respond(x, 401, NULL, 0, STR("no"));
    return false;
}

static void echo_of_the_door(struct http_exchange *x, void *arg)
{
    cr_assert_eq(x->user, x);
    test_echo(x, arg);
}

static struct test_server *start_door(void)
{
    struct http_server_options o = {.door = only_in};
    return test_server_start(&o, echo_of_the_door, NULL);
}

Test(http_conn, the_door_refuses_before_the_body_has_come)
{
    static const char *const framings[] = {"Content-Length: 9000000\r\n",
                                           "Transfer-Encoding: chunked\r\n",
                                           "Content-Length: 5\r\nExpect: 100-continue\r\n"};
    struct test_server *t = start_door();
    for (size_t i = 0; i < sizeof framings / sizeof framings[0]; i++) {
        char text[200];
        int fd = test_connect(t->port);
        snprintf(text, sizeof text, "POST /out HTTP/1.1\r\nHost: h\r\n%s\r\n", framings[i]);
        test_send(fd, text);
        char *a =
            test_read_all(fd); /* nobody waits for the body, and the connection cannot go on */
        cr_assert(str_starts(str_from(a), STR("HTTP/1.1 401 ")), "%s", a);
        cr_assert_not_null(strstr(a, "connection: close"));
        free(a);
        close(fd);
    }
    test_server_stop(t);
}

/* In one packet, byte by byte, and behind one another: what belongs to the refused request is nobody's. */
Test(http_conn, a_short_refused_body_is_read_over)
{
    const char *requests = "POST /out HTTP/1.1\r\nHost: h\r\nContent-Length: 40\r\n\r\n"
                           "GET /in?hidden HTTP/1.1\r\nHost: h\r\n\r\n...."
                           "POST /in HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab"
                           "GET /out HTTP/1.1\r\nHost: h\r\n\r\n"
                           "GET /in HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    struct test_server *t = start_door();
    for (size_t piece = 1; piece < 400; piece += 133) {
        int fd = test_connect(t->port);
        for (size_t at = 0; at < strlen(requests); at += piece) {
            struct str part = str_slice(str_from(requests), at, at + piece);
            test_send_bytes(fd, part.ptr, part.len);
        }
        char *a = test_read_answer(fd), *b = test_read_answer(fd), *c = test_read_answer(fd),
             *d = test_read_all(fd);
        cr_assert(str_starts(str_from(a), STR("HTTP/1.1 401 ")), "%s", a);
        cr_assert_null(strstr(a, "connection: close"));
        expect_body(b, "POST /in? ab");
        cr_assert(str_starts(str_from(c), STR("HTTP/1.1 401 ")), "%s", c);
        expect_body(d, "GET /in? ");
        free(a), free(b), free(c), free(d);
        close(fd);
    }
    test_server_stop(t);
}

Test(http_conn, whoever_passes_the_door_is_told_to_continue)
{
    struct test_server *t = start_door();
    int fd = test_connect(t->port);
    test_send(fd, "POST /in HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                  "Content-Length: 2\r\n\r\n");
    char *a = test_read_until(fd, "\r\n\r\n");
    cr_assert_str_eq(a, "HTTP/1.1 100 Continue\r\n\r\n");
    test_send(fd, "ok");
    char *b = test_read_answer(fd);
    expect_body(b, "POST /in? ok");
    free(a), free(b);
    close(fd);
    test_server_stop(t);
}

Test(http_conn, bodies_have_a_sum_over_all_connections)
{
    struct http_bodies bodies = {.bytes_max = 100000};
    struct http_server_options o = {.bodies = &bodies};
    struct test_server *t = test_server_start(&o, test_echo, NULL);
    const char *head = "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n";
    char *part = malloc(90000);
    memset(part, 'x', 90000);
    int a = test_connect(t->port), b = test_connect(t->port);
    test_send(a, head);
    test_send_bytes(a, part, 90000);
    while (atomic_load(&bodies.bytes) < 90000 - HTTP_BODY_FREE_BYTES)
        usleep(1000);
    test_send(b, head);
    test_send_bytes(b, part, 90000);
    char *refused = test_read_all(b);
    cr_assert(str_starts(str_from(refused), STR("HTTP/1.1 503 ")), "%s", refused);
    free(refused);
    char *small =
        test_ask(t->port, "POST /s HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: "
                          "2\r\n\r\nok");
    expect_body(small, "POST /s? ok");
    free(small);
    close(a);
    close(b);
    test_wait_connections(t, 0);
    cr_assert_eq(atomic_load(&bodies.bytes), 0);
    free(part);
    test_server_stop(t);
}

Test(http_conn, a_client_that_leaves_before_its_request_is_whole)
{
    static const char *const half[] = {"", "GET", "GET / HTTP/1.1\r\nHo",
                                       "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n1"};
    atomic_int handled = 0;
    struct test_server *t = test_server_start(NULL, count_handled, &handled);
    for (size_t i = 0; i < sizeof half / sizeof half[0]; i++) {
        int fd = test_connect(t->port);
        test_send(fd, half[i]);
        test_wait_connections(t, 1);
        close(fd);
        test_wait_connections(t, 0);
    }
    cr_assert_eq(atomic_load(&handled), 0);
    test_server_stop(t);
}

enum leaving { LEAVE_CLOSE, LEAVE_RESET, LEAVE_SHUTDOWN };

static void leave(int fd, enum leaving how)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    if (how == LEAVE_RESET)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    if (how == LEAVE_SHUTDOWN)
        shutdown(fd, SHUT_WR);
    else
        close(fd);
}

static void expect_gone(bool stream, enum leaving how, const char *also)
{
    struct test_hold h;
    test_hold_init(&h);
    h.stream = stream;
    struct test_server *t = test_server_start(NULL, test_holding, &h);
    int fd = test_connect(t->port);
    test_send(fd, KEEP);
    test_wait(&h.asked);
    if (stream)
        free(test_read_until(fd, "5\r\nfirst\r\n"));
    test_send(fd, also);
    cr_assert_eq(test_exchanges(t), 1);
    leave(fd, how);
    test_wait(&h.gone);
    test_wait_connections(t, 0);
    cr_assert_eq(test_exchanges(t), 0);
    cr_assert_eq(atomic_load(&h.gone_count), 1);
    cr_assert_eq(atomic_load(&h.asked_count), 1); /* a pipelined request goes with its client */
    test_server_stop(t);
}

Test(http_conn, a_client_that_leaves_while_the_handler_works)
{
    for (int how = LEAVE_CLOSE; how <= LEAVE_SHUTDOWN; how++)
        expect_gone(false, (enum leaving)how, "");
}

Test(http_conn, a_client_that_leaves_in_the_middle_of_the_answer)
{
    for (int how = LEAVE_CLOSE; how <= LEAVE_SHUTDOWN; how++)
        expect_gone(true, (enum leaving)how, "");
}

Test(http_conn, a_client_that_leaves_after_pipelining)
{
    expect_gone(false, LEAVE_CLOSE, KEEP KEEP);
    expect_gone(true, LEAVE_SHUTDOWN, KEEP KEEP);
}

/* Its waiting bytes fill their buffer, so that nobody reads from it any more. */
Test(http_conn, a_client_that_leaves_after_pipelining_very_much)
{
    size_t len =
        100000; /* the rest must fit the kernel's buffer, or the client's end is not even sent */
    char *much = malloc(len + 1);
    memset(much, 'x', len);
    much[len] = '\0';
    expect_gone(false, LEAVE_CLOSE, much);
    expect_gone(true, LEAVE_RESET, much);
    free(much);
}

/* Slow readers */

#define STREAM_BYTES (48u << 20)

struct producer {
    atomic_size_t made, most_ahead;
    atomic_int drained;
    sem_t gone;
};

static void produce(struct http_exchange *x)
{
    struct producer *p = x->user;
    char bytes[1000];
    size_t made = atomic_load(&p->made);
    bool room = true;
    while (room && made < STREAM_BYTES) {
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (char)('a' + (made + i) % 26);
        size_t n = STREAM_BYTES - made < sizeof bytes ? STREAM_BYTES - made : sizeof bytes;
        room = http_stream_write(x, (struct str){bytes, n});
        made += n;
        atomic_store(&p->made, made);
    }
    if (made == STREAM_BYTES)
        http_stream_end(x, NULL, 0);
}

static void on_drained(struct http_exchange *x)
{
    struct producer *p = x->user;
    atomic_fetch_add(&p->drained, 1);
    produce(x);
}

static void producer_gone(struct http_exchange *x)
{
    struct producer *p = x->user;
    sem_post(&p->gone);
}

static void producing(struct http_exchange *x, void *arg)
{
    x->user = arg;
    x->on_drained = on_drained;
    x->on_gone = producer_gone;
    http_stream_begin(x, 200, NULL, 0);
    produce(x);
}

/* Reads a little, sleeps, and looks how far the producer is ahead of the reader. Kernel buffers (at most 6 MB to
 * send and 6 MB to receive by default) and the high-water mark are all there may be in between. */
Test(http_conn, a_slow_reader_holds_the_producer_back)
{
    struct producer p = {0};
    struct test_server *t = test_server_start(NULL, producing, &p);
    int fd = test_connect(t->port);
    test_send(fd, "GET / HTTP/1.0\r\n\r\n");
    free(test_read_until(fd, "\r\n\r\n"));
    usleep(300000);
    size_t ahead = atomic_load(&p.made);
    cr_assert_lt(ahead, 16u << 20, "%zu bytes made for a reader that took none", ahead);
    char *rest = test_read_all(fd);
    cr_assert_eq(strlen(rest), STREAM_BYTES);
    for (size_t i = 0; i < STREAM_BYTES; i++)
        if (rest[i] != (char)('a' + i % 26))
            cr_assert_fail("wrong byte at %zu", i);
    int drained = atomic_load(&p.drained); /* each time for a good stretch, not for one piece */
    cr_assert_gt(drained, 0);
    cr_assert_lt(drained, 2000);
    free(rest);
    close(fd);
    test_server_stop(t);
}

Test(http_conn, a_slow_reader_that_leaves_is_noticed)
{
    struct producer p = {0};
    sem_init(&p.gone, 0, 0);
    struct test_server *t = test_server_start(NULL, producing, &p);
    int fd = test_connect(t->port);
    test_send(fd, KEEP);
    free(test_read_until(fd, "\r\n\r\n"));
    close(fd);
    test_wait(&p.gone);
    cr_assert_lt(atomic_load(&p.made), STREAM_BYTES);
    test_wait_connections(t, 0);
    test_server_stop(t);
}

/* Pipelined requests with large answers: nothing is answered ahead of what the client takes. */
#define LARGE_BYTES 400000

static void large_answer(struct http_exchange *x, void *arg)
{
    static char bytes[LARGE_BYTES];
    atomic_fetch_add((atomic_int *)arg, 1);
    memset(bytes, 'z', sizeof bytes);
    http_respond(x, 200, NULL, 0, (struct str){bytes, sizeof bytes});
}

Test(http_conn, a_pipelining_client_that_does_not_read_is_held_back)
{
    atomic_int handled = 0;
    struct test_server *t = test_server_start(NULL, large_answer, &handled);
    int fd = test_connect(t->port), requests = 100;
    for (int i = 0; i < requests; i++)
        test_send(fd, KEEP);
    usleep(300000);
    cr_assert_lt(atomic_load(&handled), 60);
    for (int i = 0; i < requests; i++) {
        char *a = test_read_answer(fd);
        cr_assert_gt(strlen(a), LARGE_BYTES);
        free(a);
    }
    close(fd);
    test_server_stop(t);
}

/* A client may shut down its side once its request has been answered at once. */
Test(http_conn, a_half_closed_client_gets_what_is_answered)
{
    atomic_int handled = 0;
    struct test_server *t = test_server_start(NULL, large_answer, &handled);
    int fd = test_connect(t->port);
    test_send(fd, KEEP);
    shutdown(fd, SHUT_WR);
    char *a = test_read_all(fd);
    cr_assert_gt(strlen(a), LARGE_BYTES);
    free(a);
    close(fd);
    test_server_stop(t);
}
