/* Which combinations of experts are worth a quick trial. Internal to train_plans.c. */
#pragma once

#include "train/plan_value.h"

/* candidates[max]: every pair, and every two with a third, of the experts that routing among singles uses most and of
 * those that come next; the most accurate is asked last. Returns how many there are. */
/* The experts that routing uses most, then those that come next, the least accurate first; chosen[max]. Returns how
 * many there are. */
size_t plan_screen_experts(const struct plan_rows *r, const struct plan_value *v, size_t max,
                           size_t *chosen);
size_t plan_screen(const struct plan_rows *r, const struct plan_value *v, struct plan *candidates,
                   size_t max);
