/* What may have been meant by a word that nobody knows, for "did you mean". */
#pragma once

#include <stddef.h>

#include "base/str.h"

/* The nearest of `names` within two edits (a third of the length for long words), or NULL. */
const char *str_nearest(struct str word, const char *const *names, size_t count);
