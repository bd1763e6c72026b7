/* Numbers as experts write them. */
#pragma once

#include <stdbool.h>

#include "base/str.h"

struct judge_number {
    double value;
    struct str unit; /* what follows it, trimmed; empty where nothing does */
};

/* "-1,234.5", "$3.50", "1/2", "\frac{1}{2}", "15 apples", "50%": true when the whole of `s` is one number with at most
 * a few words of unit behind it. "2024-02-29" and "3 of 4" are none. */
bool judge_number_read(struct str s, struct judge_number *ret);
/* The last number in `text` as a slice of it, with its sign and thousands commas; false when there is none. */
bool judge_number_last(struct str text, struct str *ret);
