/* Between the files of prior/, its tests and its benchmark: the same with a base model of the caller's. */
#pragma once

#include "prior/place.h"

/* Of an outcome among others. */
static inline double prior_outcome_weight(const struct prior_outcome *o)
{
    return o->confidence > 0 ? (double)o->confidence : 1;
}

/* The base model that was compiled in; it lives in *ret_arena, which the caller frees. */
NODISCARD enum status prior_base(struct arena **ret_arena, struct base **ret, struct error *err);
/* As prior_model. */
NODISCARD enum status prior_model_of(const struct base *b, const struct prior_expert *experts,
                                     size_t count, struct model **ret, struct prior_place *places,
                                     struct error *err);
/* placed[count], by name, like or price and then by outcomes. */
NODISCARD enum status prior_place_all(const struct base *b, const struct prior_expert *experts,
                                      size_t count, struct placed *placed, struct arena *scratch,
                                      struct error *err);
void prior_place_fill(const struct base *b, const struct placed *p, struct prior_place *ret);
