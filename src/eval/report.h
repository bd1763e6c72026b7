/* The evaluation of a router on recorded outcomes, as numbers; report_write.h and report_html.h print it.
 *
 * All costs and scores are recorded ones; predictions only choose. */
#pragma once

#include "eval/auc_ece.h"
#include "eval/curve.h"
#include "eval/pair.h"
#include "eval/report_verified.h"

#define REPORT_FRACTIONS_MAX 16  /* of the reference's cost, that a caller may ask for */
#define REPORT_CURVE_POINTS  101 /* kept of the sweep, evenly spread over its cost */
#define REPORT_PATH_POINTS   64  /* places on the curve whose shares and errors are known */
#define REPORT_KEEPS         4

/* Where the router is measured unless told otherwise: 0.35, 0.5, 2/3, 0.75, 1. */
#define REPORT_FRACTIONS 5
extern const double report_fractions[REPORT_FRACTIONS];
extern const double report_keeps[REPORT_KEEPS]; /* 0.95, 0.98, 0.99, 1 */

/* A figure and its standard error; both NaN when there is none. */
struct figure {
    double value, error;
};

/* A column of the table on its own: a single expert, or a plan. */
struct report_expert {
    struct str name;
    bool in_pool;
    struct figure accuracy;
    double usd_per_1k;
    double auc, ece;   /* NaN outside the pool */
    double escalation; /* of a plan: share of the queries on which its last member is asked */
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
    /* What is really spent: less where the curve ends before; NaN where no policy is that cheap. */
    double spent_usd_per_1k;
    struct curve_cut cut; /* the place on the curve; meaningless without a policy */
    struct figure accuracy;
    struct figure relative;   /* accuracy / the reference's */
    struct figure difference; /* accuracy - the reference's */
    /* The best random mix of single experts of the pool at that cost; NaN below the cheapest. */
    double mix;
    double *shares; /* [columns] of the queries that each column answers */
};

/* What the Leeroo paper claims (arXiv 2401.13979), measured: the router against the reference at two thirds of its
 * cost, at equal cost, at half of it, and at three quarters. */
enum report_claim {
    CLAIM_TWO_THIRDS,
    CLAIM_EQUAL_COST,
    CLAIM_HALF,
    CLAIM_THREE_QUARTERS,
    REPORT_CLAIMS
};

/* The lowest cost at which a share of the reference's accuracy is kept. */
struct report_keep {
    double share;
    struct figure fraction; /* of the reference's cost; NaN: never */
    double usd_per_1k, accuracy, lambda;
};

struct report_path_point {
    struct curve_cut cut;
    double usd_per_1k;
    struct figure accuracy;
    double *shares; /* [columns] */
};

struct report {
    size_t queries, expert_count, reference;
    size_t columns; /* experts, then plans */
    size_t draws;   /* of the bootstrap */
    uint64_t seed;
    struct report_expert *experts; /* [columns], as in the table; plans from expert_count on */
    /* Always the cheapest right expert of the pool; the cheapest of all where none is right. */
    struct report_baseline oracle;
    struct report_baseline best_single;
    struct report_baseline random_mix; /* every expert of the pool equally often */
    struct curve sweep;                /* all of it */
    struct curve_point *points;        /* [steps + 1] its operating points */
    size_t steps;
    struct report_curve_point *curve;
    size_t curve_count;
    struct report_path_point path[REPORT_PATH_POINTS]; /* cheapest point to most expensive */
    struct report_at at[REPORT_FRACTIONS_MAX];
    size_t at_count;
    double *draw_accuracy; /* [draws × at_count] */
    struct report_at claims[REPORT_CLAIMS];
    struct report_keep keeps[REPORT_KEEPS];
    /* The lowest fraction of the reference's cost at which its accuracy is reached; NaN: never. */
    struct figure matched;
    double matched_share; /* of the draws in which it was reached at all */
    bool is_pair;         /* the pool is two experts, one the reference */
    size_t weak;          /* the other one */
    struct figure apgr, cpt50, cpt80;
    const struct report_verified *verified; /* NULL: no check was asked for */
};

struct report_options {
    size_t draws; /* bootstrap; 0: no standard errors */
    uint64_t seed;
    void (*progress)(size_t done, void *arg); /* may be NULL */
    void *arg;
    const double *fractions; /* [fraction_count] > 0; NULL: report_fractions */
    size_t fraction_count;   /* at most REPORT_FRACTIONS_MAX */
};

/* Everything in the report lives in `a`; `t` must outlive it. ERR_INPUT: no queries or an empty pool. */
NODISCARD enum status report_make(const struct eval_table *t, const struct report_options *options,
                                  struct arena *a, struct report *ret, struct error *err);

/* Accuracy of b minus that of a at their at[i], with the error of the paired draws. Both reports must be of the same
 * queries, fractions, draws and seed. */
struct figure report_difference(const struct report *a, const struct report *b, size_t i);
/* The place on the curve for a person's policy: USD per 1,000 queries and accuracy at lambda = 0. */
struct report_curve_point report_curve_end(const struct report *r);
