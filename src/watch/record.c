/* What a record is called, and what its outcomes are in logs, metrics, spans and the ledger. */
#include "watch/record.h"

#include <stdio.h>

#include "base/check.h"

void record_id(struct rng *rng, int64_t wall_ms, char into[RECORD_ID_BYTES])
{
    snprintf(into, RECORD_ID_BYTES, "req_%08llx%016llx",
             (unsigned long long)(wall_ms / 1000) & 0xffffffffu, (unsigned long long)rng_next(rng));
}

const char *request_outcome_name(enum request_outcome outcome)
{
    static const char *const names[] = {"answered", "failed", "cancelled", "interrupted"};
    CHECK(outcome >= 0 && outcome < REQUEST_OUTCOMES);
    return names[outcome];
}
