/* The server on its thread and the blocking sockets of net_test.h. */
#include "net/net_test.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifdef NET_TEST_TLS
#include "net/tls_bridge.h"
#endif

#define ANSWER_BYTES_MAX (64u << 20)

static void *serve(void *arg)
{
    struct test_server *t = arg;
    cr_assert_eq(loop_run(t->loop, NULL), OK);
    return NULL;
}

struct test_server *test_server_start(const struct http_server_options *options,
                                      http_handler *handler, void *arg)
{
    struct test_server *t = calloc(1, sizeof *t);
    struct error err = {0};
    char bound[64];
    cr_assert_eq(loop_create(&t->loop, &err), OK, "%s", err.text);
    cr_assert_eq(http_listen(":0", &t->listen_fd, bound, &err), OK, "%s", err.text);
    t->port = atoi(strrchr(bound, ':') + 1);
#ifdef NET_TEST_TLS
    struct http_server_options with_tls = options ? *options : (struct http_server_options){0};
    with_tls.tls = bridge_context();
    options = &with_tls;
#endif
    cr_assert_eq(http_server_create(t->loop, t->listen_fd, options, handler, arg, &t->server, &err),
                 OK);
    cr_assert_eq(pthread_create(&t->thread, NULL, serve, t), 0);
    return t;
}

void test_server_stop(struct test_server *t)
{
    loop_stop(t->loop);
    pthread_join(t->thread, NULL);
    http_server_free(t->server);
#ifdef NET_TEST_TLS
    bridge_stop();
#endif
    loop_free(t->loop);
    close(t->listen_fd);
    free(t);
}

struct on_loop {
    void (*fn)(void *);
    void *arg;
    sem_t done;
};

static void run_and_tell(void *arg)
{
    struct on_loop *o = arg;
    o->fn(o->arg);
    sem_post(&o->done);
}

void test_on_loop(struct test_server *t, void (*fn)(void *), void *arg)
{
    struct on_loop o = {.fn = fn, .arg = arg};
    sem_init(&o.done, 0, 0);
    cr_assert_eq(loop_post(t->loop, run_and_tell, &o), OK);
    test_wait(&o.done);
}

struct counts {
    struct http_server *server;
    size_t connections, exchanges;
};

static void count(void *arg)
{
    struct counts *c = arg;
    c->connections = http_server_connections(c->server);
    c->exchanges = http_server_exchanges(c->server);
}

size_t test_connections(struct test_server *t)
{
    struct counts c = {.server = t->server};
    test_on_loop(t, count, &c);
    return c.connections;
}

size_t test_exchanges(struct test_server *t)
{
    struct counts c = {.server = t->server};
    test_on_loop(t, count, &c);
    return c.exchanges;
}

void test_wait_connections(struct test_server *t, size_t wanted)
{
    for (int i = 0; i < WAIT_SECONDS * 100; i++) {
        if (test_connections(t) == wanted)
            return;
        usleep(10000);
    }
    cr_assert_fail("%zu connections instead of %zu", test_connections(t), wanted);
}

void test_wait(sem_t *s)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_SECONDS;
    while (sem_timedwait(s, &until) != 0)
        cr_assert_eq(errno, EINTR, "waited in vain");
}

int test_connect(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {.tv_sec = WAIT_SECONDS};
    cr_assert_geq(fd, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    cr_assert_eq(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
#ifdef NET_TEST_TLS
    fd = bridge_open(fd);
#endif
    return fd;
}

int test_dead_port(int *ret_fd)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&a, &length), 0);
    *ret_fd = fd;
    return ntohs(a.sin_port);
}

void test_send_bytes(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n <= 0) /* the server may have closed, which the answer will show */
            return;
        bytes += n;
        len -= (size_t)n;
    }
}

void test_send(int fd, const char *text)
{
    test_send_bytes(fd, text, strlen(text));
}

/* Reads `len` bytes at most to the end of b; false at the end. */
static bool read_some(int fd, struct buf *b, size_t len)
{
    char *at = buf_reserve(b, len);
    cr_assert_not_null(at);
    ssize_t n = recv(fd, at, len, 0);
    cr_assert(n >= 0 || errno == ECONNRESET, "nothing came for %d s: %s", WAIT_SECONDS,
              strerror(errno));
    if (n <= 0)
        return false;
    b->len += (size_t)n;
    b->ptr[b->len] = '\0';
    return true;
}

static char *text_of(struct buf *b)
{
    char *text = buf_take(b);
    return text ? text : calloc(1, 1);
}

char *test_read_until(int fd, const char *needle)
{
    struct buf b;
    buf_init(&b, ANSWER_BYTES_MAX);
    buf_add_c(&b, "");
    while (!str_ends(buf_str(&b), str_from(needle)) && read_some(fd, &b, 1))
        ;
    return text_of(&b);
}

char *test_read_all(int fd)
{
    struct buf b;
    buf_init(&b, ANSWER_BYTES_MAX);
    buf_add_c(&b, "");
    while (read_some(fd, &b, 65536))
        ;
    return text_of(&b);
}

char *test_read_answer(int fd)
{
    char *head = test_read_until(fd, "\r\n\r\n");
    struct buf b;
    buf_init(&b, ANSWER_BYTES_MAX);
    buf_add_c(&b, head);
    const char *length = strstr(head, "content-length: ");
    size_t wanted = b.len + (length ? (size_t)atol(length + 16) : 0);
    free(head);
    while (b.len < wanted && read_some(fd, &b, wanted - b.len))
        ;
    return text_of(&b);
}

char *test_ask(int port, const char *text)
{
    int fd = test_connect(port);
    test_send(fd, text);
    char *answer = test_read_all(fd);
    close(fd);
    return answer;
}

void test_echo(struct http_exchange *x, void *arg)
{
    (void)arg;
    char *text = arena_printf(x->arena, "%.*s %.*s?%.*s %.*s", STR_FMT(x->method), STR_FMT(x->path),
                              STR_FMT(x->query), STR_FMT(x->body));
    http_respond(x, 200, NULL, 0, str_from(text));
}

void test_hold_init(struct test_hold *h)
{
    memset(h, 0, sizeof *h);
    sem_init(&h->asked, 0, 0);
    sem_init(&h->gone, 0, 0);
}

static void hold_gone(struct http_exchange *x)
{
    struct test_hold *h = x->user;
    atomic_fetch_add(&h->gone_count, 1);
    sem_post(&h->gone);
}

void test_holding(struct http_exchange *x, void *arg)
{
    struct test_hold *h = arg;
    x->user = h;
    x->on_gone = hold_gone;
    h->x = x;
    if (h->stream) {
        http_stream_begin(x, 200, NULL, 0);
        http_stream_write(x, STR("first"));
    }
    atomic_fetch_add(&h->asked_count, 1);
    sem_post(&h->asked);
}
