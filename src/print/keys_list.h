/* The list that `leeroo keys` prints. */
#pragma once

#include <stdio.h>

#include "keys/key_spend.h"

void keys_print_table(const struct key_file *f, const struct key_spent *spent, int64_t now_ms,
                      FILE *out);
/* One JSON list. ERR_MEMORY. */
NODISCARD enum status keys_print_json(const struct key_file *f, const struct key_spent *spent,
                                      int64_t now_ms, FILE *out, struct error *err);
