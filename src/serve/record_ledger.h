/* A record as rows of the ledger. A request that was refused before anybody was chosen has none. */
#pragma once

#include "serve/record.h"
#include "store/ledger.h"

/* How the ledger calls the caller's key; empty: it has none. */
struct str record_key_id(const struct caller *caller);
void record_ledger_begin(struct ledger *l, const struct record *r);
void record_ledger_end(struct ledger *l, const struct record *r);
