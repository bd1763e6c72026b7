/* The evaluation of a router on recorded outcomes, as numbers; report_write.h prints it.
 *
 * All costs and scores are recorded ones; predictions only choose. */
#pragma once

#include "eval/curve.h"
#include "eval/metrics.h"
#include "eval/pair.h"

#define REPORT_FRACTIONS    4
#define REPORT_CURVE_POINTS 101 /* kept of the sweep, evenly spread over its cost */
extern const double report_fractions[REPORT_FRACTIONS]; /* 0.5, 2/3, 0.75, 1 */

/* A figure and its standard error; both NaN when there is none. */
struct figure {
    double value, error;
};

struct report_expert {
    struct str name;
    bool in_pool;
    struct figure accuracy;
    double usd_per_1k;
    double auc, ece; /* NaN for an expert outside the pool */
};

/* Cost and accuracy of a way to answer all queries. */
struct report_baseline {
    size_t expert; /* best single only */
    struct figure accuracy;
    double usd_per_1k;
};

struct report_curve_point {
    double lambda, usd_per_1k, accuracy;
};

/* The router at a fraction of the reference's cost. */
struct report_at {
    double fraction, usd_per_1k;
    struct figure accuracy;
    struct figure relative;   /* accuracy / the reference's */
    struct figure difference; /* accuracy - the reference's */
    double
        mix; /* best random mix of single experts of the pool at that cost; NaN below the cheapest */
};

struct report {
    size_t queries, expert_count, reference;
    size_t draws; /* of the bootstrap */
    uint64_t seed;
    struct report_expert *experts; /* [expert_count], as in the table */
    struct report_baseline
        oracle; /* the cheapest right expert of the pool; none right: the cheapest */
    struct report_baseline best_single;
    struct report_baseline random_mix; /* every expert of the pool equally often */
    struct report_curve_point *curve;
    size_t curve_count;
    size_t steps; /* operating points of the whole sweep */
    struct report_at at[REPORT_FRACTIONS];
    struct figure
        matched; /* lowest fraction of its cost at which the reference is reached; NaN: never */
    double matched_share; /* of the draws in which it was reached at all */
    bool is_pair;         /* the pool is two experts, one the reference */
    size_t weak;          /* the other one */
    struct figure apgr, cpt50, cpt80;
};

struct report_options {
    size_t draws; /* bootstrap; 0: no standard errors */
    uint64_t seed;
    void (*progress)(size_t done, void *arg); /* may be NULL */
    void *arg;
};

/* Everything in the report lives in `a`. ERR_INPUT: no queries or an empty pool. */
NODISCARD enum status report_make(const struct eval_table *t, const struct report_options *options,
                                  struct arena *a, struct report *ret, struct error *err);
