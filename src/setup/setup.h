/* Loading configuration and model, for `serve`, which runs on them, and `check`, which examines them. */
#pragma once

#include "config/config.h"
#include "predict/model.h"

/* Loads both and binds them; `arg` is the configuration's path. A gateway_load (serve/gateway.h). */
NODISCARD enum status setup_load(void *arg, struct config **ret_config, struct model **ret_model,
                                 struct error *err);

/* The same, and all that is wrong at once: into *all, in the order of lines, of which *err is the first. */
NODISCARD enum status setup_gather(const char *path, struct problems *all,
                                   struct config **ret_config, struct model **ret_model,
                                   struct error *err);
/* What is left to do for a configuration that is loaded: its models are opened, one that routes is found and bound to
 * it, certificate and key are looked at. Where the configuration gathers problems, all of these are tried. */
NODISCARD enum status setup_complete(struct config *config, struct model **ret_model,
                                     struct error *err);

/* How many of the model's plans ask somebody who is not in the configuration, and so never run. */
size_t setup_idle_plans(const struct config *config, const struct model *model);

struct setup_warning {
    const char *what;
    struct str policy, plans, expert; /* what it is about; empty: the whole */
    const char *mend;
};

/* Of a file of variables that other users may read (config/env_file.h). */
extern const struct setup_warning env_file_readable;

/* Calls `warn` for each expert that no policy would ever ask (route/pool_asked.h). The words are in the configuration's
 * memory. ERR_MEMORY, or what makes the pool impossible. */
NODISCARD enum status setup_never_asked(const struct config *config, const struct model *model,
                                        void (*warn)(void *arg, const struct setup_warning *w),
                                        void *arg, struct error *err);
/* Calls `warn` for each setting that is valid and may still not do what its owner expects. */
void setup_warnings(const struct config *config, const struct model *model,
                    void (*warn)(void *arg, const struct setup_warning *w), void *arg);
