/* A place among the known experts as numbers of a model's tensors. */
#pragma once

#include "enroll/standing.h"

/* *ret with its own memory in `a`: estimates what the place says, up to what is not linear in a source. Figures, name
 * and price are the caller's. ERR_MEMORY. */
NODISCARD enum status slice_mix(const struct model *m, const struct standing *standing,
                                struct arena *a, struct expert_parameters *ret, struct error *err);
/* Adds to every logit of the expert, in what it estimates and in the sample. */
void slice_move(const struct expert_parameters *p, double by);
