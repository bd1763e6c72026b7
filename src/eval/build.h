/* From a model and a data set to an eval_table: the same encoder and estimates as at serving time, on the queries
 * where everything to compare is known. */
#pragma once

#include "eval/table.h"

struct eval_set {
    struct eval_table table;    /* over the two matrices below */
    struct estimate *estimates; /* [queries × experts] */
    struct outcome *outcomes;
    struct eval_run *runs;
    const float *shared_sd;      /* [queries] of the model that estimated them (model_shared_sd) */
    const uint32_t *query_index; /* [queries] of the table's rows in the data set */
    size_t plans_without_texts;  /* plans left out: the data set has no responses of a member */
    size_t left_out;   /* queries without a known score and cost for every expert compared */
    size_t trained_on; /* queries of the table whose text the model was trained on */
};

/* Writes the indices of the queries whose score and cost are known for all experts[count]; returns how many. */
size_t eval_known_queries(const struct dataset *d, const size_t *experts, size_t count,
                          uint32_t *queries);

/* Whether some outcome's score and cost are known. */
bool eval_has_outcomes(const struct dataset *d, size_t expert);
/* Mean known score; the reference when none is named is the best by it. 0 where no score is known. */
double eval_mean_score(const struct dataset *d, size_t expert);

struct eval_pool {
    const char *experts; /* "a,b": the pool; NULL: all that model and data set share */
    const char *
        reference; /* compared with the pool, need be in the data set only; NULL: the best of the pool */
    const char
        *plans; /* patterns as plan_filter_apply takes them; NULL: all. Plans need recorded texts */
};

/* The table lives in `a`; names point into `d` and `m`. Where the model has plans and the data set texts, outcomes of
 * `d` get their answers. ERR_NOT_FOUND: a plan named cannot be measured. */
NODISCARD enum status eval_set_build(const struct model *m, struct dataset *d,
                                     const struct eval_pool *pool, struct arena *a,
                                     struct eval_set *ret, struct error *err);
