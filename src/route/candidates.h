/* Choosing among the experts that can be asked now. */
#pragma once

#include "gate/gate.h"
#include "route/pool_choice.h"

#define CANDIDATES_HOLD_MS 5000 /* a turn's expert is waited for that long, rather than left */

/* As pool_choose, but experts whose circuit is open or which are cooling down (gate/gate.h) are barred, too, beside
 * those that target.barred names; not the one that began a turn, if its cooldown is short. How long experts are
 * expected to take is theirs to say, too. If that leaves none, the choice is made without these further bars: the call
 * then finds the gate closed, and waits or is told when to come back. gates[expert_count]. */
NODISCARD enum status candidates_choose(struct pool *p, struct gate *const *gates,
                                        const struct openai_request *request,
                                        struct pool_target target, uint64_t now_ms,
                                        const struct request_estimates *e, struct arena *a,
                                        struct pool_choice *ret, struct error *err);
