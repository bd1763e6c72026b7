/* Private to serve: which rows of the ledger are whose. */
#pragma once

#include "keys/caller.h"
#include "store/reader.h"

/* Whether the caller may see it: with a key its own only. */
bool request_is_visible(const struct ledger_found *found, const struct caller *caller);
