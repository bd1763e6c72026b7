/* Language models that read what is asked (reader/encoder_open.h): those that a configuration names, for whoever loads
 * a model, and those that a model is to be trained with. */
#pragma once

#include "config/config.h"
#include "reader/encoder_open.h"
#include "train/train.h"

/* Puts what the configuration says of encoders in force, before a model is loaded. `only`: it alone says which
 * endpoints are asked. */
NODISCARD enum status setup_encoders(const struct config *config, bool only, struct error *err);

/* What encoders of a training are opened for. */
struct setup_training {
    const char *config_path;  /* whose encoders and orchestrator are taken; NULL: none */
    const char *const *specs; /* [spec_count] of a command line, "gguf=PATH,pooling=mean" */
    size_t spec_count;
    const struct dataset
        *dataset;          /* an orchestrator is told of these experts; NULL: none is taken */
    const size_t *experts; /* [expert_count] */
    size_t expert_count;
};

/* Opens them as late sources of a training: into list[TRAIN_LATE_MAX]. What stands on the command line goes before the
 * configuration's encoder of the same name. Blocks while files are read and endpoints asked. */
NODISCARD enum status setup_late_sources(const struct setup_training *t, struct arena *a,
                                         struct train_source *list, size_t *count,
                                         struct error *err);

/* Where training keeps what encoders said (encode/encoding_cache.h): below XDG_CACHE_HOME, or ~/.cache. NULL: there is
 * neither, or no memory. */
const char *setup_encoding_folder(struct arena *a);
