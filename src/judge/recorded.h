/* The recorded answers of a data set as plans need them: the classes by which they agree, in the outcomes, and
 * statistics of their texts, in a table. The same for training and for evaluation. */
#pragma once

#include "judge/answer_table.h"

typedef void plan_answers_progress(size_t done, size_t total, void *arg);

/* Fills answer and answer_class of the outcomes of these experts where the data set has texts or a column `answer`;
 * experts without are left alone. Before dataset_concat. *ret_found: how many experts have texts in responses/. */
NODISCARD enum status plan_answers_classify(struct dataset *d, const size_t *experts, size_t count,
                                            plan_answers_progress *progress, void *arg,
                                            size_t *ret_found, struct error *err);

/* Reads the texts of these experts (indices in `all`) from the folders of `parts`, which are `all` one after the other.
 * The table lives in `a`. */
NODISCARD enum status plan_answers_read(struct dataset *const *parts, size_t part_count,
                                        const struct dataset *all, const size_t *experts,
                                        size_t count, struct arena *a, struct answer_table *ret,
                                        struct error *err);
