/* The plans of a model as columns of the table: what each would have called and answered, run on recorded answers by
 * the escalation that the gateway runs. Internal to build.c and
 * verify_columns.c. */
#pragma once

#include "eval/table.h"
#include "judge/answer_table.h"

/* A plan column over columns of the table, which hold single experts. */
struct plan_column {
    size_t arm;                       /* of the model */
    size_t members[PLAN_MEMBERS_MAX]; /* columns */
};

/* The recorded outcome of running the plan on one query: score of the answer that stood, cost and tokens of all calls.
 * `outcomes` and `estimates` are the row's, by column; `cells` the answers' statistics, by column. */
void plan_column_run(const struct model *m, const struct plan_column *c, float characters,
                     uint32_t choice_count, const struct estimate *estimates,
                     const struct outcome *outcomes, const struct answer_cell *const *cells,
                     struct outcome *ret, struct eval_run *ret_run);
/* Adds cost and tokens of one call to those of a plan, which has few, of at most 1e9 USD each. */
void plan_column_add(struct outcome *total, const struct outcome *call);
