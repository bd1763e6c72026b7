/* Reloading. A thread of its own loads configuration and model again when it is told to, or when one of the files has
 * changed, and hands the result to each worker as a new snapshot. Requests that run keep the one that they began with.
 * A configuration or model that cannot be used is refused with one line in the log, and the old one stays in force.
 *
 * Files are looked at by name once a second, so that editors which rename and Kubernetes' links to links work without
 * special care. A change is taken up once the file has not changed any more for RELOAD_SETTLE_MS. What will not do then
 * may be a file that is still being written: it is refused, and said, only when it has rested for RELOAD_REFUSE_MS. */
#pragma once

#include "serve/gateway.h"

#define RELOAD_LOOK_MS     1000
#define RELOAD_SETTLE_MS   200
#define RELOAD_SETTLES_MAX 50 /* a file that keeps changing is read after so many */
#define RELOAD_REFUSE_MS   2000
#define RELOAD_TRIES_MAX   60 /* of what will not do and keeps changing, until it is refused */

struct reload;
struct snapshot;

struct reload_counts {
    uint64_t done, refused;
    int64_t last_wall_ms; /* when what is in force was loaded */
};

NODISCARD enum status reload_start(struct gateway *g, gateway_load *load, void *arg,
                                   struct reload **ret, struct error *err);
void reload_now(struct reload *r);   /* any thread */
void reload_taken(struct reload *r); /* a worker has taken up what it was handed */
void reload_stop(struct reload *r);  /* waits for a load that runs; NULL is fine */
void reload_counts(struct reload *r, struct reload_counts *ret); /* any thread */

/* Settings that cannot change while the process runs get the values that `running` has. The names of those that this
 * changed in `fresh` go to `changed`, with commas between them; returns how many. */
size_t reload_keep_fixed(const struct config *running, struct config *fresh, struct buf *changed);
