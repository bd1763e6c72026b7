/* Metrics as text for Prometheus, format 0.0.4: the sums of what all workers have counted, and lines for the other
 * numbers of a page. */
#pragma once

#include "base/buf.h"

struct metrics;

/* The sums over all workers, in the text format 0.0.4. Any thread. ERR_MEMORY: nothing was appended. */
NODISCARD enum status metrics_write(const struct metrics *const *all, size_t count,
                                    struct buf *out);

/* Lines of numbers that are not counted here: "# HELP" and "# TYPE", then samples. `labels` is text as it will stand
 * between the braces, `expert="a"`, or "". */
void metrics_write_head(struct buf *out, const char *name, const char *type, const char *help);
void metrics_write_sample(struct buf *out, const char *name, const char *labels, double value);
void metrics_write_usd(struct buf *out, const char *name, const char *labels, int64_t nano_usd);
/* `NAME="VALUE"`, escaped; for the above. */
void metrics_write_label(struct buf *out, const char *name, struct str value);

/* process_resident_memory_bytes and the other usual ones. Reads /proc, which waits for no disk. */
void metrics_write_process(struct buf *out);
