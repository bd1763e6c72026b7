/* What `serve` would meet on this machine at its start: the port, the certificate, state_dir, the ledger, the
 * folder of runs. Nothing is made, listened on or written. */
#pragma once

#include <stdio.h>

#include "base/buf.h"
#include "config/config.h"
#include "setup/setup.h"

enum check_start_part {
    CHECK_PORT,
    CHECK_TLS,
    CHECK_STATE,
    CHECK_LEDGER,
    CHECK_RUNS,
    CHECK_START_PARTS
};

struct check_fact {
    bool told; /* else there is nothing to look at */
    bool fine;
    char text[400]; /* one line */
};

struct check_start {
    struct check_fact parts[CHECK_START_PARTS];
};

/* What keeps `serve` from starting, or from doing what it is for, goes into *all; what may surprise, to `warn`, with
 * words in the configuration's memory. Waits for a database for seconds at most. */
void check_start(const struct config *config, struct check_start *ret, struct problems *all,
                 void (*warn)(void *arg, const struct setup_warning *w), void *arg);

/* A line for each part, and the members of an object. */
void check_start_print(const struct check_start *s, FILE *out);
void check_start_json(const struct check_start *s, struct buf *out);
