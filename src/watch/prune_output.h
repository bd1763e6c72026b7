/* What `leeroo ledger prune` says of what it has erased, for people and for programs. */
#pragma once

#include "base/buf.h"
#include "store/retention.h"

struct prune_told {
    bool dry_run, compact;
    int64_t before_ms;
    struct ledger_old old; /* counted before */
    uint64_t erased, freed_bytes;
};

void prune_write_text(const struct prune_told *t, struct buf *out);
void prune_write_json(const struct prune_told *t, struct buf *out);
