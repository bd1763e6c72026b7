/* What `leeroo select` prints. */
#pragma once

#include <stdio.h>

#include "universe/universe_page.h"

#define SELECT_OUTPUT_BYTES (16u << 20)

struct select_outputs {
    const char *dataset;
    const struct universe *u;
    const struct universe_options *rules;
    const struct universe_routed *routed; /* NULL: chosen by coverage */
};

/* As tables. ERR_IO: `to` does not take it. */
NODISCARD enum status select_print(const struct select_outputs *o, FILE *to, struct error *err);
/* As one JSON object: select_json.c. */
NODISCARD enum status select_print_json(const struct select_outputs *o, FILE *to,
                                        struct error *err);
