/* One request as a row, made by whatever served it, from which log, ledger, metrics and traces are written (watch.h). A
 * plain value: it owns nothing, and its texts must last for the call that it is given to. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"
#include "base/str.h"
#include "expert/cost.h"

#define RECORD_ID_BYTES 32

enum request_outcome {
    REQUEST_ANSWERED,
    REQUEST_FAILED,      /* an error was the answer, or ended the stream */
    REQUEST_CANCELLED,   /* the client left */
    REQUEST_INTERRUPTED, /* the process stopped; the ledger writes it after a restart, nobody else */
    REQUEST_OUTCOMES,
};

struct expert;
struct trace;

struct record_call { /* one expert that was asked, all its tries together */
    struct str expert;
    const struct expert *asked; /* its span tells model and address of it; NULL: it does not */
    enum call_outcome outcome;
    struct cost cost;
    uint64_t begin_ms; /* since the request's begin */
    uint64_t latency_ms;
    bool hedge; /* asked because another was slow */
    /* Of a check, which stands among the calls under its own name: what it said ("passed", "rejected", "down") of whose
     * answer, and why. NULL: an expert was asked. */
    const char *verdict;
    struct str checked, why;
};

struct record {
    const char *id;
    int64_t begin_wall_ms;
    struct str front;          /* the API that the client spoke: "chat"; "play": self-play asked */
    struct str key;            /* the id of the client's key; empty: none */
    const struct trace *trace; /* NULL, or not on: it has no spans */
    struct str model;          /* as the client asked for it */
    struct str policy;         /* empty: an expert was asked for by name */
    /* At the begin the one that is expected to answer, at the end the one whose answer stands. Empty: the request was
     * refused before an expert was chosen, and has no row in the ledger. */
    struct str expert;
    struct str plan; /* "single", "panel(a,b->c)" */
    bool stream;
    bool cached;                /* answered out of the response cache */
    double quality, lambda;     /* of the decision */
    int64_t predicted_nano_usd; /* of the decision */
    int64_t
        reference_nano_usd; /* predicted for the reference expert; real where it has answered; 0: unknown */
    struct str decision; /* JSON for GET /v1/requests/ID; watch_begin alone reads it */

    /* What follows is read by watch_end alone. */
    enum request_outcome outcome;
    /* What the client was told. Self-play has no client: what the expert said, or 0. */
    int http_status;
    struct cost cost; /* of all calls */
    unsigned attempts;
    int64_t first_token_ms; /* -1: none came */
    uint64_t total_ms;
    const char *problem; /* NULL: none */
    struct str dropped; /* wishes of the client's that were left out: "thinking,tools.web_search" */
    const char *session; /* "stayed", "moved"; NULL: it is amid nobody's turn */
    /* In a policy that verifies, of the answer that stands: "passed", "rejected", "down", "unchecked". NULL otherwise.
     */
    const char *verified;
    const struct record_call *calls;
    size_t call_count;
};

/* "req_", the seconds of the time, 64 bits of the generator's: the ledger's index grows at one end, where random ids
 * would touch all of it. */
void record_id(struct rng *rng, int64_t wall_ms, char into[RECORD_ID_BYTES]);
const char *request_outcome_name(enum request_outcome outcome); /* "answered", ... */
