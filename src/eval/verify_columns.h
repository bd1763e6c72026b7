/* Verified plans (predict/verified.h) as columns of a table: what a check has said of recorded answers, or what one
 * with errors would have said, decides how far each query's own plans go. */
#pragma once

#include "eval/build.h"

struct verify_options {
    const char *column; /* of outcomes.csv (data/check_column.h); "score": the scores themselves */
    double false_pass;  /* 0..VERIFY_ERROR_MAX: so many rejections are turned at random, */
    double false_alarm; /* and so many passes */
    int64_t price_nano_usd; /* of a check, >= 0 */
    uint64_t seed;          /* of what is turned, and of the halves */
};

#define VERIFY_ERROR_MAX 0.5

/* "0.05", or "0.05,0.2" for false passes and false alarms apart; false: neither. */
bool verify_errors_read(const char *text, struct verify_options *o);

/* Adds VERIFIED_PLANS_MAX columns, from each query's cheapest plan to its best, as its estimates say.
 * What the plans believe of the check is counted on that half of the
 * queries which the query is not in. Recorded costs count, and the price of each check. ERR_INPUT: fewer than two
 * experts to ask, or no such column. */
NODISCARD enum status eval_verify(struct eval_set *s, const struct dataset *d,
                                  const struct verify_options *o, struct arena *a,
                                  struct error *err);
