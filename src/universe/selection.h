/* A set chosen under rules by everything there is for its objective, and what can be promised of it. */
#pragma once

#include "base/buf.h"
#include "universe/exact.h"

enum selection_promise {
    SELECTION_PROVED,   /* no set that the rules allow is better */
    SELECTION_BOUNDED,  /* none is worth more than `bound` */
    SELECTION_NO_BOUND, /* none better was found; the objective allows no promise */
};

struct selection {
    struct chosen_set set;
    double unit;  /* of its values: value × unit is a mean score */
    double bound; /* in the same units; without a bound NaN */
    enum selection_promise promise;
    bool
        share; /* at least 1 − 1/e of the best set's value: greedy under a number, of a submodular objective */
    size_t nodes; /* of the exact search */
};

/* Value of the set as a mean score, 0..1. */
static inline double selection_mean(const struct selection *s)
{
    return chosen_value(&s->set) * s->unit;
}

/* Greedy by gain, and by gain for its cost where cost is limited; then the exact search; where that has given up swaps,
 * unless there are too many of them for the work that is allowed. */
NODISCARD enum status selection_by_coverage(const struct coverage *v, const struct set_rules *rules,
                                            const struct exact_options *options,
                                            struct selection *ret, struct error *err);

/* What is promised of the set, in words: "optimal (proved)". */
void selection_promise_add(const struct selection *s, struct buf *out);
