/* What is achieved on each query: by the expert that the model would choose for quality, whatever it costs, the router
 * with no limit but its own judgement.
 *
 * A query that the model was trained on is another matter: it remembers who was right, and its choice would look far
 * better than it is. There the expert is taken that is worth most on the other queries of its group, by what is
 * recorded of them; so is its estimate.
 *
 * What an expert is worth on a query is its recorded score where there is one, and else the model's estimate. A score
 * that is to be believed with confidence c counts c, the estimate 1 - c. */
#pragma once

#include "data/dataset.h"
#include "predict/model.h"

struct score_query {
    uint32_t expert,
        next; /* of the pool: chosen, and chosen without it; of a pool of one the same */
    float estimate,
        next_estimate; /* what they are worth, as long as nobody has seen their answers */
    float expected;    /* `estimate`; where the model was trained on it, of the whole group */
    float achieved;    /* what the chosen one is worth */
    float best;        /* what the best is worth of those recorded, and of the chosen one */
    float without;     /* what the next one is worth; of a pool of one 0 */
    bool recorded;     /* the chosen one's score is */
    bool compared;     /* and that of another one */
    bool seen;         /* the model was trained on it */
};

struct score_pool {
    size_t count;
    const struct str *names; /* [count] */
    const size_t *in_model;  /* [count] */
    const size_t *in_data;   /* [count]; SIZE_MAX: the data set has nothing of it */
};

struct score_set {
    const struct dataset *d;
    struct score_pool pool;
    struct score_query *queries; /* [query_count] */
    float *quality;              /* [query_count × pool.count] estimates */
    float *missed, *noise; /* [query_count] 1 - achieved; the variance of what is estimated of it */
    size_t recorded, seen, trained_on;
};

typedef void score_progress(size_t done, void *arg);

/* "a,b" or NULL: all that the model has, and the data set where it has outcomes. ERR_NOT_FOUND, ERR_INPUT: none. */
NODISCARD enum status score_pool_find(const struct model *m, const struct dataset *d,
                                      const char *experts, struct arena *a, struct score_pool *ret,
                                      struct error *err);
/* Everything lives in `a`; `d` must stay. `progress` may be NULL. */
NODISCARD enum status score_queries(const struct model *m, const struct dataset *d,
                                    const struct score_pool *pool, score_progress *progress,
                                    void *arg, struct arena *a, struct score_set *ret,
                                    struct error *err);
/* Chooses again on the queries that the model was trained on: group_of[query_count] below `groups`. With
 * `keep_expected` only `expected` stays as it is. */
NODISCARD enum status score_seen(struct score_set *s, const uint32_t *group_of, size_t groups,
                                 bool keep_expected, struct arena *a, struct error *err);
/* NULL: nothing is recorded. */
const struct outcome *score_outcome(const struct score_set *s, size_t query, size_t expert);
/* What an expert of the pool is worth on a query. */
double score_value(const struct score_set *s, size_t query, size_t expert);
