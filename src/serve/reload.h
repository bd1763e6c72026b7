/* Reloading: a thread of its own loads configuration and model anew when it is told to or when one of the files has
 * changed, and hands the result to each worker as a new snapshot. Requests that run keep the one that they began with.
 * A configuration that will not do is refused with one line in the log, and the old one stays.
 *
 * Files are looked at by name once a second, so editors that rename and Kubernetes' links to links need no special
 * care; a change is taken up when it has rested. */
#pragma once

#include "serve/gateway.h"

#define RELOAD_LOOK_MS     1000
#define RELOAD_SETTLE_MS   200
#define RELOAD_SETTLES_MAX 50 /* a file that changes for ever is read all the same */

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

/* What of a configuration is fixed while the process runs is put back to what `running` has. The names of the keys that
 * this changed go to `changed`, comma between them; returns how many. */
size_t reload_keep_fixed(const struct config *running, struct config *fresh, struct buf *changed);
