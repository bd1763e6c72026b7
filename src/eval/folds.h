/* Cross-validation of the path that serves, without a model file to keep: every fold of the queries (by text) is
 * measured with a model that learnt from the other folds, through a file as in use, and all of them become one table.
 * So no query is measured by a model that has seen it. The same data, options and seed give the same figures. */
#pragma once

#include "eval/build.h"

#define FOLDS_MIN 2
#define FOLDS_MAX 20

typedef void folds_progress(size_t done, size_t total, void *arg); /* folds */

struct folds_options {
    uint32_t folds;        /* FOLDS_MIN to FOLDS_MAX */
    const char *experts;   /* "a,b": the pool; NULL: all that have outcomes */
    const char *reference; /* compared with the pool; NULL: the best of the pool */
    /* NULL, "" or "all": found by search where the data set has texts; "none"; else named, as train_options has them */
    const char *plans;
    bool needs_texts; /* without texts to find plans in it is an error, not a pool without plans */
    uint64_t seed;    /* of the folds and of training */
    folds_progress *progress; /* may be NULL */
    void *arg;
};

/* Rows stand fold by fold; query_index says which query of `d` each is. Plans differ from fold to fold. Those of equal
 * members are taken together by how often they ask the last, and are called by the mean of it: "panel(a,b→c ~30%)". In
 * a fold that has none of these members the column stands for the plan's last member alone, so every column is a way to
 * answer all queries. `plans_without_texts` counts the plans of all folds.
 *
 * The table lives in `a`, its experts' names in `d`, whose outcomes get their answers. Errors are those of training and
 * of eval_set_build. */
NODISCARD enum status eval_folds_build(struct dataset *d, const struct folds_options *options,
                                       struct arena *a, struct eval_set *ret, struct error *err);
