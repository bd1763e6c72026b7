/* Other names for what clients may ask for: those that programs send by themselves ("claude-opus-4-8", dated ones). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct model_alias {
    struct str pattern;    /* '*' stands for any text, also none; without one: a name */
    size_t policy, expert; /* what it leads to; one of them is SIZE_MAX */
};

bool model_alias_is_name(const struct model_alias *a); /* it has no '*' */
/* The most specific of those that `name` matches: a name, else the pattern with the most letters, of equal ones the
 * first. NULL: none matches. */
const struct model_alias *model_alias_find(const struct model_alias *aliases, size_t count,
                                           struct str name);
