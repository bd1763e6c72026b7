/* Questions that tell nothing of an expert because something is wrong with them: a key that is false, a text that was
 * cut. Found by what experts whose strength is known made of them. */
#pragma once

#include "enroll/enroll.h"

enum broken_way {
    BROKEN_NOT,
    BROKEN_NOBODY,    /* nobody answers it, though it looks as if most should */
    BROKEN_BACKWARDS, /* the weak answer it and the strong do not */
};

/* ways[count] of rows[count], by their `others`. Backwards is named what luck would make once in twenty such data sets,
 * nobody what looks as if that had a chance below one in two hundred; where few experts were asked nothing is said.
 * ERR_MEMORY, or what an encoder fails with. */
NODISCARD enum status enroll_broken(const struct model *m, const struct enroll_row *rows,
                                    size_t count, struct arena *a, enum broken_way *ways,
                                    struct error *err);
/* "nobody", "backwards" */
const char *broken_way_name(enum broken_way way);
