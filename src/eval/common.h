/* Two models on the same queries: what one has no outcome for, the other does not count either. */
#pragma once

#include "eval/build.h"

/* Leaves in both sets, built from one data set, the queries that both have; left_out grows by the rest. trained_on is
 * counted anew by the caller's models. Where nothing has to go nothing is copied. Lives in `arena`. */
NODISCARD enum status eval_sets_common(struct eval_set *a, const struct model *model_a,
                                       struct eval_set *b, const struct model *model_b,
                                       const struct dataset *d, struct arena *arena,
                                       struct error *err);
