/* A record as a row of the ledger, opened before the first call and closed once. A request that was refused before an
 * expert was chosen has no row. */
#pragma once

#include "store/ledger.h"
#include "watch/record.h"

void record_ledger_begin(struct ledger *l, const struct record *r);
void record_ledger_end(struct ledger *l, const struct record *r);
