/* A decision as it is kept beside the request in the ledger: the members of /v1/route's answer, fast to write and of
 * bounded size. */
#pragma once

#include "route/pool_choice.h"

#define DECISION_ARMS_MAX 16 /* estimates that are kept: the best ones */

/* A JSON object of at most `out`'s limit; what does not fit is left out whole, the chosen arm's figures never. */
void decision_write(const struct pool *p, const struct pool_choice *choice, struct buf *out);
