/* The server as a whole: its own limits, draining, freeing, many connections. */
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/valgrind.h"
#include "net/net_test.h"

#ifdef NET_TEST_TLS
#define NOT_OVER_BRIDGES(why) cr_skip(why)
#else
#define NOT_OVER_BRIDGES(why) (void)0
#endif

#define KEEP "GET /k HTTP/1.1\r\nHost: h\r\n\r\n"

Test(http_server, too_many_connections_are_told_so)
{
    struct http_server_options o = {.connections_max = 2};
    struct test_server *t = test_server_start(&o, test_echo, NULL);
    int a = test_connect(t->port), b = test_connect(t->port);
    test_wait_connections(t, 2);
    char *answer = test_ask(t->port, KEEP);
    cr_assert(str_starts(str_from(answer), STR("HTTP/1.1 503 ")), "%s", answer);
    free(answer);
    close(a);
    test_wait_connections(t, 1);
    int c = test_connect(t->port);
    test_send(c, KEEP);
    answer = test_read_answer(c);
    cr_assert(str_starts(str_from(answer), STR("HTTP/1.1 200 ")), "%s", answer);
    free(answer);
    close(b);
    close(c);
    test_server_stop(t);
}

#define QUEUED 40

struct drain {
    struct http_server *server;
    int port, listen_fd, fds[QUEUED];
    sem_t done;
};

static void drained(void *arg)
{
    struct drain *d = arg;
    sem_post(&d->done);
}

static void begin_drain(void *arg)
{
    struct drain *d = arg;
    http_server_drain(d->server, drained, d);
}

static void respond_held(void *arg)
{
    struct test_hold *h = arg;
    if (h->stream)
        http_stream_end(h->x, NULL, 0);
    else
        http_respond(h->x, 200, NULL, 0, STR("late"));
}

static void expect_drain(bool stream)
{
    struct test_hold h;
    test_hold_init(&h);
    h.stream = stream;
    struct test_server *t = test_server_start(NULL, test_holding, &h);
    struct drain d = {.server = t->server};
    sem_init(&d.done, 0, 0);
    int idle = test_connect(t->port), busy = test_connect(t->port);
    test_send(busy, KEEP);
    test_wait(&h.asked);
    test_wait_connections(t, 2);
    test_on_loop(t, begin_drain, &d);
    char *nothing = test_read_all(idle); /* closed at once */
    cr_assert_str_eq(nothing, "");
    free(nothing);
    cr_assert_neq(sem_trywait(&d.done), 0, "the drain did not wait for the running exchange");
    test_on_loop(t, respond_held, &h);
    test_wait(&d.done);
    char *a = test_read_all(busy);
    if (!stream)
        cr_assert_not_null(strstr(a, "connection: close"));
    cr_assert(str_ends(str_from(a), stream ? STR("first\r\n0\r\n\r\n") : STR("late")), "%s", a);
    free(a);
    cr_assert_eq(atomic_load(&h.gone_count), 0);
    close(idle);
    close(busy);
    test_server_stop(t);
}

Test(http_server, a_drain_lets_running_answers_finish)
{
    expect_drain(false);
    expect_drain(true);
}

Test(http_server, a_drain_without_connections_is_done)
{
    struct test_server *t = test_server_start(NULL, test_echo, NULL);
    struct drain d = {.server = t->server};
    sem_init(&d.done, 0, 0);
    test_on_loop(t, begin_drain, &d);
    test_wait(&d.done);
    test_server_stop(t);
}

static void wind_down(void *arg)
{
    http_server_wind_down(((struct test_server *)arg)->server);
}

Test(http_server, winding_down_ends_connections_with_their_answers)
{
    struct test_server *t = test_server_start(NULL, test_echo, NULL);
    int fd = test_connect(t->port);
    test_send(fd, KEEP);
    free(test_read_answer(fd));
    test_on_loop(t, wind_down, t);
    cr_assert_eq(test_connections(t), 1); /* idle ones stay until the drain */
    test_send(fd, KEEP);
    char *a = test_read_all(fd);
    cr_assert_not_null(strstr(a, "connection: close"));
    free(a);
    close(fd);
    a = test_ask(t->port, KEEP); /* new ones are still welcome */
    cr_assert(str_ends(str_from(a), STR("GET /k? ")), "%s", a);
    free(a);
    test_server_stop(t);
}

/* The head of a streamed answer promised to keep the connection, then the drain began: whether the answer ends
 * before it or after it, the client may send one more request. */
static void expect_promise_kept(bool ends_first)
{
    struct test_hold h;
    test_hold_init(&h);
    h.stream = true;
    struct test_server *t = test_server_start(NULL, test_holding, &h);
    struct drain d = {.server = t->server};
    sem_init(&d.done, 0, 0);
    int fd = test_connect(t->port);
    test_send(fd, KEEP);
    free(test_read_until(fd, "first\r\n"));
    test_on_loop(t, wind_down, t);
    if (ends_first)
        test_on_loop(t, respond_held, &h);
    test_on_loop(t, begin_drain, &d);
    if (!ends_first)
        test_on_loop(t, respond_held, &h);
    free(test_read_until(fd, "0\r\n\r\n"));
    test_wait(&h.asked);
    test_send(fd, KEEP);
    test_wait(&h.asked);
    test_on_loop(t, respond_held, &h);
    char *a = test_read_all(fd);
    cr_assert_not_null(strstr(a, "connection: close"), "%s", a);
    free(a);
    test_wait(&d.done);
    cr_assert_eq(atomic_load(&h.gone_count), 0);
    close(fd);
    test_server_stop(t);
}

Test(http_server, a_drain_keeps_the_promise_of_an_answer_that_had_begun)
{
    expect_promise_kept(false);
    expect_promise_kept(true);
}

/* Connected and sent while the loop was busy: all of them are in the queue when the drain begins. */
static void connect_and_drain(void *arg)
{
    struct drain *d = arg;
    for (int i = 0; i < QUEUED; i++) {
        d->fds[i] = test_connect(d->port);
        test_send(d->fds[i], KEEP);
    }
    http_server_drain(d->server, drained, d);
    http_server_drain(d->server, drained, d); /* twice is once */
}

Test(http_server, a_drain_takes_what_waits_in_the_queue)
{
    NOT_OVER_BRIDGES("a second is little for forty handshakes and bridges");
    struct test_server *t = test_server_start(NULL, test_echo, NULL);
    struct drain d = {.server = t->server, .port = t->port};
    sem_init(&d.done, 0, 0);
    test_on_loop(t, connect_and_drain, &d);
    for (int i = 0; i < QUEUED; i++) {
        char *a = test_read_all(d.fds[i]);
        cr_assert(str_ends(str_from(a), STR("GET /k? ")), "%s", a);
        free(a);
        close(d.fds[i]);
    }
    test_wait(&d.done);
    test_server_stop(t);
}

/* Connected and sent while the loop was busy; then the door and the socket close in one go. */
static void connect_and_close(void *arg)
{
    struct drain *d = arg;
    for (int i = 0; i < QUEUED; i++) {
        d->fds[i] = test_connect(d->port);
        test_send(d->fds[i], KEEP);
    }
    http_server_stop_accepting(d->server);
    http_server_stop_accepting(d->server); /* twice is once */
    close(d->listen_fd);
}

Test(http_server, stops_accepting_without_losing_who_waits)
{
    struct test_server *t = test_server_start(NULL, test_echo, NULL);
    struct drain d = {.server = t->server, .port = t->port, .listen_fd = t->listen_fd};
    sem_init(&d.done, 0, 0);
    test_on_loop(t, connect_and_close, &d);
    t->listen_fd = -1;
    test_wait_connections(t, QUEUED);
    for (int round = 0; round < 2; round++) { /* and their connections are kept */
        for (int i = 0; i < QUEUED; i++) {
            char *a = test_read_answer(d.fds[i]);
            cr_assert(str_ends(str_from(a), STR("GET /k? ")), "%s", a);
            cr_assert_null(strstr(a, "connection: close"));
            free(a);
            if (round == 0)
                test_send(d.fds[i], KEEP);
        }
    }
    int late = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)t->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    cr_assert_eq(connect(late, (struct sockaddr *)&address, sizeof address), -1);
    cr_assert_eq(errno, ECONNREFUSED);
    test_on_loop(t, begin_drain, &d); /* a drain has nothing left to close but connections */
    test_wait(&d.done);
    for (int i = 0; i < QUEUED; i++)
        close(d.fds[i]);
    close(late);
    test_server_stop(t);
}

static void drained_and_free(void *arg)
{
    struct test_server *t = arg;
    http_server_free(t->server);
    t->server = NULL;
    loop_stop(t->loop);
}

static void begin_drain_and_free(void *arg)
{
    struct test_server *t = arg;
    http_server_drain(t->server, drained_and_free, t);
}

Test(http_server, may_be_freed_when_drained)
{
    struct test_server *t = test_server_start(NULL, test_echo, NULL);
    int fd = test_connect(t->port);
    test_wait_connections(t, 1);
    cr_assert_eq(loop_post(t->loop, begin_drain_and_free, t), OK);
    char *nothing = test_read_all(fd);
    cr_assert_str_eq(nothing, "");
    free(nothing);
    close(fd);
    test_server_stop(t);
}

/* A request that is half here when the drain begins is still served. */
Test(http_server, a_drain_serves_what_has_begun)
{
    struct test_server *t = test_server_start(NULL, test_echo, NULL);
    struct drain d = {.server = t->server};
    sem_init(&d.done, 0, 0);
    int fd = test_connect(t->port);
    test_send(fd,
              "POST /b HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    free(test_read_until(fd, "\r\n\r\n"));
    test_on_loop(t, begin_drain, &d);
    test_send(fd, "ok");
    char *a = test_read_all(fd);
    cr_assert_not_null(strstr(a, "connection: close"));
    cr_assert(str_ends(str_from(a), STR("POST /b? ok")), "%s", a);
    free(a);
    test_wait(&d.done);
    close(fd);
    test_server_stop(t);
}

Test(http_server, freeing_tells_the_handlers)
{
    struct test_hold h;
    test_hold_init(&h);
    struct test_server *t = test_server_start(NULL, test_holding, &h);
    int fd = test_connect(t->port);
    test_send(fd, KEEP);
    test_wait(&h.asked);
    test_server_stop(t);
    cr_assert_eq(atomic_load(&h.gone_count), 1);
    close(fd);
}

Test(http_server, a_thousand_connections)
{
    NOT_OVER_BRIDGES("each has a thread");
    enum { COUNT = 1000 };
    struct rlimit limit = {4096, 4096};
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        cr_skip("no 4,096 file descriptors here");
    struct test_server *t = test_server_start(NULL, test_echo, NULL);
    static int fds[COUNT];
    for (int i = 0; i < COUNT; i++)
        fds[i] = test_connect(t->port);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < COUNT; i++)
            test_send(fds[i], KEEP);
        for (int i = 0; i < COUNT; i++) {
            char *a = test_read_answer(fds[i]);
            cr_assert(str_ends(str_from(a), STR("GET /k? ")));
            free(a);
        }
    }
    cr_assert_eq(test_connections(t), COUNT);
    for (int i = 0; i < COUNT; i++)
        close(fds[i]);
    test_wait_connections(t, 0);
    test_server_stop(t);
}

static void read_cpu(void *arg)
{
    *(double *)arg = clock_cpu_seconds();
}

/* Out of descriptors: clients wait in the kernel's queue, the loop must not spin, and it recovers. */
Test(http_server, running_out_of_descriptors_does_not_spin)
{
    NOT_UNDER_VALGRIND("it has a limit of its own");
    NOT_OVER_BRIDGES("they need descriptors, too");
    struct test_server *t = test_server_start(NULL, test_echo, NULL);
    int client = test_connect(t->port), spare[512], count = 0;
    test_wait_connections(t, 1);
    int waiting = socket(AF_INET, SOCK_STREAM, 0);
    struct rlimit limit, low = {.rlim_cur = 100};
    getrlimit(RLIMIT_NOFILE, &limit);
    low.rlim_max = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &low);
    while (count < 512 && (spare[count] = dup(client)) >= 0)
        count++;
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    cr_assert_eq(getpeername(client, (struct sockaddr *)&address, &length), 0);
    cr_assert_eq(connect(waiting, (struct sockaddr *)&address, length), 0);
    test_send(waiting, KEEP);
    double before, after;
    test_on_loop(t, read_cpu, &before);
    usleep(600000);
    test_on_loop(t, read_cpu, &after);
    cr_assert_lt(after - before, 0.2, "the loop spun for %.3f s", after - before);
    cr_assert_eq(test_connections(t), 1);
    for (int i = 0; i < count; i++)
        close(spare[i]);
    char *a = test_read_answer(waiting);
    cr_assert(str_ends(str_from(a), STR("GET /k? ")), "%s", a);
    free(a);
    close(waiting);
    close(client);
    test_server_stop(t);
}

static void look_up(struct http_exchange *x, void *arg)
{
    (void)arg;
    struct str found = http_header_get(x, "x-KEY"), missing = http_header_get(x, "x-none");
    bool right = str_equal(found, STR("first")) && !missing.ptr;
    http_respond(x, right ? 200 : 500, NULL, 0, STR(""));
}

Test(http_server, headers_are_found_in_any_case)
{
    struct test_server *t = test_server_start(NULL, look_up, NULL);
    char *a = test_ask(t->port, "GET / HTTP/1.0\r\nX-Key: first\r\nX-key: second\r\n\r\n");
    cr_assert(str_starts(str_from(a), STR("HTTP/1.1 200 ")), "%s", a);
    free(a);
    test_server_stop(t);
}

static void note_cleanup(void *arg)
{
    atomic_fetch_add((atomic_int *)arg, 1);
}

static void defer_cleanup(struct http_exchange *x, void *arg)
{
    bool fresh = arena_used_bytes(x->arena) == 0;
    cr_assert_eq(arena_defer(x->arena, note_cleanup, arg), OK);
    bool capped = !arena_alloc(x->arena, 1u << 20);
    http_respond(x, fresh && capped ? 200 : 500, NULL, 0, STR(""));
}

Test(http_server, each_exchange_has_a_fresh_capped_arena)
{
    atomic_int cleaned = 0;
    struct http_server_options o = {.arena_bytes_max = 1u << 19};
    struct test_server *t = test_server_start(&o, defer_cleanup, &cleaned);
    int fd = test_connect(t->port);
    for (int i = 1; i <= 5; i++) {
        test_send(fd, KEEP);
        char *a = test_read_answer(fd);
        cr_assert(str_starts(str_from(a), STR("HTTP/1.1 200 ")), "%s", a);
        cr_assert_eq(atomic_load(&cleaned), i);
        free(a);
    }
    close(fd);
    test_server_stop(t);
}

/* Two loops, one listening socket. */
Test(http_server, loops_share_a_socket)
{
    struct test_server *t = test_server_start(NULL, test_echo, NULL);
    struct test_server *u = calloc(1, sizeof *u);
    cr_assert_eq(loop_create(&u->loop, NULL), OK);
    cr_assert_eq(http_server_create(u->loop, t->listen_fd, NULL, test_echo, NULL, &u->server, NULL),
                 OK);
    for (int i = 0; i < 50; i++) {
        char *a = test_ask(t->port, "GET /k HTTP/1.0\r\n\r\n");
        cr_assert(str_ends(str_from(a), STR("GET /k? ")));
        free(a);
    }
    http_server_free(u->server);
    loop_free(u->loop);
    free(u);
    test_server_stop(t);
}
