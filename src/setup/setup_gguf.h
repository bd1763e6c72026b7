/* A configuration for a command that asks experts: the models of those that run in this process are opened. */
#pragma once

#include "config/config.h"

/* config_load, and then each model, which stays open as long as the configuration; the expert's URL becomes that of its
 * model, its context what fits there. Blocks for as long as reading the files takes. Errors name the expert's place;
 * beside config_load's there are ERR_IO, ERR_CORRUPT, ERR_UNSUPPORTED and ERR_TOO_LARGE. */
NODISCARD enum status setup_config(const char *path, struct config **ret, struct error *err);
/* The second half of it, for a configuration that is loaded. */
NODISCARD enum status setup_open_models(struct config *config, struct error *err);
