/* The table behind a decision, from the body of POST /v1/route: what each expert and plan was predicted to be worth and
 * why the chosen one was chosen. Shared by ask and demo. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/str.h"

void ask_table_print(FILE *out, struct str decision, bool bold);

struct ask_result {
    struct str decision;    /* body of /v1/route */
    struct str usage_event; /* the final chunk with usage and "leeroo"; empty when none came */
    struct str answer;
    const char *expert, *cost_usd, *cost_basis; /* of the answer's headers */
    double seconds;
};

/* "predicted 0.000012000, really 0.000011400 USD ..." */
void ask_result_print(FILE *out, const struct ask_result *r);
void ask_result_json(FILE *out, const struct ask_result *r);
