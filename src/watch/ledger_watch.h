/* The gateway's ledger: opened as the configuration says, watched, closed. It is loud about what it loses. */
#pragma once

#include "net/loop.h"
#include "store/ledger.h"

/* *ret NULL: the options have no store, and the log has said so. `folder` is made where it is not there; NULL: none. A
 * database that is away is no error. */
NODISCARD enum status ledger_watch_open(const struct ledger_options *o, const char *folder,
                                        struct ledger **ret, struct error *err);

struct ledger_watch;
/* Looks every second, on the loop: storage that is away and rows that are lost are logged at once and every minute
 * while it lasts. `l` outlives it. */
NODISCARD enum status ledger_watch_start(struct loop *loop, struct ledger *l,
                                         struct ledger_watch **ret, struct error *err);
void ledger_watch_stop(struct ledger_watch *w); /* NULL is fine */
/* Closes; says what could not be written. NULL is fine. */
void ledger_watch_close(struct ledger *l);
