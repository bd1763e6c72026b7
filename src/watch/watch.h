/* Where requests are recorded: always in the access log, and in whichever of ledger, metrics and traces there are.
 * Needs neither a gateway nor an event loop: with a ledger alone, anything that asks experts can write down what it
 * asked and what that cost.
 *
 * A request is told twice, watch_begin before the first call to an expert and watch_end once, whatever happened; of one
 * that was refused before an expert was chosen only the end is told. Nothing here waits for a disk or a network. */
#pragma once

#include "watch/record.h"

struct last_errors;
struct ledger;
struct metrics;
struct traces;

/* Owns nothing: whatever made the parts frees them. Each thread has its own, with metrics and traces of its own; they
 * may share the ledger and the errors. */
struct watch {
    struct ledger *ledger;      /* NULL: none */
    struct metrics *metrics;    /* NULL: none */
    struct traces *traces;      /* NULL: none */
    struct last_errors *errors; /* NULL: nobody looks */
};

void watch_begin(const struct watch *w, const struct record *r);
void watch_end(const struct watch *w, const struct record *r);
/* A try of the expert failed and is followed by another: of the same expert, or of the next one. */
void watch_retried(const struct watch *w, struct str expert, bool same);
/* A request of which there is no record was answered with an error. */
void watch_rejected(const struct watch *w, int http_status);
