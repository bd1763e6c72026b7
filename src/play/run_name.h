/* The name of a run among machines: RUN_DIR/share.txt, made when it is first shared, so that it stays when the run goes
 * on. */
#pragma once

#include "base/arena.h"
#include "base/error.h"

/* The folder's name and some random digits; lives in `a`. ERR_CORRUPT: the file holds no name. */
NODISCARD enum status run_name(const char *folder, struct arena *a, const char **ret,
                               struct error *err);
