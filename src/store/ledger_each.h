/* All requests of a ledger, one after the other, in the order of their begin: for whoever copies them elsewhere. As in
 * reader.h: beside the process that writes it, never on an event loop's thread. */
#pragma once

#include "store/reader.h"

struct ledger_filter {      /* all zero but to_ms: every request that began before it */
    int64_t from_ms, to_ms; /* began at from_ms or later, and before to_ms */
    struct str key, expert,
        policy; /* ptr NULL: any; empty: without one. `expert`: whose answer stands */
};
typedef enum status ledger_each_fn(const struct ledger_found *found, void *arg, struct error *err);
/* Read by pages, so that memory stays flat and no transaction is long; what is written meanwhile may be among them.
 * `found` and its texts are valid during the call; not OK ends it with that status. Else as ledger_read_request. */
NODISCARD enum status ledger_each(struct ledger_reader *r, const struct ledger_filter *f,
                                  ledger_each_fn *fn, void *arg, struct error *err);
