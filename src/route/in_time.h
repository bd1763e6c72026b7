/* Arms that would take longer than the policy in force allows (`max_latency`), by how long each expert is expected to
 * take (gate/gate.h). An expert of which that is unknown is taken for quick, and the quickest arm is never too slow. */
#pragma once

#include "route/pool_int.h"

/* Takes those of use[] from arm `from` on that are too slow out of it, and says so in c->ruled_out. Nothing happens
 * without a limit, nor amid a turn whose expert may be chosen. */
void in_time_rule_out(struct pool_choice *c, size_t from, bool *use);
/* Prices the sequential plans among use[] that have time for one turn alone as what they ask then. ERR_MEMORY. */
NODISCARD enum status in_time_price(const bool *use, struct arena *a, struct pool_choice *c,
                                    struct error *err);
