/* What to ask a newcomer of a data set's questions: the broken ones apart, the most telling first. */
#pragma once

#include "enroll/broken.h"
#include "enroll/rows.h"
#include "enroll/suggest.h"

struct enroll_questions {
    struct enroll_rows rows;
    enum broken_way *ways; /* [rows.count] */
    uint32_t *picks;       /* [count] of the rows */
    size_t count, broken;
};

/* At most `want` of `d` for the newcomer of that name. Lives in `a`. ERR_INPUT: there is nothing left to ask. */
NODISCARD enum status enroll_questions_choose(const struct model *m,
                                              const struct enroll_belief *belief,
                                              const struct dataset *d, struct str newcomer,
                                              size_t want, struct arena *a,
                                              struct enroll_questions *ret, struct error *err);
