/* Questions to the ledger's database. One may take seconds, so a thread with a connection of its own asks them, one
 * after the other, and each answer comes back on the loop that wanted it. A request that has just ended is found: the
 * rows that still wait in the journal are written first. */
#pragma once

#include "net/http_server.h"
#include "store/ledger.h"
#include "store/reader.h"

#define LOOKUP_ID_BYTES 64    /* of a request's id, at most */
#define LOOKUP_LATE_MS  10000 /* then a client is told that it takes too long */

struct lookup;

/* `store` as in struct ledger_options; `l` outlives it. */
NODISCARD enum status lookup_start(const char *store, struct ledger *l, struct lookup **ret,
                                   struct error *err);
/* When the loops have ended and before they are freed: no answer comes after it. NULL is fine. */
void lookup_stop(struct lookup *l);
void lookup_free(struct lookup *l); /* after the loops; NULL is fine */

/* Called on the exchange's loop while the exchange lives, once for each question; `found` is NULL unless `status` is
 * OK. ERR_NOT_FOUND: the ledger has no such request; ERR_OVERLOAD: the database cannot be read now or takes too long,
 * or the newest rows are not in it yet. */
typedef void lookup_fn(struct http_exchange *x, void *user, enum status status,
                       const struct ledger_found *found, const struct error *err);
/* Until `answer` is called the exchange belongs to the lookup, which uses its `user` and on_gone. ERR_OVERLOAD: too
 * many wait; ERR_NOT_FOUND: no id is that long; ERR_MEMORY. `answer` is not called after an error. */
NODISCARD enum status lookup_request(struct lookup *l, struct loop *loop, struct http_exchange *x,
                                     struct str id, lookup_fn *answer, void *user,
                                     struct error *err);
