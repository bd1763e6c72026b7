/* What `leeroo models` prints: who is known to a model, and what of whom. */
#pragma once

#include <stdio.h>

#include "config/config.h"
#include "predict/model_parts.h"

struct models_told {
    const char *path; /* of the model; NULL: there is none, a prior serves */
    const struct model *m;
    const struct config *config; /* whose prices and members are shown; NULL: the model's alone */
    struct str trained_by;       /* a day; empty: unknown */
    bool all;                    /* also who was taken out */
};

/* As a table, or as one JSON object. ERR_IO: `to` does not take it. */
NODISCARD enum status models_print(const struct models_told *t, bool json, FILE *to,
                                   struct error *err);
