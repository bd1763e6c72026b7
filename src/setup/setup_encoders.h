/* Language models that read what is asked (reader/encoder_open.h): those that a configuration names, for whoever loads
 * a model, and those that a model is to be trained with. */
#pragma once

#include <stdio.h>

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
    bool keeps_purse; /* those that are paid for are left out, too */
    FILE *notes;      /* who of the configuration is left out, and why */
};

/* The encoders of a training, as its late sources. */
struct setup_late {
    struct train_source sources[TRAIN_LATE_MAX];
    struct price prices[TRAIN_LATE_MAX]; /* of their tokens */
    size_t count;
};

/* Opens them. What stands on the command line goes before the configuration's encoder of the same name. Blocks while
 * files are read and endpoints asked. */
NODISCARD enum status setup_late_sources(const struct setup_training *t, struct arena *a,
                                         struct setup_late *ret, struct error *err);
/* A line for each that is paid for: what reading all questions of the data set will cost, about; and what it has cost
 * in this process so far, as endpoints count. */
void setup_print_reading_ahead(const struct setup_training *t, const struct setup_late *late,
                               FILE *out);
void setup_print_reading(const struct setup_late *late, FILE *out);

/* Where training keeps what encoders said (encode/encoding_cache.h): below XDG_CACHE_HOME, or ~/.cache. NULL: there is
 * neither, or no memory. */
const char *setup_encoding_folder(struct arena *a);
