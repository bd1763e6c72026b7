/* The best set under a number, a cost, or both, for coverage: branch and bound.
 *
 * The bound splits each question's score in two. One part is counted for every member that earns it, as if nobody else
 * did, which makes the choice of members a knapsack; the other is counted once, as if whoever may still join were all
 * there. Any split gives a bound, since together the parts are never less than what the best member earns; the split
 * that makes it small is sought by subgradient steps: the Lagrangean relaxation of maximum coverage (Galvão and ReVelle
 * 1996), as tight as its linear program. A few dozen nodes settle 33 candidates on 8,000 questions.
 *
 * Deterministic: what is done hangs on the arguments alone, not on a clock. One thread; may take seconds. */
#pragma once

#include "universe/coverage.h"
#include "universe/greedy.h"

struct exact_options {
    uint64_t work_max; /* after so many scores looked at, the search gives up */
    void (*progress)(uint64_t work, void *arg); /* NULL: nobody is told */
    void *arg;
};

struct exact_end {
    bool proved;  /* nothing is better */
    double bound; /* no set that the rules allow is worth more, in the objective's units */
    size_t nodes;
    uint64_t work;
};

/* Improves a set that the rules allow to the best one, or as far as the work allows. Members that add nothing are left
 * out, and the others stand as set_order() puts them. */
NODISCARD enum status exact_choose(const struct coverage *v, const struct set_rules *rules,
                                   const struct exact_options *options, struct chosen_set *set,
                                   struct exact_end *ret, struct error *err);
