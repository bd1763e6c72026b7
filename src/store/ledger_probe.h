/* Whether a ledger could be opened for writing, found out without changing anything: for `leeroo check`. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct ledger_probe {
    bool is_server;   /* PostgreSQL; else a SQLite file */
    bool there;       /* with its tables; else opening it makes them */
    int64_t requests; /* rows, about; -1: not known */
    uint64_t bytes;   /* of the file with its write-ahead log, or of the tables */
};

/* Waits for seconds at most. ERR_IO, ERR_TIMEOUT, ERR_CORRUPT, ERR_FORBIDDEN: it could not be, with the mend where one
 * is known; a URL is never shown. */
NODISCARD enum status ledger_probe(const char *store, struct ledger_probe *ret, struct error *err);
