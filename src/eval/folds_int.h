/* Between folds.c and folds_merge.c. */
#pragma once

#include "eval/folds.h"

/* One fold as it was measured: names live in the arena of the result, set.query_index counts in `rows`. */
struct fold {
    struct eval_set set;
    uint32_t *rows; /* of the fold's queries in the whole data set */
};

/* All folds as one table. Their single experts are the same and in the same order. */
NODISCARD enum status folds_merge(const struct fold *folds, size_t count, struct arena *a,
                                  struct eval_set *ret, struct error *err);
