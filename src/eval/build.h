/* From a model and a data set to an eval_table: the same encoder and estimates as at serving time, on the queries
 * where everything to compare is known. */
#pragma once

#include "eval/table.h"

struct eval_set {
    struct eval_table table;    /* over the two matrices below */
    struct estimate *estimates; /* [queries × experts] */
    struct outcome *outcomes;
    const uint32_t *query_index; /* [queries] of the table's rows in the data set */
    size_t left_out;   /* queries without a known score and cost for every expert compared */
    size_t trained_on; /* queries of the table whose text the model was trained on */
};

/* Writes the indices of the queries whose score and cost are known for all experts[count]; returns how many. */
size_t eval_known_queries(const struct dataset *d, const size_t *experts, size_t count,
                          uint32_t *queries);

/* `experts` ("a,b"; NULL: all that model and data set share) are the pool; `reference` (NULL: the most accurate of
 * the pool) is compared with them and need be in the data set only. Lives in `a`; names point into `d`. */
NODISCARD enum status eval_set_build(const struct model *m, const struct dataset *d,
                                     const char *experts, const char *reference, struct arena *a,
                                     struct eval_set *ret, struct error *err);
