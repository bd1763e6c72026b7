/* Estimates to a decision. One function decides for requests, for texts and in libleeroo (src/route); eval finds
 * what it would choose at every lambda at once. Arms are single experts and plans alike (predict/arm.h).
 *
 * utility = quality − lambda · cost_usd, of the cost as it is weighed (estimate_weighed_nano_usd). Ties go to the
 * cheaper arm, then to the lower index. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "predict/model.h"

struct policy {
    double lambda; /* quality per USD; used when neither of the next two is set */
    double
        budget_usd_per_1k; /* > 0: average predicted cost held by a budget controller, which sets lambda */
    double min_quality; /* > 0: the cheapest arm predicted at or above it; none: the best one */
    int64_t
        max_cost_nano_usd; /* > 0: hard cap on one request's predicted cost, all calls of a plan made */
    uint32_t
        max_calls; /* > 0: no plan asks more members; a sequential one stops there, others are left out */
    uint32_t
        max_latency_ms; /* > 0: an answer is wanted within it (route/in_time.h, predict/timed.h) */
};

struct decision {
    size_t arm; /* index into the estimates */
    double quality;
    int64_t cost_nano_usd;
    double lambda; /* the one in force */
};

/* Chooses among estimates[count] those with eligible[i] (NULL: all). ERR_NOT_FOUND: no arm is eligible; ERR_BUDGET:
 * every eligible arm is over max_cost. err->text is for a person. */
NODISCARD enum status decide(const struct policy *p, double lambda,
                             const struct estimate *estimates, const bool *eligible, size_t count,
                             struct decision *ret, struct error *err);
/* The order in which to try the eligible others when `first` fails: best utility first. Returns how many. */
size_t decide_fallbacks(const struct policy *p, double lambda, const struct estimate *estimates,
                        const bool *eligible, size_t count, size_t first, size_t *order);
