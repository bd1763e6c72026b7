/* A part of a data set as a data set directory of its own. */
#pragma once

#include "data/dataset.h"

/* Writes rows[count] of `d` with all experts, and what they said to these queries where d's directory has responses.
 * Responses to queries that `d` has not are left behind. *texts, unless NULL, becomes how many were written. */
NODISCARD enum status dataset_part_write(const struct dataset *d, const uint32_t *rows,
                                         size_t count, const char *path, size_t *texts,
                                         struct error *err);
