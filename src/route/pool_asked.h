/* Who would be asked: every query of the model's held-out sample, at the pool's prices, decided by each policy of the
 * pool as decide() does. Whoever is never chosen by any of them is not worth its place in the pool. */
#pragma once

#include "route/pool.h"

/* A budget's lambda moves while it is held; it counts at these multiples of the one in force. */
#define POOL_ASKED_LAMBDAS                                                                         \
    {                                                                                              \
        0.5, 1, 2                                                                                  \
    }

struct pool_asked {
    bool in_use;    /* a policy may choose it */
    bool fits;      /* and its max_cost, where it has one, lets it for some query */
    uint64_t alone; /* decisions that choose it */
    uint64_t
        in_plan; /* that choose a plan of which it is a member, whether or not it is called at last */
    double quality, usd_per_1k; /* mean estimates over the sample */
    /* Of those that some policy chooses the best that is on average no dearer than this one, and better; SIZE_MAX:
     * there is none. */
    size_t better;
};

/* asked[expert_count]. *ret_decisions: how many there were; 0: the model has no sample, and nothing is known. Takes as
 * many decisions as there are rows of the sample times policies: milliseconds, not for each request. ERR_MEMORY. */
NODISCARD enum status pool_asked(const struct pool *p, struct pool_asked *asked,
                                 uint64_t *ret_decisions, struct error *err);
/* Why `expert` is never asked, in words: "b is no dearer and better", or that max_cost forbids it; with what bears on
 * it: that it is only placed by a prior, and by whose name or for whom it is asked all the same. */
void pool_asked_explain(const struct pool *p, const struct pool_asked *a, size_t expert,
                        struct buf *out);
/* Whether a policy might choose it, and none ever does. */
static inline bool pool_never_asks(const struct pool_asked *a)
{
    return a->in_use && !a->alone && !a->in_plan;
}
