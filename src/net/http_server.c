/* The server as a whole: accepting, the list of connections, spare request objects, draining.
 *
 * Runs on the loop's thread; only the two counters of connections and exchanges are read by other threads. Connections
 * that were closed in a round are freed at its end. http_server_free must not be called from inside a handler; the
 * callback of a drain is the last thing in its round and may free the server. */
#include "net/http_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/check.h"
#include "net/http_conn.h"

/* Request objects */

static void request_free(struct request *r)
{
    if (!r)
        return;
    http_parser_free(r->parser);
    arena_free(r->arena);
    free(r);
}

static struct request *request_create(struct http_server *s)
{
    struct request *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->parser = http_parser_create(
        &(struct http_parse_limits){.header_bytes_max = s->options.header_bytes_max,
                                    .body_bytes_max = s->options.body_bytes_max,
                                    .bodies = s->options.bodies});
    r->arena = arena_create(s->options.arena_bytes_max);
    if (!r->parser || !r->arena) {
        request_free(r);
        return NULL;
    }
    return r;
}

struct request *request_take(struct conn *c)
{
    struct http_server *s = c->server;
    struct request *r = s->spare;
    if (r) {
        s->spare = r->next_spare;
        s->spare_count--;
    } else {
        r = request_create(s);
    }
    if (r)
        r->conn = c;
    return r;
}

void request_give_back(struct http_server *s, struct request *r)
{
    r->conn = NULL;
    r->streaming = r->chunked = r->body_unread = false;
    r->skip_bytes = 0;
    arena_reset(r->arena);
    if (s->spare_count >= SERVER_SPARE_MAX) {
        request_free(r);
        return;
    }
    http_parser_begin(r->parser);
    r->next_spare = s->spare;
    s->spare = r;
    s->spare_count++;
}

/* Connections */

void server_forget(struct conn *c)
{
    struct http_server *s = c->server;
    if (c->next)
        c->next->previous = c->previous;
    *(c->previous ? &c->previous->next : &s->connections) = c->next;
    c->previous = NULL;
    c->next = s->dead;
    s->dead = c;
    CHECK(s->connection_count > 0);
    s->connection_count--;
    if (c->refused)
        s->refusing_count--;
    loop_defer(s->loop, &s->reap);
}

static void dead_free(struct http_server *s)
{
    while (s->dead) {
        struct conn *c = s->dead;
        s->dead = c->next;
        buf_done(&c->out);
        buf_done(&c->pending);
        free(c);
    }
}

static void on_reap(void *arg)
{
    struct http_server *s = arg;
    dead_free(s);
    if (!s->draining || s->connection_count > 0 || !s->drained)
        return;
    void (*drained)(void *) = s->drained;
    s->drained = NULL;
    drained(s->drained_arg); /* last: it may free the server */
}

/* Accepting */

static void on_accept_again(void *arg)
{
    struct http_server *s = arg;
    if (s->listener && loop_io_want(s->listener, LOOP_READ) != OK)
        loop_timer_start(s->accept_again, SERVER_ACCEPT_PAUSE_MS);
}

/* Out of descriptors or memory: the waiting client stays in the queue, and we look again a little later. */
static void accept_pause(struct http_server *s)
{
    if (loop_io_want(s->listener, 0) == OK)
        loop_timer_start(s->accept_again, SERVER_ACCEPT_PAUSE_MS);
}

/* Returns whether more may be waiting. */
static bool accept_batch(struct http_server *s)
{
    for (int i = 0; i < SERVER_ACCEPT_BATCH; i++) {
        int fd = accept4(s->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            size_t max = s->options.connections_max;
            if (s->connection_count >= max + SERVER_REFUSING_MAX)
                (void)shutdown(fd, SHUT_RDWR);
            conn_open(s, fd, s->connection_count - s->refusing_count >= max);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            accept_pause(s);
        if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
            return false;
    }
    return true;
}

static void on_acceptable(void *arg, unsigned ready)
{
    (void)ready;
    if (accept_batch(arg))
        return; /* the rest in the next round, so that others get a turn */
}

static enum status listener_create(struct http_server *s, struct error *err)
{
    int one = 1;
    /* Accepted sockets inherit it, which saves a call for each. */
    (void)setsockopt(s->listen_fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    s->accept_again = loop_timer_create(s->loop, on_accept_again, s);
    s->listener = loop_io_create(s->loop, s->listen_fd, on_acceptable, s);
    if (!s->accept_again || !s->listener)
        return error_set(err, ERR_MEMORY, "out of memory for an HTTP server");
    if (loop_io_want(s->listener, LOOP_READ) != OK)
        return error_set(err, ERR_IO, "cannot watch the listening socket");
    return OK;
}

static void listener_free(struct http_server *s)
{
    loop_io_free(s->listener);
    s->listener = NULL;
    loop_timer_free(s->accept_again);
    s->accept_again = NULL;
}

/* Life of a server */

#define DEFAULT(field, value) ((field) != 0 ? (field) : (value))

static struct http_server_options with_defaults(const struct http_server_options *given)
{
    struct http_server_options o = given ? *given : (struct http_server_options){0};
    o.header_bytes_max = DEFAULT(o.header_bytes_max, 32u << 10);
    o.body_bytes_max = DEFAULT(o.body_bytes_max, 10u << 20);
    o.connections_max = DEFAULT(o.connections_max, 16384);
    o.send_high_water = DEFAULT(o.send_high_water, 256u << 10);
    o.arena_bytes_max = DEFAULT(o.arena_bytes_max, 4 * o.body_bytes_max + (1u << 20));
    o.header_timeout_ms = DEFAULT(o.header_timeout_ms, 10000);
    o.body_timeout_ms = DEFAULT(o.body_timeout_ms, 30000);
    o.body_total_ms = DEFAULT(o.body_total_ms, 120000);
    o.body_grace_ms = DEFAULT(o.body_grace_ms, CONN_BODY_GRACE_MS);
    o.body_rate = DEFAULT(o.body_rate, 1024);
    o.idle_timeout_ms = DEFAULT(o.idle_timeout_ms, 120000);
    o.write_timeout_ms = DEFAULT(o.write_timeout_ms, 120000);
    return o;
}

enum status http_server_create(struct loop *l, int listen_fd,
                               const struct http_server_options *options, http_handler *handler,
                               void *arg, struct http_server **ret, struct error *err)
{
    CHECK(handler);
    struct http_server *s = calloc(1, sizeof *s);
    if (!s)
        return error_set(err, ERR_MEMORY, "out of memory for an HTTP server");
    s->loop = l;
    s->listen_fd = listen_fd;
    s->options = with_defaults(options);
    s->handler = handler;
    s->arg = arg;
    s->reap = (struct loop_hook){.fn = on_reap, .arg = s};
    s->scratch = malloc(CONN_READ_BYTES);
    enum status status = ERR_MEMORY;
    if (!s->scratch || deadline_queues_create(s) != OK)
        error_set(err, ERR_MEMORY, "out of memory for an HTTP server");
    else
        status = listener_create(s, err);
    if (status != OK) {
        http_server_free(s);
        return status;
    }
    *ret = s;
    return OK;
}

void http_server_wind_down(struct http_server *s)
{
    s->winding_down = true;
}

void http_server_stop_accepting(struct http_server *s)
{
    size_t batches = 0; /* a client still in the queue gets a reset when the socket closes */
    while (s->listener && accept_batch(s) && ++batches < SERVER_DRAIN_BATCHES_MAX)
        ;
    listener_free(s);
}

/* A connection on which a request has arrived is not idle, and one just made is about to bring a request. */
static void close_idle(struct http_server *s, bool also_fresh)
{
    struct conn *c = s->connections;
    while (c) {
        struct conn *next = c->next;
        conn_last_look(c);
        if (c->state == CONN_IDLE && (c->used || also_fresh))
            conn_exchange_end(c, false); /* closes when what is queued has been sent */
        else if (c->state == CONN_GREETING && also_fresh)
            conn_gone(c);
        c = next;
    }
}

static void on_sweep(void *arg)
{
    close_idle(arg, true);
}

bool server_sweep_later(struct http_server *s)
{
    if (!s->sweep)
        s->sweep = loop_timer_create(s->loop, on_sweep, s);
    if (s->sweep)
        loop_timer_start(s->sweep, SERVER_FRESH_GRACE_MS);
    return s->sweep;
}

void http_server_drain(struct http_server *s, void (*done)(void *), void *arg)
{
    s->winding_down = s->draining = true;
    s->drained = done;
    s->drained_arg = arg;
    http_server_stop_accepting(s);
    bool later = server_sweep_later(s);
    close_idle(s, !later);
    loop_defer(s->loop, &s->reap);
}

void http_server_free(struct http_server *s)
{
    if (!s)
        return;
    listener_free(s);
    loop_timer_free(s->sweep);
    while (s->connections)
        conn_gone(s->connections);
    loop_defer_cancel(s->loop, &s->reap);
    dead_free(s);
    while (s->spare) {
        struct request *r = s->spare;
        s->spare = r->next_spare;
        request_free(r);
    }
    deadline_queues_free(s);
    free(s->scratch);
    free(s);
}

size_t http_server_connections(const struct http_server *s)
{
    return s->connection_count;
}

size_t http_server_exchanges(const struct http_server *s)
{
    return s->exchange_count;
}
