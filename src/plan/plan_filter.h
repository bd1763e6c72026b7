/* Which plans of a model may be chosen: what a policy, a request or an option says about them. */
#pragma once

#include <stdbool.h>

#include "predict/model.h"

/* Leaves out plans that may ask more than `max_calls` members (0: any number), but sequential ones, which stop there
 * where that is at least two. */
void plan_filter_calls(const struct model *m, uint32_t max_calls, bool *use);
/* use[model_arm_count]: the experts' part is given; the plans' part is filled. A plan may be chosen when a pattern
 * means it and all its members are in use. `patterns` are separated by ';': "all", "none", "cascade", "panel",
 * "sequential", or the name of a plan, "panel(a,b->c)"; the empty string is "all". ERR_NOT_FOUND: a name means no plan
 * of the model. */
NODISCARD enum status plan_filter_apply(const struct model *m, struct str patterns, bool *use,
                                        struct error *err);
