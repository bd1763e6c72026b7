/* Trying the checks that policies hold answers to: each is given a harmless question with its answer. */
#pragma once

#include "config/config.h"
#include "verify/verify.h"

struct check_verify {
    size_t policy; /* its index */
    const struct verify_settings *settings;
    bool tried; /* else there is nothing to try, or it is a service, and nobody was to be asked */
    bool fine;  /* it can be asked: it passed, it rejected, or it said that it has nothing to say */
    struct verify_end end; /* of the trial */
};

/* Into list[CONFIG_POLICIES_MAX]; *ret_count is how many policies have a check. `connect`: services are asked, too.
 * Blocks while commands run, which are shut in. ERR_MEMORY, ERR_IO. */
NODISCARD enum status check_verify(const struct config *config, bool connect,
                                   struct check_verify *list, size_t *ret_count, struct error *err);
