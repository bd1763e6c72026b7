/* Feedback of a gateway's ledger as rows that drift is looked for in. */
#pragma once

#include "eval/drift_rows.h"

/* Of requests that one expert answered by one call; those that began before `since_ms` are the earlier ones. Estimates
 * are the decisions' own. Experts are the model's; rows of others are passed over. */
NODISCARD enum status drift_ledger_read(const char *store, int64_t since_ms, const struct model *m,
                                        struct arena *a, struct drift_rows *ret, struct error *err);
