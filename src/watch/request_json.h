/* What the ledger knows of a request, as JSON for whoever may see it. */
#pragma once

#include "base/buf.h"
#include "store/reader.h"

/* For whom it is written: not everybody may hear of every expert that the decision names. */
struct request_json_view {
    bool (*may_hear_of)(const void *arg, struct str expert);
    const void *arg;
};

/* `view` NULL: all is shown. */
void request_json_write(const struct ledger_found *f, const struct request_json_view *view,
                        struct buf *out);
