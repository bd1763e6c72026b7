/* A model that a command changes without its data: whom the command line means, and where the changed file goes. */
#pragma once

#include "play/publish_file.h"

#include <time.h>

#define MODEL_DAY_BYTES 16
/* "2026-11-30", UTC, in `into`. */
struct str model_day(time_t at, char into[MODEL_DAY_BYTES]);

/* The expert of that name that can be chosen. ERR_INPUT says who is known, and who may have been meant. */
NODISCARD enum status model_change_find(const struct model *m, struct str name, size_t *ret,
                                        struct error *err);
/* Whether `output` (may be NULL) can take what `path` becomes: ERR_USAGE where both are one file. */
NODISCARD enum status model_change_check(const char *path, const char *output, struct error *err);
/* Writes `m`, which was loaded from `path`, edited: to `output`; with NULL in its place, where the one before is kept
 * as PATH.previous. The edit's days are filled in: today, and that of the file at `path`. */
NODISCARD enum status model_change_write(const struct model *m, const struct model_edit *edit,
                                         const char *path, const char *output, struct error *err);
