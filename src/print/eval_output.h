/* What `leeroo eval` prints and writes. */
#pragma once

#include <stdio.h>

#include "eval/build.h"
#include "eval/report.h"

#define EVAL_OUTPUT_BYTES (64u << 20)

/* A model as it was measured. */
struct eval_measured {
    const char *model; /* as the command line names it; with folds, what it is */
    size_t folds;      /* 0: a model file */
    struct model *m;
    struct eval_set set;
    struct report report;
};

struct eval_outputs {
    const char *dataset;
    const struct dataset *d;
    const struct eval_measured *first, *second; /* second: NULL without --compare */
    bool json;
};

/* As a table or as JSON. ERR_IO: `to` does not take it. */
NODISCARD enum status eval_print(const struct eval_outputs *o, FILE *to, struct error *err);
/* The page. Scratch memory comes from `a`. */
NODISCARD enum status eval_write_page(const struct eval_outputs *o, struct arena *a,
                                      const char *path, struct error *err);
