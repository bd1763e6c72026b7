/* Where a request stands in a distributed trace. The header traceparent of W3C comes in from the client and goes out to
 * experts; in between stand our own spans. A plain value. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "base/str.h"

#define TRACEPARENT_BYTES 56 /* with the NUL */

struct trace {
    bool on;                  /* false: the request has no spans, and headers pass as they came */
    uint64_t id_high, id_low; /* never both 0 */
    uint64_t span;            /* of the request; never 0 */
    uint64_t parent;          /* the caller's span; 0: none */
};

/* A client that traces decides, by the flag in its traceparent; else a share of the requests is traced, `sample` from 0
 * to 1. A malformed traceparent counts as none. */
void trace_begin(struct trace *t, struct str traceparent, double sample, struct rng *rng);
/* The id of the span in which one expert is asked, all tries together. The same expert always has the same. */
uint64_t trace_child(const struct trace *t, struct str expert);
/* What an upstream is told of that span. */
void trace_write_parent(const struct trace *t, uint64_t span, char into[TRACEPARENT_BYTES]);
