/* One request as a row: made by whoever served it, told to everybody who counts (log, ledger, metrics, traces)
 * by watch_begin before the first call to an expert and watch_end once, whatever happened. All texts are borrowed for
 * the time of the call. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "expert/cost.h"

enum request_outcome {
    REQUEST_ANSWERED,
    REQUEST_FAILED,      /* an error was the answer, or ended the stream */
    REQUEST_CANCELLED,   /* the client left */
    REQUEST_INTERRUPTED, /* we stopped; only ever written by the ledger after a restart */
    REQUEST_OUTCOMES,
};

struct expert;
struct trace;

struct record_call { /* one expert that was asked, all its tries together */
    struct str expert;
    const struct expert *asked; /* for the model and address in its span; NULL: they are left out */
    enum call_outcome outcome;
    struct cost cost;
    uint64_t begin_ms, latency_ms; /* begin: since the request's begin */
    bool hedge;
};

struct record {
    const char *id;
    int64_t begin_wall_ms;
    struct str front;          /* the API that the client spoke: "chat" */
    struct str key;            /* the id of the client's key; empty: none */
    const struct trace *trace; /* NULL, or not on: no spans of it */
    struct str model;          /* as the client asked for it */
    struct str policy;         /* empty: an expert by name */
    struct str
        expert; /* the predicted one, at the end the one whose answer stands; empty: nobody was chosen */
    struct str plan; /* "single", "panel(a,b->c)" */
    bool stream, cached;
    double quality, lambda;     /* of the decision */
    int64_t predicted_nano_usd; /* of the decision */
    int64_t
        reference_nano_usd; /* what the reference expert is predicted to cost for it; 0: not known */
    struct str decision;    /* JSON for GET /v1/requests/ID; only for watch_begin */
    /* from here on for watch_end only */
    enum request_outcome outcome;
    int http_status;
    struct cost cost; /* of all calls */
    unsigned attempts;
    int64_t first_token_ms; /* -1: none came */
    uint64_t total_ms;
    const char *problem; /* NULL: none */
    const struct record_call *calls;
    size_t call_count;
};

const char *request_outcome_name(enum request_outcome outcome); /* "answered", ... */
