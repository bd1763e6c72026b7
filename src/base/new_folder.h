/* A data set directory that appears under its name only when it is whole: it is written as "PATH.tmp.PID", then
 * renamed. */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "base/error.h"

struct new_folder {
    char path[PATH_MAX], temporary[PATH_MAX];
    bool replace;
};

/* Fails before the work where the directory could not be written after it. ERR_IO: `path` exists and `replace` is
 * false, or it holds more than a data set (nothing else is ever removed). ERR_INPUT: it is `source` itself. */
NODISCARD enum status new_folder_check(const char *path, const char *source, bool replace,
                                       struct error *err);
/* Fills in both names. The temporary directory is not made here: that is done by whatever writes into it. */
NODISCARD enum status new_folder_begin(const char *path, bool replace, struct new_folder *ret,
                                       struct error *err);
/* Puts the temporary directory in the place of `path` and removes what stood there. On failure the temporary directory
 * is removed. */
NODISCARD enum status new_folder_commit(struct new_folder *f, struct error *err);
void new_folder_abort(struct new_folder *f);
