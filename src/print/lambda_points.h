/* Which lambda to take: three places on the cost-accuracy curve that people ask for, each with what it is worth by a
 * training's own held-out estimates and the recorded outcomes. */
#pragma once

#include "eval/table.h"
#include "train/train.h"

enum lambda_place {
    LAMBDA_MATCHES, /* as good as the best single expert, for the least */
    LAMBDA_KNEE, /* farthest above the line from the cheapest to the best: beyond it quality is dear */
    LAMBDA_HALF, /* for half of what the best single costs */
    LAMBDA_PLACES
};

#define LAMBDA_ROWS_MIN 100 /* fewer queries tell nothing of a lambda */

struct lambda_point {
    bool there;    /* false: no lambda gets there */
    double lambda; /* of two digits; the figures are those of just this policy */
    double quality, quality_error, usd_per_1k;
};

struct lambda_points {
    bool has_plans;  /* which are left out here */
    size_t queries;  /* fewer than LAMBDA_ROWS_MIN: nothing else is set */
    struct str best; /* the best single */
    double best_quality, best_error, best_usd_per_1k;
    struct lambda_point at[LAMBDA_PLACES];
};

/* On the queries of `d`, which it was learnt from, that are in the training's sample and of which every expert's
 * outcome is known; by single experts alone. Memory is `a`'s. */
NODISCARD enum status lambda_points_find(const struct trained *t, const struct dataset *d,
                                         struct arena *a, struct lambda_points *ret,
                                         struct error *err);
/* The same of any table; for tests and whoever has one. */
NODISCARD enum status lambda_points_of(const struct eval_table *table, struct arena *a,
                                       struct lambda_points *ret, struct error *err);
