/* Sends spans to a collector: OTLP over HTTP in JSON, with the GenAI semantic conventions (otlp.h). Prompts and answers
 * are never in them.
 *
 * Each worker has its own queue, sent once a second by an HTTP client of its own. Nothing waits for the collector:
 * while one batch is being sent the next one gathers, up to TRACES_QUEUE_BYTES_MAX. What does not fit, or is refused,
 * is dropped and counted. All functions but traces_counts belong to the loop's thread. */
#pragma once

#include "base/buf.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "watch/record.h"

#define TRACES_QUEUE_BYTES_MAX (4u << 20)
#define TRACES_BATCH_BYTES     (256u << 10) /* with as much, a batch is sent at once */
#define TRACES_DELAY_MS        1000
#define TRACES_TIMEOUT_MS      5000 /* for a collector to answer */

#define TRACES_HEADERS_MAX 16

struct traces;

struct traces_settings {     /* of one batch */
    struct str endpoint;     /* a URL, NUL-terminated; empty: spans are dropped */
    struct str service_name; /* of the resource */
    struct http_header headers[TRACES_HEADERS_MAX]; /* besides our own; their values are secret */
    size_t header_count;
    const char *ca_file; /* of the collector, PEM; NULL: the system's. Read once */
    bool use_proxy;      /* honour http_proxy and the like. Read once */
};

struct traces_options {
    struct loop *loop; /* outlives the traces */
    /* Called on the loop for each batch, so that settings may change between two: fills *ret, whose texts stay until
     * release(what it returned). */
    void *(*hold)(void *arg, struct traces_settings *ret);
    void (*release)(void *held);
    void *arg;
};

/* NULL: no memory. */
struct traces *traces_create(const struct traces_options *o);
void traces_free(struct traces *t); /* NULL is fine */
/* At watch_end; r->trace is there and on. The worker's thread. */
void traces_add(struct traces *t, const struct record *r);
/* Sends what is left; then, or after TRACES_TIMEOUT_MS, done(arg) once, on the loop or before this returns. */
void traces_drain(struct traces *t, void (*done)(void *), void *arg);

struct traces_counts {
    uint64_t sent, dropped; /* spans */
};
struct traces_counts traces_counts(const struct traces *t); /* any thread */
