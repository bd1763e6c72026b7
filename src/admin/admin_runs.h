/* Private to admin/: runs of self-play, in the folder that the configuration names. All of it waits for a disk. */
#pragma once

#include <limits.h>

#include "base/error.h"
#include "base/str.h"

struct config;

/* The folder of the run into path[PATH_MAX]. ERR_NOT_FOUND: no run is called so, or there is no folder of runs. */
NODISCARD enum status run_find(const struct config *c, struct str name, char path[PATH_MAX],
                               struct error *err);
/* The model that its last round with one has learnt. ERR_NOT_FOUND: no round has one. */
NODISCARD enum status run_model(const char *run, char path[PATH_MAX], struct error *err);
