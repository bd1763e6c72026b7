/* Private to store/: one step of pruning, for the command and for the ledger's writer. */
#pragma once

#include "store/backend.h"

/* One transaction. *ret_rows: requests that went. *ret_done: there is nothing left. The backend is connected to write;
 * a failure has been rolled back. */
NODISCARD enum status retention_step(struct backend *b, int64_t before_ms, int64_t *ret_rows,
                                     bool *ret_done, struct error *err);
