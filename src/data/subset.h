/* Some queries of a data set as a data set of their own: the two halves of a fold. */
#pragma once

#include "data/dataset.h"

/* rows[count] are query indices of `d`, which must outlive the subset: texts, names and experts are shared. */
NODISCARD enum status dataset_subset(const struct dataset *d, const uint32_t *rows, size_t count,
                                     struct dataset **ret, struct error *err);
/* The same with some experts: experts[count] are indices of `d`, in the order wanted. Queries are shared. */
NODISCARD enum status dataset_subset_experts(const struct dataset *d, const size_t *experts,
                                             size_t count, struct dataset **ret, struct error *err);
