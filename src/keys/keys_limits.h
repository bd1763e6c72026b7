/* Limits of a key as its owner words them, on a command line or in JSON, into the key's row. */
#pragma once

#include <stdbool.h>

#include "base/json.h"
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

/* The same of a JSON object: the members of the file of keys, of which null lifts one, and `expires_ms`; where it makes
 * a key also `name` and `role`, where it changes one `spent_anew`. *row has what is not said. ERR_INPUT: one cannot be
 * read, is unknown or not for this; ERR_MEMORY. */
NODISCARD enum status keys_apply_json(struct str body, bool makes, const struct config *c,
                                      struct arena *a, int64_t now_ms, struct key_row *row,
                                      struct error *err);
