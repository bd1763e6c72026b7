/* Loading configuration and model, for `serve`, which runs on them, and `check`, which examines them. */
#pragma once

#include "config/config.h"
#include "predict/model.h"

/* Loads both and binds them; `arg` is the configuration's path. A gateway_load (serve/gateway.h). */
NODISCARD enum status setup_load(void *arg, struct config **ret_config, struct model **ret_model,
                                 struct error *err);

struct setup_warning {
    const char *what;
    struct str policy, plans; /* what it is about; empty: the whole */
    const char *mend;
};

/* Calls `warn` for each setting that is valid and may still not do what its owner expects. */
void setup_warnings(const struct config *config, const struct model *model,
                    void (*warn)(void *arg, const struct setup_warning *w), void *arg);
