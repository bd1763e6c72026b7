/* Generated questions as a data set without outcomes: what the demo trains and examines on. */
#pragma once

#include "data/dataset.h"
#include "pose/question.h"

/* `count` questions with distinct texts, ids "q1"..., domain the skill, task "demo"; the experts are the sandbox's.
 * `avoid` (NULL: none): a set with which no text may be shared. Free with dataset_free. */
NODISCARD enum status question_set_make(uint64_t seed, size_t count, const struct dataset *avoid,
                                        struct dataset **ret, struct error *err);
