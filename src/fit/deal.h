/* Groups of rows dealt to folds, whole groups each, so that the folds have about as many rows. */
#pragma once

#include <stdint.h>

#include "base/error.h"

#define DEAL_NONE UINT32_MAX

/* fold_of[group_count], below `folds`: each group, the largest first, goes to the fold that has the fewest rows. groups
 * [rows] are below group_count, or DEAL_NONE. Hangs on nothing but the groups. ERR_MEMORY. */
NODISCARD enum status deal_groups(const uint32_t *groups, size_t rows, size_t group_count,
                                  unsigned folds, uint8_t *fold_of, struct error *err);
