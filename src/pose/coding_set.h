/* Programming tasks as a data set without outcomes, with tests that do not stand in the questions. */
#pragma once

#include "data/dataset.h"

struct coding_set {
    struct dataset *data; /* the coders are its experts; domains are families, ids "t1" and so on */
    struct str *hidden;   /* [query_count] the same questions with the tests that are not shown */
};

/* `count` tasks with distinct texts; `avoid` (NULL: none) is a set with which no text may be shared. Free ret->data,
 * which owns all, with dataset_free. */
NODISCARD enum status coding_set_make(uint64_t seed, size_t count, const struct dataset *avoid,
                                      struct coding_set *ret, struct error *err);
