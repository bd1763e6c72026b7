/* A ledger of its own for each test of watch/: SQLite, in a folder that goes with the test. */
#pragma once

#include "base/arena.h"
#include "store/ledger.h"
#include "store/reader.h"

extern struct ledger *watch_test_ledger;
extern struct arena *watch_test_arena;

void watch_test_begin(void);
void watch_test_end(void);
/* The row of a request that was told to the ledger, once it is in the database. */
enum status watch_test_read(const char *id, struct ledger_found *ret);
/* The sums over all requests. */
struct spend watch_test_spend(void);
