/* Configuration and model as `serve` runs on them and `check` looks at them. */
#pragma once

#include "config/config.h"
#include "predict/model.h"

/* Loads both and binds them; `arg` is the configuration's path. A gateway_load (serve/gateway.h). */
NODISCARD enum status setup_load(void *arg, struct config **ret_config, struct model **ret_model,
                                 struct error *err);

struct setup_warning {
    const char *what;
    struct str policy, plans; /* whom it is about; empty: nobody in particular */
    const char *mend;
};

/* What is allowed and may still surprise its owner. */
void setup_warnings(const struct config *config, const struct model *model,
                    void (*warn)(void *arg, const struct setup_warning *w), void *arg);
