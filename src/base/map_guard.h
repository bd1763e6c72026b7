/* Mapped files that somebody else may cut. Touching a page behind the new end of the file raises SIGBUS, which ends the
 * process; a guarded page becomes memory instead, of zeros, and the process goes on with what it writes there. The file
 * gets nothing of it any more: whoever looks is told, once for each file. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define MAP_GUARDS_MAX 16

struct map_guard;

/* Guards map[len], a shared mapping of whole pages that may be read and written. `name` is told when the file was cut.
 * ERR_MEMORY: no memory, or MAP_GUARDS_MAX maps are guarded. */
NODISCARD enum status map_guard_begin(void *map, size_t len, const char *name,
                                      struct map_guard **ret, struct error *err);
/* Before the map goes; NULL is fine. No other thread may touch the map any more. */
void map_guard_end(struct map_guard *g);
/* Whether a page of it is memory by now. Any thread. */
bool map_guard_is_cut(const struct map_guard *g);
/* Calls `say` for each guarded file that was found cut since the last call. One thread at a time. */
void map_guards_tell(void (*say)(const char *name));
