/* Private to serve/: what the handlers of a request stand on. A worker belongs to the thread that runs its loop. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "ask/asking.h"
#include "base/rng.h"
#include "expert/transport_http.h"
#include "front/front.h"
#include "infer/transport_gguf.h"
#include "keys/caller.h"
#include "net/http_bodies.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "serve/snapshot.h"
#include "session/affinity.h"
#include "session/session.h"
#include "watch/watch.h"

struct estimator;
struct gateway;

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
    struct http_bodies bodies; /* of all workers' requests */
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

enum path_admission {
    ADMISSION_USUAL,   /* a key; of a POST also its rates and budgets, for it may ask an expert */
    ADMISSION_KEY,     /* a key: what costs nothing */
    ADMISSION_METRICS, /* a key that is for metrics; it is let in nowhere else */
    ADMISSION_OPEN,    /* nobody is asked */
};

/* All that is known of a path. A new one is a row of the table in gateway.c and a handler. */
struct path {
    const char *path;
    bool prefix;        /* the path and everything below it */
    const char *method; /* GET stands for HEAD, too */
    enum path_admission admission;
    enum front words; /* of errors: those of the API that it belongs to */
    void (*handle)(struct worker *, struct http_exchange *, struct caller *);
};

/* NULL: no row has it, and it needs all that ADMISSION_USUAL asks. */
const struct path *path_find(struct str path);
bool path_takes(const struct path *path, struct str method);
const char *path_methods(const struct path *path); /* "GET, HEAD" */
/* The API whose words clients of `path` expect; also of a path below a row's, or that was cut at a limit. */
enum front path_words(struct str path);

/* Handlers, one file each. `caller` is in the exchange's arena. */
void chat_handle(struct worker *w, struct http_exchange *x, struct caller *caller);
void completions_handle(struct worker *w, struct http_exchange *x, struct caller *caller);
void responses_handle(struct worker *w, struct http_exchange *x, struct caller *caller);
void messages_handle(struct worker *w, struct http_exchange *x, struct caller *caller);
void embeddings_handle(struct worker *w, struct http_exchange *x, struct caller *caller);
void count_tokens_handle(struct worker *w, struct http_exchange *x, struct caller *caller);
void route_handle(struct worker *w, struct http_exchange *x, struct caller *caller);
void models_handle(struct worker *w, struct http_exchange *x, struct caller *caller);
void requests_handle(struct worker *w, struct http_exchange *x, struct caller *caller);
void feedback_handle(struct worker *w, struct http_exchange *x, struct caller *caller);
void metrics_handle(struct worker *w, struct http_exchange *x, struct caller *caller);
void experts_handle(struct worker *w, struct http_exchange *x, struct caller *caller);
