/* Metrics for Prometheus: the counters of one worker. How those of all workers become a page is metrics_write.h.
 *
 * Each worker has its own counters, which its thread alone changes; the page may be made at any time on any thread. So
 * counting takes no lock and no bus cycle: an increment is a relaxed load and a relaxed store. A series appears with
 * its first count and is never removed, so the pages of one process only ever grow. Labels come from the configuration
 * (experts, policies, plans) and from our own code, never from a client. */
#pragma once

#include "watch/record.h"

#define METRICS_SERIES_MAX 20000 /* of a worker; what does not fit is counted as lost */

struct metrics;

struct metrics *metrics_create(void); /* NULL: no memory */
void metrics_free(struct metrics *m); /* NULL is fine */

/* The owning worker's thread only. */
void metrics_decided(struct metrics *m, const struct record *r); /* at watch_begin */
void metrics_ended(struct metrics *m, const struct record *r);   /* at watch_end */
/* A try of the expert failed and is followed by another: of the same expert, or of the next one. */
void metrics_retried(struct metrics *m, struct str expert, bool same);
/* A request was answered with an error before an expert was chosen. */
void metrics_rejected(struct metrics *m, int http_status);
