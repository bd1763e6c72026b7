/* A record as rows of the ledger. A request that was refused before anybody was chosen has none. */
#pragma once

#include "store/ledger.h"
#include "watch/record.h"

void record_ledger_begin(struct ledger *l, const struct record *r);
void record_ledger_end(struct ledger *l, const struct record *r);
