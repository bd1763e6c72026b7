/* Two models on the same queries: a query for which one has no outcome does not count for the other either. */
#pragma once

#include "eval/build.h"

/* Leaves in both sets, which were built from one data set, only the queries that both have; left_out grows by the rest,
 * and trained_on is counted anew with the two models. Nothing is copied where nothing has to go. Lives in `arena`. */
NODISCARD enum status eval_sets_common(struct eval_set *a, const struct model *model_a,
                                       struct eval_set *b, const struct model *model_b,
                                       const struct dataset *d, struct arena *arena,
                                       struct error *err);
