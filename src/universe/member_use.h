/* What each candidate is to a set: what dropping a member would cost, by domain; what a candidate outside would add;
 * and who is dominated: another one costs no more and is surely better.
 *
 * By coverage, whatever the set was chosen by. Pure; memory is the arena's. */
#pragma once

#include "universe/coverage.h"

#define DOMINATED_ERRORS 2.0 /* so many standard errors of the difference are beyond noise */

struct candidate_use {
    bool member;
    /* Of a member: what the set loses without it. Of another: what the set gains with it. Mean score. */
    double worth, worth_error; /* and its standard error over the questions */
    double alone; /* share of the questions on which it is better than the whole rest of the set */
    double *domain_worth; /* [domains], mean score of the domain; NULL without domains */
    /* The candidate that is better beyond noise for no more money; SIZE_MAX: none. Of several that which is most
     * surely better. */
    size_t dominated_by;
    double behind, behind_error; /* by how much in mean score, and its standard error */
};

/* uses[candidates]. ERR_MEMORY. */
NODISCARD enum status member_uses(const struct coverage *v, const size_t *members, size_t count,
                                  struct arena *a, struct candidate_use **ret, struct error *err);

/* Questions of each domain, [domains]. */
NODISCARD enum status domain_sizes(const struct coverage *v, struct arena *a, size_t **ret,
                                   struct error *err);
