/* Language models that read what is asked (reader/encoder_open.h): those that a configuration names, for whoever loads
 * a model, and those that a model is to be trained with. */
#pragma once

#include "config/config.h"
#include "reader/encoder_open.h"
#include "train/train.h"

/* Puts what the configuration says of encoders in force, before a model is loaded. `only`: it alone says which
 * endpoints are asked. */
NODISCARD enum status setup_encoders(const struct config *config, bool only, struct error *err);

/* Opens the encoders of a configuration (NULL: none) and those of a command line, "gguf=PATH,pooling=mean", as late
 * sources of a training: into list[TRAIN_LATE_MAX]. What stands on the command line goes before the configuration's
 * encoder of the same name. Blocks while files are read and endpoints asked. */
NODISCARD enum status setup_late_sources(const char *config_path, const char *const *specs,
                                         size_t spec_count, struct arena *a,
                                         struct train_source *list, size_t *count,
                                         struct error *err);
