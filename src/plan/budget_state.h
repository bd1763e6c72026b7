/* The state of budgets in a file, so that a restart goes on where it was (docs/configuration.md has the format). */
#pragma once

#include "base/buf.h"
#include "plan/budget.h"

#define BUDGET_STATE_BYTES_MAX (1u << 20)

struct budget_named {
    struct str name; /* the policy's */
    double usd_per_1k;
    struct budget_state state;
    double lambda; /* in force, where that is known; no part of the file */
};

/* Appends the text of the file. */
void budget_state_write(struct buf *out, const struct budget_named *budgets, size_t count);
/* Fills the state of those budgets[count] that the text has under the same name with the same target, and sets
 * found[i]; other states stay. What else the text has is passed over. ERR_INPUT, ERR_UNSUPPORTED, ERR_TOO_LARGE: not
 * such a file, of another version, damaged; nothing is filled then. */
NODISCARD enum status budget_state_parse(struct str text, const char *place,
                                         struct budget_named *budgets, bool *found, size_t count,
                                         struct error *err);

/* The same with files. A file that does not exist has no states. A reader never sees half of one. */
NODISCARD enum status budget_state_load(const char *path, struct budget_named *budgets, bool *found,
                                        size_t count, struct error *err);
NODISCARD enum status budget_state_save(const char *path, const struct budget_named *budgets,
                                        size_t count, struct error *err);
/* Renames a file that cannot be read to PATH.damaged, so that the next save does not bury it. */
NODISCARD enum status budget_state_set_aside(const char *path, struct error *err);
