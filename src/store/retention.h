/* Old requests go out of a ledger: with their feedback, in transactions of some hundred rows, so that nobody waits for
 * the database because of it. A request that is still open stays, however old it is. What is gone cannot come back: a
 * backup is made before (store/ledger_backup.h). */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/reader.h"

#define RETENTION_STEP_ROWS 512

struct ledger_old {                       /* requests that began before a time and are over */
    int64_t requests, feedback, nano_usd; /* what they had cost */
    int64_t first_ms, last_ms; /* when the first and the last of them began; 0: there are none */
    int64_t open;              /* as old, but not over: they stay */
};
NODISCARD enum status ledger_count_old(struct ledger_reader *r, int64_t before_ms,
                                       struct ledger_old *ret, struct error *err);

/* Erases them, beside the process that writes the ledger: between two steps others have their turn, and a database that
 * is busy is waited for. *stop (may be NULL) ends it behind a step, with ERR_CANCELLED. *ret: how many are gone, also
 * when it fails. ERR_IO, ERR_TIMEOUT, ERR_CORRUPT as for whoever opens a ledger to write. */
NODISCARD enum status ledger_prune(const char *store, int64_t before_ms,
                                   const volatile sig_atomic_t *stop, uint64_t *ret,
                                   struct error *err);
