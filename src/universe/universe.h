/* Everything that `leeroo select` has to say of a data set: the set, what it achieves beside the best single candidate
 * and all of them, what each is for, a set for each domain, the frontier. Printing it is others' business. */
#pragma once

#include "universe/member_use.h"
#include "universe/selection.h"

#define FRONTIER_NUMBERS 10 /* sets of one member, of two, ... */
#define FRONTIER_COSTS   14 /* limits from the cheapest candidate's cost to that of all */
#define FRONTIER_WORK                                                                              \
    16 /* each search of these, or of a domain, may do this part of the set's own */

struct universe_options {
    size_t count_max;          /* members; candidates or more: no limit */
    int64_t cost_max_nano_usd; /* per 1,000 questions; INT64_MAX: no limit */
    const size_t *keep;
    size_t keep_count;
    const struct selection
        *chosen;           /* a set chosen already, by another objective; NULL: by coverage */
    const char *chosen_by; /* the name of that */
    bool per_domain, frontier;
    struct exact_options exact;
};

/* Rules that cannot be kept (more members to keep than allowed, or dearer; a cost limit where a candidate's cost is
 * not known), per_domain without domains: ERR_INPUT. */
NODISCARD enum status universe_check(const struct candidates *c, const struct universe_options *o,
                                     struct error *err);
struct set_rules universe_rules(const struct candidates *c, const struct universe_options *o);

struct domain_set {
    uint32_t domain;
    size_t questions;
    struct selection s;
    size_t best; /* single candidate there */
    double best_score, all;
};

struct frontier_point {
    size_t members[CANDIDATES_MAX], count;
    double achieves; /* mean score by coverage */
    int64_t cost_nano_usd;
    bool proved;
};

struct universe {
    const struct candidates *c;
    struct coverage v;
    struct selection s;
    const char *objective; /* its name */
    double covers;         /* the set's mean score by coverage, whatever it was chosen by */
    size_t best;           /* the single candidate of the highest score; of equals the cheaper */
    double all;            /* mean score by coverage of all candidates together */
    int64_t all_cost_nano_usd;
    struct candidate_use *uses; /* [candidates] */
    size_t *domain_sizes;       /* [domains] */
    double *domain_covers;      /* [domains]: the set's mean score there by coverage */
    struct domain_set *domains; /* [domain_count]; with per_domain */
    size_t domain_count;
    size_t joint[CANDIDATES_MAX], joint_count; /* members of any domain's set */
    double joint_covers;
    int64_t joint_cost_nano_usd;
    struct frontier_point *by_number, *by_cost; /* with frontier */
    size_t by_number_count, by_cost_count;
};

/* After universe_check. */
NODISCARD enum status universe_make(const struct candidates *c, const struct universe_options *o,
                                    struct arena *a, struct universe *ret, struct error *err);
