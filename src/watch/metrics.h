/* What Prometheus is told: counters of one worker, and how those of all become a page.
 *
 * Each worker has its own counters and is the only one who writes them; whoever makes the page reads them at any time
 * from any thread. So a request takes no lock and no bus cycle: an increment is a relaxed load and a relaxed store. A
 * series appears with its first count and is never taken back, so pages of one process only ever grow. Labels come out
 * of the configuration (experts, policies, plans) and out of our own code, never from a client. */
#pragma once

#include "base/buf.h"
#include "watch/record.h"

#define METRICS_SERIES_MAX 20000 /* of a worker; what does not fit is counted as such */

struct metrics;

struct metrics *metrics_create(void); /* NULL: no memory */
void metrics_free(struct metrics *m); /* NULL is fine */

/* The owning worker's thread only. */
void metrics_decided(struct metrics *m, const struct record *r); /* at watch_begin */
void metrics_ended(struct metrics *m, const struct record *r);   /* at watch_end */
/* A try of the expert failed and is followed by another: of the same expert, or of the next one. */
void metrics_retried(struct metrics *m, struct str expert, bool same);
/* A request was answered with an error before anybody was chosen to serve it. */
void metrics_rejected(struct metrics *m, int http_status);

/* The sums over all workers, in the text format 0.0.4. Any thread. ERR_MEMORY: nothing was appended. */
NODISCARD enum status metrics_write(const struct metrics *const *all, size_t count,
                                    struct buf *out);

/* Lines of other numbers: "# HELP", "# TYPE", then samples. `labels` is ready text, `expert="a"`, or "". */
void metrics_write_head(struct buf *out, const char *name, const char *type, const char *help);
void metrics_write_sample(struct buf *out, const char *name, const char *labels, double value);
void metrics_write_usd(struct buf *out, const char *name, const char *labels, int64_t nano_usd);
/* `NAME="VALUE"`, escaped; for the above. */
void metrics_write_label(struct buf *out, const char *name, struct str value);

/* process_resident_memory_bytes and the other usual ones. Reads /proc, which waits for no disk. */
void metrics_write_process(struct buf *out);
