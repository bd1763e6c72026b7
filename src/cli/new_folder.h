/* A data set directory that appears under its name only when it is whole: made as "PATH.tmp.PID" and renamed. */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "base/error.h"

struct new_folder {
    char path[PATH_MAX], temporary[PATH_MAX];
    bool replace;
};

/* Says before the work that it could not be written: `path` is there and `replace` is not asked for, it is `source`
 * itself, or it holds more than a data set (nothing else is ever removed). ERR_IO; ERR_INPUT for `source`. */
NODISCARD enum status new_folder_check(const char *path, const char *source, bool replace,
                                       struct error *err);
/* Names the two; whoever writes to `temporary` makes it, with its parent folders. */
NODISCARD enum status new_folder_begin(const char *path, bool replace, struct new_folder *ret,
                                       struct error *err);
/* Renames; what stood there before goes away. The temporary folder is gone either way. */
NODISCARD enum status new_folder_commit(struct new_folder *f, struct error *err);
void new_folder_abort(struct new_folder *f);
