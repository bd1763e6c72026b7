/* Private to infer/schema_*.c: what numbers and texts are made of. */
#pragma once

#include "infer/schema_grammar.h"

/* The bounds of a number as alternatives in GBNF. `whole`: integers only. ERR_UNSUPPORTED; ERR_INPUT: there is no
 * such number, or a bound is none. */
NODISCARD enum status schema_number_write(struct json_value schema, bool whole, struct buf *out,
                                          struct error *err);
/* What a regular expression accepts, without the quotes around the text, in GBNF. ERR_UNSUPPORTED, ERR_INPUT. */
NODISCARD enum status schema_pattern_write(struct str pattern, struct buf *out, struct error *err);
