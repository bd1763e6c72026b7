/* What `leeroo spend` sums up, read from a ledger. */
#pragma once

#include "base/arena.h"
#include "watch/spend_output.h"

/* Fills the rows, total and losses of a list that says by what and of which time; names are in the arena.
 * ERR_TOO_LARGE: over SPEND_GROUPS_MAX groups; else as ledger_read_spend. */
NODISCARD enum status spend_gather(const char *store, struct spend_list *l, struct arena *a,
                                   struct error *err);
/* The time of an option (spend_time_parse); `value` NULL leaves *ret as it is. ERR_USAGE names the option. */
NODISCARD enum status spend_time_option(const char *option, const char *value, int64_t *ret,
                                        struct error *err);
