/* A good set of candidates under a number, a cost, or both: one after the other by what each adds, then swaps.
 *
 * For a submodular objective under a number alone, the set is worth at least 1 − 1/e of the best one (Nemhauser, Wolsey
 * and Fisher 1978). Where the objective is not submodular, or costs limit the set, nothing is promised: see exact.h.
 * Pure functions of their arguments; one thread. */
#pragma once

#include "universe/objective.h"

/* What a set may be. All of it is the caller's and stays as it is. */
struct set_rules {
    size_t candidates; /* up to CANDIDATES_MAX */
    const int64_t *
        cost_nano_usd; /* [candidates], per 1,000 queries: what asking it everything costs; 0 or more, up to
                                     CANDIDATE_COST_UNKNOWN */
    size_t count_max;          /* members, kept ones among them; candidates or more: no limit */
    int64_t cost_max_nano_usd; /* sum over members; INT64_MAX: no limit */
    const size_t
        *keep; /* [keep_count]: members of every set, whatever they add; they fit the limits */
    size_t keep_count;
    void (*progress)(size_t evaluations, void *arg); /* NULL: nobody is told */
    void *arg;
};

/* A set in the order in which its members were taken, kept ones first. */
struct chosen_set {
    size_t members[CANDIDATES_MAX];
    double values[CANDIDATES_MAX]; /* of the objective, once that member was in */
    size_t count;
    int64_t cost_nano_usd; /* per 1,000 queries */
    size_t evaluations;    /* how often the objective was asked */
};

static inline double chosen_value(const struct chosen_set *s)
{
    return s->count ? s->values[s->count - 1] : 0;
}

enum greedy_measure { GREEDY_GAIN, GREEDY_GAIN_PER_COST };

/* Takes what adds most, by itself or for its cost, as long as something adds and fits. Of equals the cheaper is taken,
 * then the one that stands first. Lazy (Minoux 1978; CELF, Leskovec et al. 2007) asks only for gains that may be the
 * largest; it needs a submodular objective, and then chooses the same. Fails only as the objective does. */
NODISCARD enum status greedy_choose(const struct objective *o, const struct set_rules *rules,
                                    enum greedy_measure measure, bool lazy, struct chosen_set *ret,
                                    struct error *err);

/* Improves a set by the best of all swaps, additions and removals, until none is better. */
NODISCARD enum status set_swap(const struct objective *o, const struct set_rules *rules,
                               struct chosen_set *set, struct error *err);

/* Puts members[count] into the order in which greedy would take them out of each other, kept ones first, with the
 * value after each. All of them are in the result, also those that add nothing. */
NODISCARD enum status set_order(const struct objective *o, const struct set_rules *rules,
                                const size_t *members, size_t count, struct chosen_set *ret,
                                struct error *err);
