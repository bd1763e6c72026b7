/* The bridge of tls_bridge.h: one thread per connection, which polls both ends and never waits for one alone. */
#include "net/tls_bridge.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/tls_test.h"

#define BRIDGE_BYTES   16384
#define BRIDGE_LOOK_MS 250 /* for bridge_stop; all else comes as an event */

struct way { /* bytes [at, len) wait to go out */
    char bytes[BRIDGE_BYTES];
    size_t at, len;
    bool ended, told; /* nothing more comes in; the other side knows */
};

struct bridge {
    int fd, plain;
    SSL *ssl;
    struct way up, down; /* to the server; to the test */
    bool broken;
};

struct tls_context *bridge_context(void)
{
    static struct tls_context *context;
    if (context)
        return context;
    struct test_pair p;
    test_pair_make(&p);
    context = test_context(&p);
    test_pair_remove(&p);
    return context;
}

static void fill_up(struct bridge *b)
{
    struct way *w = &b->up;
    if (w->ended || w->at < w->len)
        return;
    ssize_t n = recv(b->plain, w->bytes, sizeof w->bytes, MSG_DONTWAIT);
    w->at = 0;
    w->len = n > 0 ? (size_t)n : 0;
    if (n == 0)
        w->ended = true;
    else if (n < 0 && errno != EAGAIN)
        b->broken = true;
}

static void fill_down(struct bridge *b)
{
    struct way *w = &b->down;
    size_t n = 0;
    if (w->ended || w->at < w->len)
        return;
    ERR_clear_error();
    int result = SSL_read_ex(b->ssl, w->bytes, sizeof w->bytes, &n);
    w->at = 0;
    w->len = result == 1 ? n : 0;
    if (result == 1)
        return;
    int why = SSL_get_error(b->ssl, result);
    if (why == SSL_ERROR_ZERO_RETURN)
        w->ended = true;
    else if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
        b->broken = true;
}

static void empty_up(struct bridge *b)
{
    struct way *w = &b->up;
    size_t n;
    ERR_clear_error();
    while (w->at < w->len && SSL_write_ex(b->ssl, w->bytes + w->at, w->len - w->at, &n) == 1)
        w->at += n;
    if (w->at < w->len) {
        int why = SSL_get_error(b->ssl, 0);
        if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
            w->at = w->len; /* the server takes no more; what it has said may still come */
    } else if (w->ended && !w->told) {
        w->told = true;
        SSL_shutdown(b->ssl);
        shutdown(b->fd, SHUT_WR);
    }
}

static void empty_down(struct bridge *b)
{
    struct way *w = &b->down;
    while (w->at < w->len) {
        ssize_t n = send(b->plain, w->bytes + w->at, w->len - w->at, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN)
            b->broken = true;
        if (n <= 0)
            return;
        w->at += (size_t)n;
    }
    if (w->ended && !w->told) {
        w->told = true;
        shutdown(b->plain, SHUT_WR);
    }
}

static short wanted(const struct way *in, const struct way *out)
{
    return (short)((!in->ended && in->at == in->len ? POLLIN : 0) |
                   (out->at < out->len ? POLLOUT : 0));
}

#define BRIDGES_MAX 4096

static pthread_t threads[BRIDGES_MAX];
static atomic_int bridges;
static atomic_bool stopping;

void bridge_stop(void)
{
    atomic_store(&stopping, true);
    for (int i = 0; i < atomic_load(&bridges); i++)
        pthread_join(threads[i], NULL);
    atomic_store(&bridges, 0);
    atomic_store(&stopping, false);
}

static void *bridge_run(void *arg)
{
    struct bridge *b = arg;
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, NULL);
    while (!b->broken && !(b->up.told && b->down.told) && !atomic_load(&stopping)) {
        fill_up(b);
        empty_up(b);
        fill_down(b);
        empty_down(b);
        struct pollfd fds[2] = {{b->fd, wanted(&b->down, &b->up), 0},
                                {b->plain, wanted(&b->up, &b->down), 0}};
        bool again = b->down.at == b->down.len && SSL_pending(b->ssl) > 0;
        if (!b->broken && poll(fds, 2, again ? 0 : BRIDGE_LOOK_MS) < 0)
            break;
        if ((fds[0].revents | fds[1].revents) & (POLLERR | POLLNVAL) && b->down.at == b->down.len)
            b->broken = true;
        if (fds[1].revents & POLLHUP && b->up.told) /* the test has closed */
            break;
    }
    SSL_free(b->ssl);
    ERR_clear_error();
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    if (b->broken)
        setsockopt(b->plain, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(b->fd);
    close(b->plain);
    free(b);
    return NULL;
}

/* Over TCP, so that the test's end can be reset. */
static void plain_ends(int ends[2])
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {.tv_sec = WAIT_SECONDS};
    socklen_t length = sizeof a;
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* inherited */
    cr_assert_eq(bind(listener, (struct sockaddr *)&a, sizeof a), 0);
    cr_assert_eq(getsockname(listener, (struct sockaddr *)&a, &length), 0);
    cr_assert_eq(listen(listener, 1), 0);
    ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(ends[0], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    cr_assert_eq(connect(ends[0], (struct sockaddr *)&a, sizeof a), 0);
    ends[1] = accept(listener, NULL, NULL);
    cr_assert_geq(ends[1], 0);
    close(listener);
}

int bridge_open(int fd)
{
    struct bridge *b = calloc(1, sizeof *b);
    int ends[2];
    plain_ends(ends);
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    b->ssl = SSL_new(ctx);
    SSL_CTX_free(ctx);
    b->fd = fd;
    b->plain = ends[1];
    fcntl(fd, F_SETFL, O_NONBLOCK);
    SSL_set_fd(b->ssl, fd);
    SSL_set_connect_state(b->ssl);
    int at = atomic_fetch_add(&bridges, 1);
    cr_assert_lt(at, BRIDGES_MAX);
    cr_assert_eq(pthread_create(&threads[at], NULL, bridge_run, b), 0);
    return ends[0];
}
