/* Limits of a key as its owner words them, into the key's row. */
#pragma once

#include <stdbool.h>

#include "config/config.h"
#include "keys/key_spend.h"

/* Limits as given on the command line. NULL: not given; "none", or "all" where names are listed: no limit. */
struct keys_wishes {
    const char *budget_usd[KEY_PERIODS];
    const char *requests_per_minute, *tokens_per_minute, *experts, *policies, *expires;
    bool spent_anew;
};

/* Sets those limits of the row that are given; their texts go to `a`. Names of experts and policies must be in the
 * configuration, unless `c` is NULL. ERR_USAGE: one cannot be read, or a name is unknown; ERR_MEMORY. */
NODISCARD enum status keys_apply(const struct keys_wishes *wishes, const struct config *c,
                                 struct arena *a, int64_t now_ms, struct key_row *row,
                                 struct error *err);
