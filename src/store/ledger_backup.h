/* What is done to a ledger's SQLite file as a whole, while a gateway writes it: a copy, and making it smaller. A ledger
 * in PostgreSQL is its server's to copy: ERR_UNSUPPORTED says how. */
#pragma once

#include <stdint.h>

#include "base/error.h"

struct ledger_backup {
    uint64_t bytes;   /* of the copy */
    int64_t requests; /* in it */
};

/* A copy of one moment: whatever is written meanwhile waits for nothing and is not in it. It is made beside `to` under
 * a temporary name, checked as a whole, and renamed; only its owner can read it. A file at `to` is replaced. ERR_INPUT:
 * it is the ledger itself; ERR_CORRUPT: the copy is not whole, and nothing is at `to`; else as ledger_probe. */
NODISCARD enum status ledger_backup(const char *store, const char *to, struct ledger_backup *ret,
                                    struct error *err);

/* Gives back the room of what was erased: the file is written anew. Rows that a gateway writes meanwhile wait in its
 * journal. *ret_bytes: how much smaller it is. ERR_IO: it is locked for too long, or the disk has no room for a copy.
 * */
NODISCARD enum status ledger_compact(const char *store, uint64_t *ret_bytes, struct error *err);
