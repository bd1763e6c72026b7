/* What the handlers of a request stand on, serve's own and those from above. A worker belongs to the thread that runs
 * its loop. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "ask/asking.h"
#include "base/rng.h"
#include "expert/transport_http.h"
#include "infer/transport_gguf.h"
#include "net/http_bodies.h"
#include "net/loop.h"
#include "serve/gateway.h"
#include "serve/path.h"
#include "serve/snapshot.h"
#include "session/affinity.h"
#include "session/session.h"
#include "watch/watch.h"

struct estimator;

struct worker {
    struct gateway *gateway;
    struct snapshot *snapshot;       /* held; what new requests begin with */
    _Atomic(struct snapshot *) next; /* held; laid here by serve/reload.c for the loop to take up */
    struct loop *loop;
    struct http_server *server;
    struct http_client *client;
    struct transport_http transport; /* by the client */
    struct transport_gguf *in_process;
    struct wake_queue wakes;
    struct asking_context asking; /* how experts are asked on this thread */
    struct watch watch; /* metrics and traces are the worker's, the ledger the gateway's */
    struct estimator *estimator;
    struct rng rng; /* request ids and backoff */
    pthread_t thread;
    bool has_thread;
};

enum gateway_drain {
    DRAIN_DELAY,     /* not ready, still accepting */
    DRAIN_DEAF,      /* nobody new; those who were connecting get in */
    DRAIN_FINISHING, /* the socket is closed, answers end */
};

struct gateway {
    struct snapshot *snapshot;       /* held; the newest */
    struct gates *gates;             /* of all experts that a snapshot names */
    struct affinity *affinity;       /* what experts hold in their prompt caches */
    struct sessions *sessions;       /* whose turn it is */
    struct keys *keys;               /* of clients */
    struct sign_ins *sign_ins;       /* browsers that keys stand behind */
    struct budget_file *budget_file; /* of the budgets' state; may be NULL */
    struct ledger *ledger;           /* NULL: none */
    struct ledger_watch *ledger_watch;
    struct keeping *keeping; /* of prompts; NULL: none are kept */
    struct lookup *lookup;   /* there when the ledger is */
    struct reload *reload;   /* NULL: configuration and model stay as they are */
    struct cache *cache;     /* of answers; NULL: none */
    struct secure *secure;   /* TLS of the listener; NULL: plain HTTP */
    struct worker *workers;
    size_t worker_count;
    struct gateway_above above; /* nothing where nobody came */
    struct http_bodies bodies;  /* of all workers' requests */
    int listen_fd;
    char address[64];
    atomic_bool draining;
    atomic_bool stopped_hard;   /* second signal */
    atomic_bool cut;            /* drain.timeout passed */
    atomic_size_t workers_busy; /* not drained yet */
    atomic_size_t workers_accepting;
    struct loop_timer *timer; /* of worker 0: the steps of a drain */
    struct loop_timer *alive; /* of worker 0, for a watchdog; NULL: there is none */
    enum gateway_drain drain;
};

/* As its record has it (watch/record.h). */
void worker_request_id(struct worker *w, char into[RECORD_ID_BYTES]);

/* Whether whoever was let in would be now, with the same role: asked again by what stays open. */
bool admission_holds(struct worker *w, const struct caller *caller);

/* Answers with a whole JSON body and x-leeroo-request-id. */
void answer_json(struct http_exchange *x, int http_status, const char *request_id, struct str body);
/* In the words of the API that the client speaks. */
/* A stream that holds nothing but the refusal of a conversation that is too long (front_streams_overflow). */
void answer_overflow_streamed(const struct front_context *front, struct http_exchange *x,
                              const char *message);
void answer_error_as(enum front front, struct http_exchange *x, const char *request_id,
                     enum status status, const char *message, const char *param, const char *code);
void answer_error(struct http_exchange *x, const char *request_id, enum status status,
                  const char *message, const char *param, const char *code);
