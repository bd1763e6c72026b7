/* JSON as models write it where there is mathematics: backslashes that they forgot to double. */
#pragma once

#include "base/arena.h"
#include "base/str.h"

/* The text itself where nothing is to be mended, else a copy in `a` in which every backslash that begins no escape of
 * JSON is two, and so is one of `\f`, `\b`, `\t` and `\r` that begins a word of TeX ("\frac", "\times"): control
 * characters before letters mean nothing. ptr NULL: no memory. Whatever was sound and is not TeX stays as it is. */
struct str escape_mend(struct str json, struct arena *a);
