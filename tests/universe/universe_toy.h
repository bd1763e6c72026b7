/* Random candidates, few enough that all sets can be looked at. */
#pragma once

#include "base/rng.h"
#include "universe/candidate_set.h"
#include "universe/greedy.h"

enum toy_scores { TOY_BINARY, TOY_TENTHS, TOY_ANY, TOY_SCORES };

struct toy {
    struct candidates c; /* named c0, c1, ...; of a data set without questions' texts */
    struct arena *a;     /* the caller frees it */
};

/* Costs of 0 to 70, of which several are equal; candidates differ in how often they are right. */
void toy_draw(struct rng *r, enum toy_scores kind, size_t candidates, size_t rows, struct toy *ret);
/* Question i is of domain i modulo domains: d0, d1, ... */
void toy_domains(struct toy *t, size_t domains);
struct set_rules toy_rules(const struct toy *t); /* without limits */

/* Sets by their bits. */
unsigned toy_bits(const struct chosen_set *s);
double toy_value(const struct toy *t, unsigned set);
int64_t toy_cost(const struct toy *t, unsigned set);
