/* A data set's questions as rows of an enrolment. */
#pragma once

#include "data/dataset.h"
#include "enroll/enroll.h"

struct enroll_rows {
    struct enroll_row *rows; /* [count]; texts are the data set's */
    uint32_t *query;         /* [count] of the data set */
    size_t count, outcomes;  /* of the newcomer */
};

/* All questions that the newcomer has an outcome of, and of the others at most `more`, evenly spread: they say what is
 * usual. What the model's experts made of a question goes with it. A data set without outcomes, or without the
 * newcomer, has none of either. Lives in `a`. ERR_MEMORY. */
NODISCARD enum status enroll_rows_take(const struct model *m, const struct dataset *d,
                                       struct str newcomer, size_t more, struct arena *a,
                                       struct enroll_rows *ret, struct error *err);
