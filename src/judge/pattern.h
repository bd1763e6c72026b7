/* Regular expressions, bounded: PCRE2's language in UTF-8, with limits on the pattern, on steps and on memory, because
 * patterns come from data sets and texts from models. The only file that sees PCRE2. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

#define PATTERN_BYTES_MAX  4096
#define PATTERN_STEPS_MAX  1000000 /* of one match */
#define PATTERN_NESTING    50      /* of brackets */
#define PATTERN_HEAP_KIB   8192
#define PATTERN_TEXT_BYTES (1u << 20)

struct pattern;

/* Lives as long as `a`. ERR_INPUT says where in the pattern; ERR_TOO_LARGE. */
NODISCARD enum status pattern_create(struct str expression, struct arena *a, struct pattern **ret,
                                     struct error *err);
/* Whether it stands somewhere in the text; no match is OK, too. ERR_TOO_LARGE: the text is over PATTERN_TEXT_BYTES, or
 * matching took too many steps. ERR_INPUT: the text is no UTF-8. */
NODISCARD enum status pattern_find(const struct pattern *p, struct str text, bool *ret,
                                   struct error *err);
