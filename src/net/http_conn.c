/* One client connection: bytes in → requests → handler; the send buffer → bytes out.
 *
 * Everything written in a round is sent once, at the end of the round (conn_round_end). That is also where pipelined
 * requests continue and where a connection that is finished closes. The read event stays on in every state, so that a
 * client that leaves is noticed at once; while the buffer of pipelined bytes is full, only the shutdown of the peer is
 * watched. A connection belongs to its loop's thread; any call may close it, so c->state must be looked at
 * afterwards. */
#include "net/http_conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"

/* Heads and framing, beside what the arena and the high-water mark limit. */
#define SEND_BYTES_SLACK (1u << 20)

size_t conn_unsent_bytes(const struct conn *c)
{
    return c->out.len - c->out_sent;
}

static size_t pending_bytes(const struct conn *c)
{
    return c->pending.len - c->pending_taken;
}

void conn_flush_later(struct conn *c)
{
    loop_defer(c->server->loop, &c->round_end);
}

/* Watching and deadlines, which follow from the state */

static enum deadline_kind deadline_of(const struct conn *c)
{
    if (c->state == CONN_LINGER)
        return DEADLINE_LINGER;
    if (c->blocked)
        return DEADLINE_WRITE;
    if (c->state == CONN_IDLE)
        return DEADLINE_IDLE;
    if (c->state == CONN_GREETING)
        return DEADLINE_HEAD;
    if (c->state == CONN_RECEIVING)
        return http_parser_head_done(c->request->parser) ? DEADLINE_BODY : DEADLINE_HEAD;
    return DEADLINE_NONE;
}

static bool takes_bytes(const struct conn *c)
{
    return !c->read_closed && pending_bytes(c) < CONN_PENDING_BYTES_MAX;
}

static bool waits_to_write(const struct conn *c)
{
    if (!c->tls)
        return c->blocked;
    return (c->blocked && !tls_send_waits_to_recv(c->tls)) || tls_recv_waits_to_send(c->tls);
}

static void watch(struct conn *c, bool progress)
{
    if (c->state == CONN_DEAD)
        return;
    unsigned wanted = waits_to_write(c) ? LOOP_WRITE : 0;
    if (!c->read_closed)
        wanted |= takes_bytes(c) ? LOOP_READ : LOOP_GONE;
    enum deadline_kind kind = deadline_of(c);
    bool restart = progress && kind != DEADLINE_HEAD && kind != DEADLINE_LINGER;
    if (progress && kind == DEADLINE_BODY) {
        c->body_progress_ms = loop_now_ms(c->server->loop);
        restart = false;
    }
    deadline_set(c, kind, restart);
    if (loop_io_want(c->io, wanted) != OK)
        conn_gone(c);
}

/* Ends */

static void conn_close(struct conn *c)
{
    CHECK(c->state != CONN_DEAD);
    CHECK(!c->request);
    c->state = CONN_DEAD;
    deadline_set(c, DEADLINE_NONE, false);
    loop_defer_cancel(c->server->loop, &c->round_end);
    loop_io_free(c->io);
    c->io = NULL;
    tls_conn_free(c->tls);
    c->tls = NULL;
    if (c->reset) {
        struct linger now = {.l_onoff = 1, .l_linger = 0};
        (void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    close(c->fd);
    server_forget(c);
}

void conn_gone(struct conn *c)
{
    if (c->state == CONN_DEAD)
        return;
    struct request *r = c->request;
    bool handling = c->state == CONN_HANDLING;
    c->request = NULL;
    conn_close(c);
    if (handling) {
        CHECK(c->server->exchange_count > 0);
        c->server->exchange_count--;
        if (r->x.on_gone)
            r->x.on_gone(&r->x);
    }
    if (r)
        request_give_back(c->server, r);
}

/* Nothing came for a while, or all of it takes too long, or too little came in the time. */
static bool body_is_late(const struct conn *c)
{
    const struct http_server_options *o = &c->server->options;
    uint64_t now = loop_now_ms(c->server->loop), passed = now - c->body_began_ms;
    uint64_t due = http_parser_body_bytes(c->request->parser) * 1000 / o->body_rate;
    return now - c->body_progress_ms >= o->body_timeout_ms || passed >= o->body_total_ms ||
           passed >= o->body_grace_ms + due;
}

void conn_expired(struct conn *c, enum deadline_kind kind)
{
    if (kind == DEADLINE_BODY && !body_is_late(c)) {
        watch(c, false);
        return;
    }
    if ((kind == DEADLINE_HEAD || kind == DEADLINE_BODY) && c->state != CONN_GREETING) {
        response_refuse(c, 408, "The request took too long to arrive.");
        return;
    }
    if (c->tls && c->state == CONN_IDLE)
        (void)!tls_finish(c->tls); /* best effort */
    conn_gone(c);
}

/* Nothing more will be answered; all of the send buffer is out. */
static void conn_finish(struct conn *c)
{
    if (c->tls && !c->reset && tls_finish(c->tls) == AGAIN) {
        c->blocked = true; /* comes back when the socket takes the last word */
        watch(c, false);
        return;
    }
    if (!c->unread || c->read_closed) {
        conn_close(c);
        return;
    }
    (void)shutdown(c->fd, SHUT_WR);
    tls_conn_free(c->tls); /* what still arrives is thrown away, so it need not be decrypted */
    c->tls = NULL;
    c->state = CONN_LINGER;
    buf_done(&c->pending);
    c->pending_taken = 0;
    watch(c, false);
}

void conn_exchange_end(struct conn *c, bool keep_alive)
{
    CHECK(c->state == CONN_HANDLING || c->state == CONN_RECEIVING || c->state == CONN_IDLE);
    if (c->state == CONN_HANDLING)
        c->server->exchange_count--;
    bool body_unread = c->request && c->request->body_unread;
    c->skip_bytes = c->request ? c->request->skip_bytes : c->skip_bytes;
    if (c->request)
        request_give_back(c->server, c->request);
    c->request = NULL;
    c->full = false;
    bool stays = keep_alive && !c->read_closed; /* as the head promised, also while winding down */
    if (stays && c->server->winding_down)
        c->used = false;
    if (stays && c->server->draining)
        stays = server_sweep_later(c->server);
    c->state = stays ? CONN_IDLE : CONN_CLOSING;
    if (!stays && (pending_bytes(c) > 0 || body_unread || c->skip_bytes > 0))
        c->unread = true;
    conn_flush_later(c);
}

/* Bytes in */

/* A body that is not wanted: the connection stays where it is short and sure to come. */
static void expect_refusal(struct request *r, const struct http_request *q)
{
    r->body_unread = q->chunked || q->body_bytes > 0;
    bool skippable = !q->chunked && !q->expects && q->body_bytes <= CONN_SKIP_BYTES_MAX;
    r->keep_alive = q->keep_alive && (skippable || !r->body_unread);
    r->skip_bytes = skippable ? (size_t)q->body_bytes : 0;
}

/* The head is there, and whoever sent it is looked at before any of the body is kept. False: it has been answered. */
static bool admit(struct conn *c)
{
    struct http_server *s = c->server;
    struct request *r = c->request;
    const struct http_request *q = http_parser_request(r->parser);
    r->x = (struct http_exchange){.method = q->method,
                                  .path = q->path,
                                  .query = q->query,
                                  .host = q->host,
                                  .headers = q->headers,
                                  .header_count = q->header_count,
                                  .has_body = q->chunked || q->body_bytes > 0,
                                  .body = STR(""),
                                  .arena = r->arena};
    r->http_1_0 = q->http_1_0;
    r->is_head = str_equal(q->method, STR("HEAD"));
    c->used = true;
    if (s->options.door) {
        expect_refusal(r, q);
        c->state = CONN_HANDLING;
        s->exchange_count++;
        if (!s->options.door(&r->x, s->arg))
            return false;
        CHECK(c->state == CONN_HANDLING && c->request == r);
        s->exchange_count--;
        c->state = CONN_RECEIVING;
    }
    r->keep_alive = q->keep_alive;
    r->body_unread = false;
    r->skip_bytes = 0;
    c->body_began_ms = c->body_progress_ms = loop_now_ms(s->loop);
    return true;
}

static void handle(struct conn *c)
{
    struct request *r = c->request;
    r->x.body = http_parser_request(r->parser)->body;
    c->state = CONN_HANDLING;
    c->server->exchange_count++;
    c->server->handler(&r->x, c->server->arg);
}

static bool takes_requests(const struct conn *c)
{
    if (c->state == CONN_RECEIVING)
        return true;
    return c->state == CONN_IDLE && conn_unsent_bytes(c) < c->server->options.send_high_water;
}

static bool request_begin(struct conn *c)
{
    c->request = request_take(c);
    if (!c->request) {
        c->unread = true;
        response_refuse(c, 503, "The server is out of memory.");
        return false;
    }
    c->state = CONN_RECEIVING;
    return true;
}

/* One feed of the parser; returns the bytes taken. */
static size_t feed(struct conn *c, struct str bytes)
{
    size_t taken;
    const char *message;
    struct http_parser *parser = c->request->parser;
    switch (http_parser_feed(parser, bytes, &taken)) {
    case HTTP_PARSE_HEAD:
        if (admit(c)) /* also without bytes: a request without a body is done now */
            taken += feed(c, str_slice(bytes, taken, bytes.len));
        break;
    case HTTP_PARSE_DONE:
        handle(c);
        break;
    case HTTP_PARSE_MORE:
        if (http_parser_take_expect(parser)) {
            buf_add(&c->out, STR("HTTP/1.1 100 Continue\r\n\r\n"));
            conn_flush_later(c);
        }
        break;
    case HTTP_PARSE_BAD: {
        int http_status = http_parser_error(parser, &message);
        c->unread = true;
        response_refuse(c, http_status, message);
        break;
    }
    }
    return taken;
}

/* Serves as many requests as may be served now; returns the bytes taken. */
static size_t parse(struct conn *c, struct str bytes)
{
    size_t at = 0;
    while (at < bytes.len && takes_requests(c)) {
        size_t skipped = c->skip_bytes < bytes.len - at ? c->skip_bytes : bytes.len - at;
        c->skip_bytes -= skipped;
        at += skipped;
        if (at == bytes.len)
            break;
        if (!c->request && !request_begin(c))
            break;
        at += feed(c, str_slice(bytes, at, bytes.len));
    }
    return at;
}

static void pending_add(struct conn *c, struct str bytes)
{
    if (bytes.len == 0 || c->state >= CONN_CLOSING)
        return;
    if (c->pending_taken > 0) {
        c->pending.len -= c->pending_taken;
        memmove(c->pending.ptr, c->pending.ptr + c->pending_taken, c->pending.len);
        c->pending_taken = 0;
    }
    buf_add(&c->pending, bytes);
    if (c->pending.status != OK)
        conn_gone(c);
}

static void pending_parse(struct conn *c)
{
    if (pending_bytes(c) == 0 || !takes_requests(c))
        return;
    c->pending_taken += parse(c, str_slice(buf_str(&c->pending), c->pending_taken, c->pending.len));
    if (c->state >= CONN_CLOSING || pending_bytes(c) == 0) {
        buf_done(&c->pending);
        c->pending_taken = 0;
    }
}

/* The client sends no more. In the middle of an exchange or of a request that means it has left; what has already been
 * answered is still sent. */
static void on_end_of_input(struct conn *c)
{
    bool answered = c->state == CONN_IDLE || c->state == CONN_CLOSING;
    if (!answered || (conn_unsent_bytes(c) == 0 && !c->tls)) {
        conn_gone(c);
        return;
    }
    c->read_closed = true;
    c->state = CONN_CLOSING;
    conn_flush_later(c); /* TLS must announce the end, or what went before looks cut off */
    watch(c, false);
}

static void on_input(struct conn *c, struct str bytes)
{
    if (c->state == CONN_LINGER)
        return;
    if (c->state == CONN_CLOSING) {
        c->unread = true;
        return;
    }
    size_t taken = pending_bytes(c) == 0 ? parse(c, bytes) : 0;
    pending_add(c, str_slice(bytes, taken, bytes.len));
    watch(c, true);
}

static void on_received(struct conn *c, ssize_t n)
{
    if (n > 0)
        on_input(c, (struct str){c->server->scratch, (size_t)n});
    else if (n == 0)
        on_end_of_input(c);
    else if (errno != EAGAIN && errno != EINTR)
        conn_gone(c);
    else if (c->tls)
        watch(c, false);
}

/* The socket does not report again the bytes that TLS has already taken off it. */
static void receive_held(struct conn *c)
{
    while (c->tls && takes_bytes(c) && tls_holds_bytes(c->tls)) {
        ssize_t n = tls_recv_held(c->tls, c->server->scratch, CONN_READ_BYTES);
        bool incomplete = n < 0 && errno == EAGAIN;
        on_received(c, n);
        if (incomplete)
            return;
    }
}

static void refuse_many(struct conn *c)
{
    response_refuse(c, 503, "The server has too many connections.");
}

/* Whether requests may come now. */
static bool greet(struct conn *c)
{
    switch (tls_handshake(c->tls)) {
    case OK:
        c->state = CONN_IDLE;
        if (c->refused)
            refuse_many(c);
        watch(c, false);
        return c->state == CONN_IDLE;
    case AGAIN:
        watch(c, false);
        return false;
    case ERR_UNSUPPORTED:
        tls_conn_free(c->tls);
        c->tls = NULL;
        c->state = CONN_IDLE;
        response_refuse(c, 400, "This port speaks HTTPS and got plain HTTP: use https:// here.");
        return false;
    default:
        conn_gone(c);
        return false;
    }
}

static void receive(struct conn *c)
{
    if (c->state == CONN_GREETING && !greet(c))
        return;
    void *into = c->server->scratch;
    on_received(c, c->tls ? tls_recv(c->tls, into, CONN_READ_BYTES)
                          : recv(c->fd, into, CONN_READ_BYTES, 0));
    receive_held(c);
}

void conn_last_look(struct conn *c)
{
    if (c->state == CONN_IDLE)
        receive(c);
}

static void on_ready(void *arg, unsigned ready)
{
    struct conn *c = arg;
    bool crossed_in = false, crossed_out = false;
    if (c->tls) {
        crossed_in = tls_recv_waits_to_send(c->tls) && takes_bytes(c);
        crossed_out = tls_send_waits_to_recv(c->tls);
    }
    if (ready & LOOP_WRITE || (ready & LOOP_READ && crossed_out)) {
        c->blocked = false;
        conn_flush_later(c);
    }
    if (ready & LOOP_READ || (ready & LOOP_WRITE && crossed_in))
        receive(c);
    else if (ready & LOOP_GONE)
        on_end_of_input(c);
}

/* Bytes out */

static void out_release(struct conn *c)
{
    c->out_sent = 0;
    if (c->state == CONN_IDLE || c->out.capacity > CONN_OUT_KEPT_BYTES)
        buf_done(&c->out);
    else
        buf_clear(&c->out);
}

/* The sent front is dropped when it is the larger half, so that each byte moves at most once. */
static void out_compact(struct conn *c)
{
    size_t rest = conn_unsent_bytes(c);
    if (c->out_sent < rest)
        return;
    memmove(c->out.ptr, c->out.ptr + c->out_sent, rest);
    c->out.len = rest;
    c->out_sent = 0;
}

/* Sends what the socket takes. False: the connection is gone. */
static bool flush(struct conn *c)
{
    if (c->out.status != OK) {
        conn_gone(c);
        return false;
    }
    size_t rest = conn_unsent_bytes(c);
    if (rest == 0 || c->blocked)
        return true;
    const char *from = c->out.ptr + c->out_sent;
    ssize_t n = c->tls ? tls_send(c->tls, from, rest) : send(c->fd, from, rest, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        conn_gone(c);
        return false;
    }
    c->out_sent += n > 0 ? (size_t)n : 0;
    CHECK(c->out_sent <= c->out.len);
    c->blocked = conn_unsent_bytes(c) > 0;
    if (c->blocked)
        out_compact(c);
    else
        out_release(c);
    watch(c, n > 0);
    return c->state != CONN_DEAD;
}

static void tell_drained(struct conn *c)
{
    if (!c->full || c->state != CONN_HANDLING ||
        conn_unsent_bytes(c) > c->server->options.send_high_water / 4)
        return;
    c->full = false; /* first: on_drained writes again, and may fill the buffer again */
    if (c->request->x.on_drained)
        c->request->x.on_drained(&c->request->x);
}

static void conn_round_end(void *arg)
{
    struct conn *c = arg;
    if (!flush(c))
        return;
    tell_drained(c);
    pending_parse(c);
    receive_held(c);
    if (c->state == CONN_DEAD)
        return;
    if (c->state == CONN_CLOSING && conn_unsent_bytes(c) == 0)
        conn_finish(c);
    else
        watch(c, false);
}

/* Beginning */

static enum status conn_watch(struct conn *c)
{
    struct tls_context *tls = c->server->options.tls;
    if (tls) {
        c->state = CONN_GREETING;
        c->tls = tls_conn_create(tls, c->fd);
        if (!c->tls)
            return ERR_MEMORY;
    }
    c->io = loop_io_create(c->server->loop, c->fd, on_ready, c);
    return c->io ? loop_io_want(c->io, LOOP_READ) : ERR_MEMORY;
}

/* Everything that can fail comes first, so a connection is either on the server's list with its deadline set, or its
 * descriptor is closed and nothing is left of it. */
void conn_open(struct http_server *s, int fd, bool refuse)
{
    struct conn *c = calloc(1, sizeof *c);
    if (!c) {
        close(fd);
        return;
    }
    *c = (struct conn){.server = s, .fd = fd, .refused = refuse};
    c->round_end = (struct loop_hook){.fn = conn_round_end, .arg = c};
    buf_init(&c->out, s->options.arena_bytes_max + s->options.send_high_water + SEND_BYTES_SLACK);
    buf_init(&c->pending, CONN_PENDING_BYTES_MAX + CONN_READ_BYTES);
    if (conn_watch(c) != OK) {
        loop_io_free(c->io);
        tls_conn_free(c->tls);
        close(fd);
        free(c);
        return;
    }
    c->next = s->connections;
    if (c->next)
        c->next->previous = c;
    s->connections = c;
    s->connection_count++;
    deadline_set(c, deadline_of(c), false);
    if (refuse) {
        s->refusing_count++;
        c->unread = true;
        if (!c->tls)
            refuse_many(c);
    }
}
