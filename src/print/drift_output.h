/* What `leeroo drift` prints. */
#pragma once

#include <stdio.h>

#include "eval/drift.h"
#include "predict/model.h"

#define DRIFT_ENROL 200 /* outcomes that a new enrolment takes */

struct drift_told {
    const char *model;     /* its path, for the commands that are shown */
    const char *dataset;   /* likewise; NULL: the outcomes are feedback */
    const struct model *m; /* whose experts they are */
    const struct drift_input *input;
    const struct drift_expert *found; /* [experts] */
    size_t trained_on;                /* questions left out */
};

/* As a table, or as one JSON object. ERR_IO: `to` does not take it. */
NODISCARD enum status drift_print(const struct drift_told *t, bool json, FILE *to,
                                  struct error *err);
