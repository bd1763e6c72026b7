/* Choosing among the experts that can be asked now. */
#pragma once

#include "gate/gate.h"
#include "route/pool_choice.h"

/* As pool_choose, but experts whose circuit is open or which are cooling down (gate/gate.h) are barred, too, beside
 * those that target.barred names. If that leaves none, the choice is made without these further bars: the call then
 * finds the gate closed, and the client is told when to come back. gates[expert_count]. */
NODISCARD enum status candidates_choose(struct pool *p, struct gate *const *gates,
                                        const struct openai_request *request,
                                        struct pool_target target, uint64_t now_ms,
                                        const struct request_estimates *e, struct arena *a,
                                        struct pool_choice *ret, struct error *err);
