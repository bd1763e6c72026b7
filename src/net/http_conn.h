/* Private to the HTTP server: one connection, the server it belongs to, and the deadlines. Only http_*.c of net/
 * include this.
 *
 * A connection is owned by its server's list. conn_close unlinks it and puts it on the dead list; its memory goes
 * when the loop's round is over, so any code may still look at c->state after calling anything. */
#pragma once

#include <stdatomic.h>
#include <stddef.h>

#include "net/http_parse.h"
#include "net/http_server.h"
#include "net/loop_int.h"
#include "net/tls.h"

#define CONN_READ_BYTES        (64u << 10) /* one read; the buffer is shared by a server's connections */
#define CONN_PENDING_BYTES_MAX (64u << 10) /* pipelined bytes kept while an answer is made */
#define CONN_LINGER_MS         5000u /* a refused client may finish sending and read the answer */
#define CONN_OUT_KEPT_BYTES    (16u << 10) /* an empty send buffer above this is given back */
#define CONN_SKIP_BYTES_MAX                                                                        \
    (64u << 10) /* a refused body up to this is read over, and the connection stays */
#define CONN_BODY_GRACE_MS       10000u /* before a body's average rate counts */
#define SERVER_SPARE_MAX         256    /* request objects kept for reuse */
#define SERVER_ACCEPT_BATCH      16     /* accepted per event; several loops may share the socket */
#define SERVER_DRAIN_BATCHES_MAX 256    /* such batches when accepting ends */
#define SERVER_FRESH_GRACE_MS    1000u /* when draining: for the first request of a new connection */
#define SERVER_ACCEPT_PAUSE_MS   100u  /* out of file descriptors: look again after this */
#define SERVER_REFUSING_MAX      256   /* clients being told 503 at once; more are just closed */

enum conn_state {
    CONN_IDLE,      /* between requests: no request object, no buffers */
    CONN_GREETING,  /* TLS: the handshake; no request object */
    CONN_RECEIVING, /* some bytes of a request are here */
    CONN_HANDLING,  /* the handler owns the exchange */
    CONN_CLOSING,   /* nothing follows what is in the send buffer */
    CONN_LINGER,    /* answer sent and shut down; reading the rest so that no reset destroys it */
    CONN_DEAD,
};

enum deadline_kind {
    DEADLINE_NONE,
    DEADLINE_IDLE,
    DEADLINE_HEAD,
    DEADLINE_BODY,
    DEADLINE_WRITE,
    DEADLINE_LINGER,
    DEADLINE_COUNT
};

struct conn;

/* All deadlines of one kind have the same length, so a queue in order of arming is in order of expiry, and
 * one timer serves all connections. DEADLINE_BODY is a look at how the body comes on, and then the next one. */
struct deadline_queue {
    struct http_server *server;
    enum deadline_kind kind;
    struct loop_timer *timer;
    uint32_t timeout_ms;
    bool armed;
    struct conn *first, *last;
};

/* What one exchange needs; reused, so that a small request allocates nothing. */
struct request {
    struct http_exchange x; /* first: an exchange is turned back into its request by a cast */
    struct conn *conn;
    struct http_parser *parser;
    struct arena *arena;
    struct request *next_spare;
    bool keep_alive, http_1_0, is_head; /* of the request */
    bool streaming, chunked;            /* of the answer */
    /* Answered before its body came: whether there is one, and how much of it to read over if the connection stays. */
    bool body_unread;
    size_t skip_bytes;
};

struct conn {
    struct http_server *server;
    struct loop_io *io;
    struct tls_conn *tls; /* NULL: plain */
    int fd;
    enum conn_state state;
    bool full;        /* the handler was told so and waits for on_drained */
    bool blocked;     /* the socket takes no more for now */
    bool read_closed; /* the client sends no more, but what is queued is still sent */
    bool reset;       /* close with a reset: the client must see the answer as broken */
    bool unread;      /* the client was cut off in the middle of what it sends */
    bool used;        /* has brought a request; while winding down: owed no further one */
    bool refused;     /* counted in server->refusing */
    struct request *request;
    struct buf out; /* bytes [out_sent, len) wait to be sent */
    size_t out_sent;
    struct buf pending; /* bytes [pending_taken, len) belong to the next requests */
    size_t pending_taken;
    size_t skip_bytes;                        /* of a refused body, before the next request */
    uint64_t body_began_ms, body_progress_ms; /* of the body that is being received */
    struct loop_hook round_end;
    enum deadline_kind deadline;
    uint64_t due_ms;
    struct conn *due_next, *due_previous;
    struct conn *next, *previous;
};

struct http_server {
    struct loop *loop;
    struct http_server_options options;
    http_handler *handler;
    void *arg;
    struct loop_io *listener;
    int listen_fd;
    struct loop_timer *accept_again;
    struct loop_timer *sweep; /* of a drain: closes fresh connections that stayed silent */
    bool winding_down;        /* answers end their connections */
    bool draining;
    void (*drained)(void *);
    void *drained_arg;
    struct loop_hook reap; /* frees the dead; reports the end of a drain */
    struct conn *connections, *dead;
    /* Others read these two: written by this loop, looked at by any thread. */
    atomic_size_t connection_count, exchange_count;
    size_t refusing_count;
    struct request *spare;
    size_t spare_count;
    struct deadline_queue deadlines[DEADLINE_COUNT];
    int64_t date_second;
    char date[40]; /* "Tue, 15 Nov 1994 08:12:31 GMT" */
    char *scratch; /* CONN_READ_BYTES */
};

/* http_conn.c */
void conn_open(struct http_server *s, int fd,
               bool refuse);    /* takes the descriptor, also on failure */
void conn_gone(struct conn *c); /* closes; tells the handler if it has an exchange */
/* Reads what has arrived on an idle connection, which may begin a request. */
void conn_last_look(struct conn *c);
void conn_expired(struct conn *c, enum deadline_kind kind);
/* The answer is in the send buffer: gives the exchange back, keeps or closes the connection. */
void conn_exchange_end(struct conn *c, bool keep_alive);
void conn_flush_later(struct conn *c);
size_t conn_unsent_bytes(const struct conn *c);

/* http_response.c */
/* An error that the server answers itself; the connection closes after it. */
void response_refuse(struct conn *c, int http_status, const char *message);

/* http_deadline.c */
NODISCARD enum status deadline_queues_create(struct http_server *s);
void deadline_queues_free(struct http_server *s);
/* Same kind again: runs on unless `restart`. */
void deadline_set(struct conn *c, enum deadline_kind kind, bool restart);

/* http_server.c */
struct request *request_take(struct conn *c); /* NULL: no memory */
void request_give_back(struct http_server *s, struct request *r);
/* Draining: idle connections are closed a little later. False: they must be closed now. */
bool server_sweep_later(struct http_server *s);
void server_forget(struct conn *c); /* from the list of the living to the dead */
