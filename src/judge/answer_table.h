/* Recorded answers of a data set as plans need them: the classes by which they agree, in the outcomes, and statistics
 * of their texts, in a table, from which the verdicts between calls are learnt. The same for training and
 * evaluation. */
#pragma once

#include "data/dataset.h"
#include "encode/answer_stats.h"

struct answer_cell {
    bool present; /* a text was recorded */
    float stats[ANSWER_STATS];
    struct certainty certainty;
};

struct answer_table {
    const struct answer_cell *cells; /* [query_count × expert_count] of the data set */
};

typedef void answer_table_progress(size_t done, size_t total, void *arg);

/* Fills answer and answer_class of the outcomes of these experts where the data set has texts or a column `answer`;
 * experts without are left alone. Before dataset_concat. *ret_found: how many experts have texts in responses/. */
NODISCARD enum status answer_table_classify(struct dataset *d, const size_t *experts, size_t count,
                                            answer_table_progress *progress, void *arg,
                                            size_t *ret_found, struct error *err);

/* Reads the texts of these experts (indices in `all`) from the folders of `parts`, which are `all` one after the other.
 * The table lives in `a`. */
NODISCARD enum status answer_table_read(struct dataset *const *parts, size_t part_count,
                                        const struct dataset *all, const size_t *experts,
                                        size_t count, struct arena *a, struct answer_table *ret,
                                        struct error *err);
