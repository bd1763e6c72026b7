/* Making calls for another machine's run: claims them through Redis, asks as calls.h does, and sends back what comes of
 * them. The journal and the money are the run's leader's; the keys of APIs are this machine's own. */
#pragma once

#include "calls/calls.h"

struct join_end {
    size_t answered, broken;
    int64_t cost_nano_usd;
};

/* Of the options the experts, concurrency, network, seed, stop, watch, and share, whose run may be NULL: the only one
 * that is there, waited for where there is none. Returns when the run is over, or after `stop`, when what was in flight
 * has been sent. Blocks, on the thread of its caller. */
NODISCARD enum status calls_join(const struct calls_options *o, struct join_end *ret,
                                 struct error *err);
