/* Outgoing calls straight over sockets: HTTP/1.1, no TLS, to a literal address, on connections that are kept. A gateway
 * in front of local model servers does this all day, and it costs a third of what the same call costs by curl.
 *
 * Everything runs on the loop's thread. A connection belongs either to its host's idle list or to one call. A call
 * whose kept connection turns out to be closed before a byte of the answer came is sent once more, on a new connection.
 * Callers' callbacks run from here, so any call may be gone after one. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/check.h"
#include "net/http_client_int.h"
#include "net/http_reply.h"

#define PLAIN_READ_BYTES  (64u << 10)
#define PLAIN_IDLE_MAX    512 /* connections kept for one host */
#define PLAIN_HOSTS_MAX   1024
#define PLAIN_HEAD_KEPT   (16u << 10)
#define KEEPALIVE_SECONDS 60
#define AUTHORITY_BYTES   80

struct plain_host {
    struct sockaddr_storage address;
    socklen_t address_len;
    char authority[AUTHORITY_BYTES]; /* as in the URL */
    size_t open_count, idle_count;
    struct plain_conn *idle;
    struct http_call *waiting, **waiting_last; /* for a connection */
    struct plain_host *next;
};

struct plain_conn {
    struct http_client *client;
    struct plain_host *host;
    struct http_call *call; /* NULL: idle */
    struct http_reply_parser *parser;
    struct loop_io *io;
    int fd;
    bool connected, reused, got_bytes, complete, more_than_answer;
    struct buf head;                    /* of the request */
    size_t sent;                        /* of head and body together */
    struct buf held;                    /* body bytes that came behind a pause */
    struct plain_conn *next, *previous; /* idle ones */
};

struct plain_side {
    struct http_client *client;
    struct plain_host *hosts;
    size_t host_count, host_connections_max;
    char *scratch; /* PLAIN_READ_BYTES */
};

/* URLs */

struct target {
    struct str authority, path;
};

static bool split_url(const char *url, struct target *ret)
{
    struct str s = str_from(url);
    if (!str_starts(s, STR("http://")) || memchr(s.ptr, '#', s.len))
        return false;
    s = str_slice(s, 7, s.len);
    size_t slash = str_find(s, STR("/"), 0), query = str_find(s, STR("?"), 0);
    size_t end = slash < query ? slash : query;
    if (end == SIZE_MAX || query < slash) /* "http://host?x" is curl's */
        return false;
    for (size_t i = end; i < s.len; i++)
        if (s.ptr[i] <= ' ' || s.ptr[i] >= 0x7f) /* what must be escaped first is curl's, too */
            return false;
    *ret = (struct target){str_slice(s, 0, end), str_slice(s, end, s.len)};
    return ret->authority.len > 0 && ret->authority.len < AUTHORITY_BYTES;
}

/* "1.2.3.4:80", "[::1]:80"; the port may be missing. In one piece, since each end (of the host, of the brackets, of the
 * port) is found from the one before it; whatever is not such an address is left to curl. */
static bool parse_address(struct str authority, struct sockaddr_storage *ret, socklen_t *ret_len)
{
    char host[AUTHORITY_BYTES];
    uint64_t port = 80;
    bool six = authority.ptr[0] == '[';
    size_t close = six ? str_find(authority, STR("]"), 0) : 0;
    if (close == SIZE_MAX)
        return false;
    size_t colon = str_find(authority, STR(":"), close), end = colon;
    if (colon != SIZE_MAX &&
        (str_to_uint64(str_slice(authority, colon + 1, authority.len), &port) != OK || port == 0 ||
         port > 65535))
        return false;
    if (end == SIZE_MAX)
        end = authority.len;
    struct str name = six ? str_slice(authority, 1, close) : str_slice(authority, 0, end);
    if (six && close + 1 != end)
        return false;
    memcpy(host, name.ptr, name.len);
    host[name.len] = '\0';
    memset(ret, 0, sizeof(*ret));
    if (six) {
        struct sockaddr_in6 *a = (struct sockaddr_in6 *)ret;
        *a = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
        *ret_len = sizeof(*a);
        return inet_pton(AF_INET6, host, &a->sin6_addr) == 1;
    }
    struct sockaddr_in *a = (struct sockaddr_in *)ret;
    *a = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    *ret_len = sizeof(*a);
    return inet_pton(AF_INET, host, &a->sin_addr) == 1;
}

bool plain_can(const struct http_call_options *o)
{
    struct target t;
    struct sockaddr_storage address;
    socklen_t len;
    return split_url(o->url, &t) && parse_address(t.authority, &address, &len);
}

static struct plain_host *host_find(struct plain_side *s, struct str authority)
{
    for (struct plain_host *h = s->hosts; h; h = h->next)
        if (str_equal(str_from(h->authority), authority))
            return h;
    return NULL;
}

static struct plain_host *host_get(struct plain_side *s, struct str authority)
{
    struct plain_host *h = host_find(s, authority);
    if (h || s->host_count == PLAIN_HOSTS_MAX)
        return h;
    h = calloc(1, sizeof(*h));
    if (!h)
        return NULL;
    CHECK(parse_address(authority, &h->address, &h->address_len));
    memcpy(h->authority, authority.ptr, authority.len);
    h->waiting_last = &h->waiting;
    h->next = s->hosts;
    s->hosts = h;
    s->host_count++;
    return h;
}

/* Connections */

static void idle_unlink(struct plain_conn *n)
{
    if (n->next)
        n->next->previous = n->previous;
    *(n->previous ? &n->previous->next : &n->host->idle) = n->next;
    n->next = n->previous = NULL;
    n->host->idle_count--;
}

static void conn_close(struct plain_conn *n)
{
    CHECK(!n->call);
    CHECK(n->host->open_count > 0);
    n->host->open_count--;
    loop_io_free(n->io);
    if (n->fd >= 0)
        close(n->fd);
    http_reply_parser_free(n->parser);
    buf_done(&n->head);
    buf_done(&n->held);
    free(n);
}

static void conn_idle(struct plain_conn *n)
{
    struct plain_host *h = n->host;
    if (n->head.capacity > PLAIN_HEAD_KEPT)
        buf_done(&n->head);
    buf_done(&n->held);
    n->previous = NULL;
    n->next = h->idle;
    if (h->idle)
        h->idle->previous = n;
    h->idle = n;
    h->idle_count++;
}

static void on_ready(void *arg, unsigned ready);

static bool socket_prepare(int fd)
{
    int one = 1, seconds = KEEPALIVE_SECONDS;
    return setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0 &&
           setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one)) == 0 &&
           setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof(seconds)) == 0;
}

static struct plain_conn *conn_create(struct http_client *client, struct plain_host *h)
{
    struct plain_conn *n = calloc(1, sizeof(*n));
    if (!n)
        return NULL;
    n->client = client;
    n->host = h;
    h->open_count++;
    buf_init(&n->head, CALL_TEXT_BYTES_MAX);
    buf_init(&n->held, PLAIN_READ_BYTES);
    n->parser = http_reply_parser_create(CALL_RESPONSE_HEAD_BYTES);
    n->fd = socket(h->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (n->fd >= 0 && socket_prepare(n->fd))
        n->io = loop_io_create(client->loop, n->fd, on_ready, n);
    if (n->parser && n->io)
        return n;
    conn_close(n);
    return NULL;
}

/* Ends of a call. Its connection is let go first, so that on_done may start the next. */

static void fail(struct plain_conn *n, enum status status, const char *what, int sys_errno)
{
    struct http_call *c = n->call;
    struct error err;
    if (sys_errno)
        error_set_errno(&err, status, sys_errno, "%s", what);
    else
        error_set(&err, status, "%s", what);
    call_finish(c, status, &err);
}

static void fail_connect(struct plain_conn *n, int sys_errno)
{
    char what[AUTHORITY_BYTES + 32];
    snprintf(what, sizeof(what), "cannot connect to %s", n->host->authority);
    fail(n, ERR_UPSTREAM, what, sys_errno);
}

static void conn_begin(struct plain_conn *n, struct http_call *c);

/* The server had closed the kept connection while it was idle, so it never saw the request: send it again. */
static bool go_again(struct plain_conn *n)
{
    struct http_call *c = n->call;
    struct plain_host *h = n->host;
    if (!n->reused || n->got_bytes)
        return false;
    struct plain_conn *fresh = conn_create(n->client, h);
    if (!fresh)
        return false;
    buf_add(&fresh->head, buf_str(&n->head));
    n->call = NULL;
    c->plain = NULL;
    conn_close(n);
    conn_begin(fresh, c);
    return true;
}

static void fail_cut(struct plain_conn *n, int sys_errno)
{
    if (go_again(n))
        return;
    fail(n, ERR_UPSTREAM,
         n->call->head_done ? "the connection was cut amid the answer"
                            : "the connection was closed without an answer",
         sys_errno);
}

static void complete(struct plain_conn *n)
{
    const struct error none = {0};
    call_finish(n->call, OK, &none);
}

/* Callbacks of the parser */

static bool on_head(void *arg, int http_status)
{
    struct plain_conn *n = arg;
    struct http_call *c = n->call;
    buf_clear(&c->head);
    buf_add(&c->head, http_reply_head(n->parser));
    c->head_done = true;
    if (c->o.on_head)
        c->o.on_head(c, http_status);
    return !c->cancelled;
}

static bool pass_body(struct http_call *c, struct str bytes)
{
    if (!c->o.progress_is_told)
        http_call_progress(c);
    if (c->o.on_body)
        c->o.on_body(c, bytes);
    return !c->cancelled;
}

static bool on_body(void *arg, struct str bytes)
{
    struct plain_conn *n = arg;
    if (!n->call->paused)
        return pass_body(n->call, bytes);
    buf_add(&n->held, bytes);
    return n->held.status == OK;
}

/* Reading and writing */

static void want(struct plain_conn *n)
{
    const struct http_call *c = n->call;
    bool unsent = c && (!n->connected || n->sent < n->head.len + c->o.body.len);
    bool deaf = c && (c->paused || n->complete);
    unsigned ready = (unsent ? LOOP_WRITE : 0u) | (deaf ? LOOP_GONE : LOOP_READ);
    if (!n->connected)
        ready = LOOP_WRITE;
    if (loop_io_want(n->io, ready) != OK && c)
        fail(n, ERR_MEMORY, "out of memory for an outgoing call", 0);
}

/* Sends head and body as far as the socket takes them. False: the call is over, and perhaps the connection. One loop
 * over what is left, because a send may stop anywhere in the head or in the body. */
static bool conn_send(struct plain_conn *n)
{
    const struct http_call *c = n->call;
    size_t head_len = n->head.len, all = head_len + c->o.body.len;
    while (n->sent < all) {
        struct str head = str_slice(buf_str(&n->head), n->sent, head_len);
        struct str body =
            str_slice(c->o.body, n->sent > head_len ? n->sent - head_len : 0, c->o.body.len);
        struct iovec parts[2] = {{(void *)head.ptr, head.len}, {(void *)body.ptr, body.len}};
        const struct msghdr message = {.msg_iov = parts + (head.len == 0),
                                       .msg_iovlen = head.len ? 2 : 1};
        ssize_t sent = sendmsg(n->fd, &message, MSG_NOSIGNAL);
        if (sent >= 0) {
            n->sent += (size_t)sent;
            continue;
        }
        if (errno == EINTR)
            continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return true;
        if (n->got_bytes || !n->reused) /* an early answer may explain it: it is read first */
            return true;
        fail_cut(n, errno);
        return false;
    }
    return true;
}

static void after_parse(struct plain_conn *n, enum http_reply result)
{
    switch (result) {
    case HTTP_REPLY_MORE:
        break;
    case HTTP_REPLY_DONE:
        n->complete = true;
        if (!n->call->paused)
            complete(n);
        break;
    case HTTP_REPLY_STOPPED: /* cancelled: the to-do list has it; or held is full, which cannot be */
        break;
    case HTTP_REPLY_LARGE:
        fail(n, ERR_UPSTREAM, "the head of the answer is over 65536 bytes", 0);
        break;
    case HTTP_REPLY_BAD:
        fail(n, ERR_UPSTREAM, "the answer is no HTTP that can be read", 0);
        break;
    }
}

static void on_eof(struct plain_conn *n, int sys_errno)
{
    struct http_client *client = n->client;
    if (n->complete) { /* paused: what is held comes on resume */
        n->more_than_answer = true;
        if (loop_io_want(n->io, 0) != OK) /* cannot fail when nothing is wanted */
            n->complete = true;
        return;
    }
    client->inside++;
    enum http_reply result = sys_errno ? HTTP_REPLY_BAD : http_reply_eof(n->parser);
    client->inside--;
    if (n->call->cancelled)
        return;
    if (result == HTTP_REPLY_DONE) {
        n->more_than_answer = true;
        after_parse(n, result);
    } else {
        fail_cut(n, sys_errno);
    }
}

static void conn_read(struct plain_conn *n)
{
    struct http_client *client = n->client;
    char *scratch = client->plain->scratch;
    ssize_t got = recv(n->fd, scratch, PLAIN_READ_BYTES, 0);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (got <= 0) {
        on_eof(n, got < 0 ? errno : 0);
        return;
    }
    bool all = true;
    n->got_bytes = true;
    client->inside++;
    enum http_reply result = http_reply_feed(n->parser, (struct str){scratch, (size_t)got}, &all);
    client->inside--;
    n->more_than_answer |= !all;
    if (n->call->cancelled)
        return;
    if (result == HTTP_REPLY_MORE)
        want(n);
    else
        after_parse(n, result);
}

static bool finish_connect(struct plain_conn *n)
{
    int failed = 0;
    socklen_t len = sizeof(failed);
    if (getsockopt(n->fd, SOL_SOCKET, SO_ERROR, &failed, &len) != 0)
        failed = errno;
    if (failed) {
        fail_connect(n, failed);
        return false;
    }
    n->connected = true;
    n->call->connecting = false;
    return true;
}

static void on_ready(void *arg, unsigned ready)
{
    struct plain_conn *n = arg;
    struct http_call *c = n->call;
    if (!c) { /* idle: the server closed it, or sends something that nobody asked for */
        idle_unlink(n);
        conn_close(n);
        return;
    }
    if (c->cancelled)
        return;
    if (!n->connected && !finish_connect(n))
        return;
    if (ready & LOOP_WRITE) {
        if (!conn_send(n))
            return;
        want(n);
    }
    if (ready & LOOP_GONE)
        on_eof(n, 0);
    else if (ready & LOOP_READ)
        conn_read(n);
}

/* Calls */

static void conn_begin(struct plain_conn *n, struct http_call *c)
{
    const struct http_reply_user user = {n, on_head, on_body};
    n->call = c;
    c->plain = n;
    n->sent = 0;
    n->got_bytes = n->complete = n->more_than_answer = false;
    buf_done(&n->held);
    http_reply_begin(n->parser, c->is_head, &user);
    c->connecting = !n->connected;
    if (!n->connected) {
        const struct sockaddr *address = (const struct sockaddr *)&n->host->address;
        if (connect(n->fd, address, n->host->address_len) != 0 && errno != EINPROGRESS) {
            fail_connect(n, errno);
            return;
        }
    } else if (!conn_send(n)) {
        return;
    }
    call_arm(c);
    want(n);
}

static void take_conn(struct http_call *c, struct plain_conn *n, bool reused)
{
    n->reused = reused;
    n->call = c; /* for fail */
    c->plain = n;
    buf_clear(&n->head);
    buf_add(&n->head, buf_str(&c->request));
    if (n->head.status == OK)
        conn_begin(n, c);
    else
        fail(n, ERR_MEMORY, "out of memory for an outgoing call", 0);
}

static void host_wait(struct plain_host *h, struct http_call *c)
{
    c->wait_next = NULL;
    *h->waiting_last = c;
    h->waiting_last = &c->wait_next;
    c->connecting = true;
    call_arm(c);
}

static bool host_unwait(struct plain_host *h, struct http_call *c)
{
    for (struct http_call **at = &h->waiting; *at; at = &(*at)->wait_next) {
        if (*at != c)
            continue;
        *at = c->wait_next;
        if (h->waiting_last == &c->wait_next)
            h->waiting_last = at;
        return true;
    }
    return false;
}

static void fail_memory(struct http_call *c)
{
    struct error err;
    error_set(&err, ERR_MEMORY, "cannot open a socket for an outgoing call");
    call_finish(c, ERR_MEMORY, &err);
}

static void go(struct plain_host *h, struct http_call *c)
{
    if (h->idle) {
        struct plain_conn *n = h->idle;
        idle_unlink(n);
        take_conn(c, n, true);
        return;
    }
    struct plain_conn *n = conn_create(c->client, h);
    if (n)
        take_conn(c, n, false);
    else
        fail_memory(c);
}

/* Writes the head at once, because the caller's headers need not outlive http_call_start. */
enum status plain_call_prepare(struct http_call *c, struct error *err)
{
    struct target t;
    enum status status = call_text_check(&c->o, err);
    if (status != OK)
        return status;
    CHECK(split_url(c->o.url, &t));
    c->host = host_get(c->client->plain, t.authority);
    if (!c->host)
        return error_set(err, ERR_MEMORY, "out of memory for an outgoing call");
    c->is_head = strcmp(c->o.method, "HEAD") == 0;
    buf_clear(&c->request);
    call_text_write(&c->o, t.authority, t.path, &c->request);
    return buf_status(&c->request, err);
}

void plain_call_add(struct http_call *c)
{
    struct plain_host *h = c->host;
    c->added = true;
    if (!h->idle && h->open_count >= c->client->plain->host_connections_max)
        host_wait(h, c);
    else
        go(h, c);
}

void plain_call_continue(struct http_call *c)
{
    struct plain_conn *n = c->plain;
    if (!n)
        return;
    if (n->held.len > 0) {
        struct buf held = n->held;
        buf_init(&n->held, PLAIN_READ_BYTES);
        c->client->inside++;
        (void)pass_body(c, buf_str(&held));
        c->client->inside--;
        buf_done(&held);
    }
    if (c->cancelled || c->paused)
        return;
    if (n->complete) {
        complete(n);
        return;
    }
    call_arm(c);
    want(n);
}

/* The connection is kept if its answer was read to the end and no bytes follow it. */
void plain_call_detach(struct http_call *c)
{
    struct plain_conn *n = c->plain;
    if (!c->is_plain || !c->added)
        return;
    struct plain_host *h = c->host;
    c->plain = NULL;
    if (!n) {
        (void)host_unwait(h, c);
        return;
    }
    c->sent |= n->sent > 0;
    bool whole = n->complete && n->held.len == 0 && n->sent == n->head.len + c->o.body.len;
    n->call = NULL;
    if (whole && !n->more_than_answer && http_reply_keep_alive(n->parser) &&
        h->idle_count < PLAIN_IDLE_MAX && loop_io_want(n->io, LOOP_READ) == OK)
        conn_idle(n);
    else
        conn_close(n);
    struct http_call *next = h->waiting;
    if (next && (h->idle || h->open_count < c->client->plain->host_connections_max)) {
        (void)host_unwait(h, next);
        next->added = false; /* it is added anew, from the to-do list */
        call_list(next);
    }
}

bool plain_call_sent(const struct http_call *c)
{
    return c->plain && c->plain->sent > 0;
}

/* Life */

enum status plain_side_create(struct http_client *client, const struct http_client_options *o,
                              struct plain_side **ret, struct error *err)
{
    struct plain_side *s = calloc(1, sizeof(*s));
    if (s)
        s->scratch = malloc(PLAIN_READ_BYTES);
    if (!s || !s->scratch) {
        plain_side_free(s);
        return error_set(err, ERR_MEMORY, "out of memory for an HTTP client");
    }
    s->client = client;
    s->host_connections_max = (size_t)o->host_connections_max;
    *ret = s;
    return OK;
}

void plain_side_free(struct plain_side *s)
{
    if (!s)
        return;
    while (s->hosts) {
        struct plain_host *h = s->hosts;
        s->hosts = h->next;
        while (h->idle) {
            struct plain_conn *n = h->idle;
            idle_unlink(n);
            conn_close(n);
        }
        CHECK(h->open_count == 0);
        free(h);
    }
    free(s->scratch);
    free(s);
}
