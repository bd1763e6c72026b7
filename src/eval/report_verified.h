/* What verified plans bring along the curve: how many are asked, what the check passes, and how dear the best single
 * expert's accuracy is with it. */
#pragma once

#include "eval/curve.h"

/* Of all queries at a place on the curve; shares 0..1. */
struct verified_point {
    double calls;   /* mean, of whatever was chosen */
    double checked; /* answered by a verified plan */
    double passed;  /* of all: the answer was passed by the check */
    double wrong;   /* of those passed: wrong all the same; NaN where none was */
    double down;    /* of all: the check could not say */
};

struct report_verified {
    struct verified_check believed[2]; /* as in struct eval_verified */
    struct verified_point *at;         /* by place of the report */
    /* Where the curve reaches the accuracy of the best single expert: */
    struct verified_point matched; /* meaningless where it is never reached */
    double accuracy;               /* that accuracy, 0..1 */
    double usd,
        single_usd; /* a query, there and of that expert; usd is NaN where it is never reached */
};

/* The figures at a place; choices [queries] is scratch. The table has verified plans. */
struct verified_point verified_at(const struct curve *c, const struct curve_cut *cut,
                                  uint32_t *choices);
