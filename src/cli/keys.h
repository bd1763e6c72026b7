/* What `leeroo keys` is told, and its list for people and programs. */
#pragma once

#include <stdbool.h>

#include "config/config.h"
#include "keys/key_spend.h"

/* Limits as given on the command line; NULL: not given, "none" (of names: "all"): no limit. */
struct keys_wishes {
    const char *budget_usd[KEY_PERIODS];
    const char *requests_per_minute, *tokens_per_minute, *experts, *policies, *expires;
};

/* Changes what is given. Names are looked up in the configuration, unless that is NULL. ERR_USAGE, ERR_MEMORY. */
NODISCARD enum status keys_apply(const struct keys_wishes *wishes, const struct config *c,
                                 struct arena *a, int64_t now_ms, struct key_row *row,
                                 struct error *err);

void keys_print_table(const struct key_file *f, const struct key_spent *spent, int64_t now_ms);
/* One JSON list. ERR_MEMORY. */
NODISCARD enum status keys_print_json(const struct key_file *f, const struct key_spent *spent,
                                      int64_t now_ms, struct error *err);
