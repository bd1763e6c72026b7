/* GET /v1/requests/ID: what the ledger knows of a request. */
#pragma once

#include "base/buf.h"
#include "serve/caller.h"
#include "store/reader.h"

/* Whether the caller may see it: with a key its own only. */
bool request_is_visible(const struct ledger_found *found, const struct caller *caller);
/* As JSON, of the decision without experts that the caller may not use. */
void request_write(const struct ledger_found *found, const struct caller *caller, struct buf *out);
