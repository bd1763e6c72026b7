/* What a set of candidates is worth, as a number that greedy, swaps and the exact search can ask for.
 *
 * A candidate is an index from 0 in its caller's list; which expert that is, only the caller and the objective's `arg`
 * know. Whoever made `arg` frees it, after the last question. Answers hang on the set alone, not on the order of
 * its members nor on what was asked before, so that plain and lazy greedy choose the same. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define CANDIDATES_MAX 256

/* What a candidate costs of which nobody knows it: dearer than whoever has a price, and never over 64 bits in sums. */
#define CANDIDATE_COST_UNKNOWN (INT64_MAX / (2 * CANDIDATES_MAX))

struct objective {
    const char *name; /* "coverage": for tables and pages */
    /* Whether adding to a larger set never brings more than adding to a part of it, and never takes away. Then values
     * are whole numbers below 2^53, for example sums of scores in millionths, so that differences of them are exact
     * and lazy greedy cannot be led astray by rounding. */
    bool submodular;
    double unit; /* value × unit is the mean score of the best use of the set, 0..1 */
    /* The value of members[count], all different; an empty set is worth 0. */
    enum status (*value)(void *arg, const size_t *members, size_t count, double *ret,
                         struct error *err);
    void *arg;
};
