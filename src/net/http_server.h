/* An HTTP/1.1 server: bytes and headers, no models. One http_server per loop; several loops may share one
 * listening socket. The door is asked when a request's head is complete, and may refuse it before any of its body
 * is kept; the handler is called once the body is there, too. It answers at once or keeps the exchange and answers
 * later, from the loop's thread.
 *
 * Life of an exchange: door(x) → handler(x) → respond, or stream_begin · stream_write* · stream_end | abort. After
 * respond / stream_end / abort the handler must not touch x again. When the client leaves first, on_gone is
 * called (at any phase, also while the handler is still working) and x is dead after it returns; nobody needs
 * to (or may) answer then. Everything in x (method, path, headers, body, arena) lives as long as x.
 *
 * Limits answer by themselves with the error body made by options.error_body: 400 bad HTTP, 408 too slow,
 * 413 body, 431 headers, 503 too many connections. Pipelined requests are served one after the other. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/header.h"
#include "base/str.h"
#include "net/loop.h"

struct http_exchange {
    struct str method, path, query; /* path is percent-encoded as received, without the query */
    struct str host;                /* "name:port" as the client calls this server; may be empty */
    const struct http_header *headers;
    size_t header_count;
    bool has_body;       /* one was announced, perhaps an empty one */
    struct str body;     /* empty at the door */
    struct arena *arena; /* for the answer; capped */
    void *user;          /* the handler's own */
    /* Set by the handler if it keeps x: the client has gone; release what belongs to x->user. */
    void (*on_gone)(struct http_exchange *x);
    /* Set by a streaming handler: the send buffer fell below the low-water mark again. */
    void (*on_drained)(struct http_exchange *x);
};

struct tls_context; /* net/tls.h */
struct http_bodies; /* net/http_bodies.h */

/* True: the body may come, and the handler is next, with the same x and its user. False: it has answered x. */
typedef bool http_door(struct http_exchange *x, void *arg);

#define HTTP_ANSWER_HEADERS_MAX 6

struct http_server_options {
    size_t header_bytes_max;    /* default 32 KiB */
    size_t body_bytes_max;      /* default 10 MiB */
    size_t connections_max;     /* default 16,384 */
    size_t send_high_water;     /* default 256 KiB: stream_write reports "full" above it */
    size_t arena_bytes_max;     /* default 4 × body_bytes_max + 1 MiB */
    uint32_t header_timeout_ms; /* whole request head; default 10,000 */
    uint32_t body_timeout_ms;   /* between body bytes; default 30,000 */
    uint32_t body_total_ms;     /* whole body; default 120,000 */
    /* After the grace a body must have brought so many bytes a second on average; default 1,024, after 10,000 ms. */
    size_t body_rate;
    uint32_t body_grace_ms;
    uint32_t idle_timeout_ms; /* keep-alive; default 120,000 */
    /* A client that takes no bytes for this long is cut off; default 120,000. */
    uint32_t write_timeout_ms;
    /* Builds the body of an error that the server answers itself; may be NULL. `path` is as much of the request target
     * as was read, so that the body can have the form that clients of that path expect; it may be empty. */
    void (*error_body)(struct str path, int http_status, const char *message, struct buf *into);
    /* Writes headers that every answer has into [HTTP_ANSWER_HEADERS_MAX], errors of the server's own included, and
     * returns how many. The request's headers are NULL where its head was not whole. May be NULL. */
    size_t (*answer_headers)(const struct http_header *headers, size_t count,
                             struct http_header *into, void *arg);
    http_door *door;            /* NULL: everybody is let in */
    struct http_bodies *bodies; /* borrowed; what bodies hold together; NULL: no limit */
    struct tls_context *tls;    /* borrowed, shared; must outlive the server. NULL: plain HTTP */
};

typedef void http_handler(struct http_exchange *x, void *arg);

struct http_server;

/* Opens a listening socket: "127.0.0.1:8080", "[::1]:0", ":8080" (loopback). Port 0 picks a free one; the
 * address really bound goes to bound (at least 64 bytes). */
NODISCARD enum status http_listen(const char *address, int *ret_fd, char *bound, struct error *err);

/* Whether the address could be had now: nobody can connect meanwhile. As http_listen; sys_errno EADDRINUSE: it is
 * taken, and where it is known the message says by whom. */
NODISCARD enum status http_listen_try(const char *address, struct error *err);

/* From now on new attempts to connect are ignored (and refused once the socket is closed), while connections already in
 * the queue can still be accepted. So closing the socket resets nobody. Best effort. */
void http_listen_deafen(int fd);

/* The server does not own `listen_fd` (several loops share it). Zero option fields mean the defaults. */
NODISCARD enum status http_server_create(struct loop *l, int listen_fd,
                                         const struct http_server_options *options,
                                         http_handler *handler, void *arg, struct http_server **ret,
                                         struct error *err);
/* Still accepts and answers, but every answer from now on ends its connection, so that clients which keep connections
 * move elsewhere by themselves. Meant for the time between "not ready" and http_server_drain. */
void http_server_wind_down(struct http_server *s);
/* Accepts the connections that are in the queue now, and none after that. When the socket is closed right afterwards
 * (by the last loop that shares it), the next client sees a refusal, not a reset. http_server_drain does this, too. */
void http_server_stop_accepting(struct http_server *s);
/* Takes what has arrived until now, stops accepting, closes idle connections (one that has just been made has a
 * second for its first request), lets running exchanges finish, then calls done(arg) on the loop. */
void http_server_drain(struct http_server *s, void (*done)(void *), void *arg);
void http_server_free(struct http_server *s); /* cuts what still runs (on_gone is called) */
size_t http_server_connections(const struct http_server *s);
size_t http_server_exchanges(const struct http_server *s); /* being answered now */

/* First value of a header, case-insensitive; ptr NULL when absent. */
struct str http_header_get(const struct http_exchange *x, const char *name);

/* Whole answer; content-length, date and connection are added. */
void http_respond(struct http_exchange *x, int http_status, const struct http_header *headers,
                  size_t header_count, struct str body);
/* Head of a chunked answer, sent at once with the first write (or on flush of the loop round). */
void http_stream_begin(struct http_exchange *x, int http_status, const struct http_header *headers,
                       size_t header_count);
/* Queues bytes (copied). Returns false when the send buffer is above the high-water mark: stop producing
 * until on_drained. */
bool http_stream_write(struct http_exchange *x, struct str bytes);
/* What was written and the client's machine has not taken yet, here and in the kernel, headers and TLS included. */
size_t http_stream_unsent(struct http_exchange *x);
void http_stream_end(struct http_exchange *x, const struct http_header *trailers,
                     size_t trailer_count);
/* Cuts the connection without a proper end, so that the client sees a broken answer. */
void http_abort(struct http_exchange *x);
const char *http_reason(int http_status);
