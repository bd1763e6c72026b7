/* All that is wrong with an input, told at once: whoever reads it notes each mistake here and reads on, as long as what
 * follows can be judged without what was wrong. Not thread-safe. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

#define PROBLEMS_MAX 64

struct problems { /* begins as {0} */
    struct error list[PROBLEMS_MAX];
    size_t count;
    size_t more; /* that had no room */
};

/* Notes it, unless the same is there already. */
void problems_add(struct problems *p, const struct error *err);
/* Whether to read on after `status` of a part: it is OK, or a mistake, which is noted. `p` NULL: only when it is OK. */
bool problems_go_on(struct problems *p, enum status status, const struct error *err);
/* In the order of lines; those without one stay behind the others. */
void problems_sort(struct problems *p);
/* The first one into *err, and its status. OK when there is none, or `p` is NULL. */
enum status problems_first(const struct problems *p, struct error *err);
