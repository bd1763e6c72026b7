/* Cross-validation of the path that serves: train on four folds (by text), write and load the model, estimate and run
 * its plans on the fifth; then all held-out queries together as one table. */
#pragma once

#include "data/dataset.h"
#include "eval/table.h"

#define CV_FOLDS 5

typedef void cv_progress(size_t done, size_t total, void *arg); /* folds */

struct cv_pool {
    size_t experts;        /* the pool: the first so many of the data set */
    size_t reference;      /* any of the data set */
    bool plans;            /* learn plans too: every expert needs texts in responses/ */
    uint64_t seed;         /* of the folds and of training */
    cv_progress *progress; /* may be NULL */
    void *arg;
};

struct cv {
    /* Plans that only some folds have found are columns that the other folds' queries never choose: there they have
     * quality 0 at an absurd price, so nothing may be read from such a column on its own. */
    struct eval_table table;
    size_t
        left_out; /* queries without a known score and cost (with plans: and text) of every expert */
};

/* `d` holds the pool and the reference alone. The table lives in `a`, its experts' names in `d`. ERR_NOT_FOUND: plans
 * without texts; the errors of training. */
NODISCARD enum status cv_run(struct dataset *d, const struct cv_pool *pool, struct arena *a,
                             struct cv *ret, struct error *err);
