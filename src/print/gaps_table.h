/* What `leeroo gaps` prints for a person. */
#pragma once

#include <stdio.h>

#include "gaps/gaps.h"

#define GAPS_TABLE_BYTES (64u << 20)

/* The first topics[most], their words and examples, and who stands alone. ERR_IO: `to` does not take it. */
NODISCARD enum status gaps_print(const struct gaps *g, size_t most, FILE *to, struct error *err);
/* What a reader must know of them, a line each; the files as the command line names them, `again` may be NULL. */
void gaps_print_notes(const struct gaps *g, const char *model, const char *dataset,
                      const char *again, FILE *to);
