/* Which ledger a command means. */
#pragma once

#include "base/error.h"

/* `ledger` (a file or URL) where it is given, else that of the configuration at `config`; *ret is the caller's to free.
 * ERR_INPUT: the configuration names none, with the mend. */
NODISCARD enum status setup_ledger_store(const char *config, const char *ledger, char **ret,
                                         struct error *err);
