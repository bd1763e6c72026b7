/* Choosing among those who can be asked now. */
#pragma once

#include "gate/gate.h"
#include "route/estimator.h"

/* As pool_choose, with the experts barred whose circuit is open or who are cooling down (gate/gate.h), beside those
 * whom target.barred names. When that leaves nobody, they are chosen among as if they were not: who asks finds the door
 * closed and can say until when. gates[expert_count]. */
NODISCARD enum status candidates_choose(struct pool *p, struct gate *const *gates,
                                        const struct openai_request *request,
                                        struct pool_target target, uint64_t now_ms,
                                        const struct request_estimates *e, struct arena *a,
                                        struct pool_choice *ret, struct error *err);
