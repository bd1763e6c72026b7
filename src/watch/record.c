/* What a record's outcomes are called in logs, metrics, spans and the ledger. */
#include "watch/record.h"

#include "base/check.h"

const char *request_outcome_name(enum request_outcome outcome)
{
    static const char *const names[] = {"answered", "failed", "cancelled", "interrupted"};
    CHECK(outcome >= 0 && outcome < REQUEST_OUTCOMES);
    return names[outcome];
}
