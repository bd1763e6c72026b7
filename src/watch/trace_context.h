/* Where a request stands in a distributed trace: W3C's traceparent in, our own spans, traceparent out. A value. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "base/str.h"

#define TRACEPARENT_BYTES 56 /* with the NUL */

struct trace {
    bool on; /* false: nothing is said of the request, and headers pass as they came */
    uint64_t id_high, id_low; /* never both 0 */
    uint64_t span;            /* of the request; never 0 */
    uint64_t parent;          /* the caller's span; 0: none */
};

/* A caller that traces decides for us, by the flag in its traceparent; else every `sample`th request, 0 to 1, is
 * traced. A malformed traceparent is none. */
void trace_begin(struct trace *t, struct str traceparent, double sample, struct rng *rng);
/* The span of asking one expert, all tries together. */
uint64_t trace_child(const struct trace *t, struct str expert);
/* What an upstream is told of that span. */
void trace_write_parent(const struct trace *t, uint64_t span, char into[TRACEPARENT_BYTES]);
