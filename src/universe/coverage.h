/* Coverage: how many of the questions the best member of a set answers, by single experts. It is what routing could
 * achieve that always knew whom to ask; the objective is submodular. */
#pragma once

#include "universe/candidate_set.h"

/* Questions of some candidates: all, or those of one domain. Read-only; the objective points to it. */
struct coverage {
    const struct candidates *c;
    const uint32_t *rows; /* [row_count] */
    size_t row_count;
};

/* All questions, or those of a domain (an index of candidates.domain). ERR_MEMORY. */
NODISCARD enum status coverage_all(const struct candidates *c, struct arena *a,
                                   struct coverage *ret, struct error *err);
NODISCARD enum status coverage_domain(const struct candidates *c, uint32_t domain, struct arena *a,
                                      struct coverage *ret, struct error *err);

struct objective coverage_objective(const struct coverage *v);

/* The best score of members[count] on a question (the place of it among rows), in units. */
uint16_t coverage_best(const struct coverage *v, size_t place, const size_t *members, size_t count);
/* As the objective's value: sum of units. */
double coverage_value(const struct coverage *v, const size_t *members, size_t count);
/* The same as a mean score, 0..1. */
double coverage_mean(const struct coverage *v, const size_t *members, size_t count);
