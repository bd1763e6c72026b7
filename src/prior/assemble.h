/* Experts that were placed as a model: the base's difficulty as its one source, what each expert makes of it, and the
 * base's sample as if those texts had been trained on. */
#pragma once

#include "prior/place.h"

NODISCARD enum status assemble_model(const struct base *b, const struct prior_expert *experts,
                                     const struct placed *placed, size_t count, struct model **ret,
                                     struct error *err);
