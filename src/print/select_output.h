/* What `leeroo select` prints. */
#pragma once

#include <stdio.h>

#include "universe/routed_finals.h"
#include "universe/universe.h"

#define SELECT_OUTPUT_BYTES (16u << 20)

/* How a set was chosen by routing. */
struct select_routed {
    const struct routed_figures *figures;
    const struct routed_choice *choice;
    bool plans;
};

struct select_outputs {
    const char *dataset;
    const struct universe *u;
    const struct universe_options *rules;
    const struct select_routed *routed; /* NULL: chosen by coverage */
};

/* As tables. ERR_IO: `to` does not take it. */
NODISCARD enum status select_print(const struct select_outputs *o, FILE *to, struct error *err);
/* As one JSON object: select_json.c. */
NODISCARD enum status select_print_json(const struct select_outputs *o, FILE *to,
                                        struct error *err);

/* What is promised of a set: "optimal (proved)". */
void select_promise(const struct selection *s, struct buf *out);
