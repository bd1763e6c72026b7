/* Where an expert is placed in the base model: its parameters (base.h), on what basis, with what doubt. */
#pragma once

#include "prior/base.h"
#include "prior/prior.h"

struct placed {
    enum prior_basis basis;
    const struct base_known *known; /* NULL by price */
    double parameters[BASE_PARAMETERS_MAX];
    double strength_sd,
        shrink; /* doubt: of the strength, and of the rest as a share of the base's deviations */
    double output_ratio;
    size_t outcomes; /* that moved it */
};

/* The known model of that name, the one with most outcomes where several agree as well; NULL: none. */
const struct base_known *place_find(const struct base *b, struct str name, struct arena *a);
/* By name, like or price alone. ERR_NOT_FOUND: `like` is not known. */
NODISCARD enum status place_first(const struct base *b, const struct prior_expert *x,
                                  struct arena *a, struct placed *ret, struct error *err);
/* Moves placed[count] by the outcomes of experts[count]: the most probable parameters, given all of them at once, for
 * where experts answered the same question what they did tells how hard that one was. `scratch` is the caller's. */
NODISCARD enum status place_by_outcomes(const struct base *b, const struct prior_expert *experts,
                                        size_t count, struct placed *placed, struct arena *scratch,
                                        struct error *err);
/* Mean quality over the base model's sample, and how far it moves with the strength's doubt. */
void place_accuracy(const struct base *b, const struct placed *p, double *ret, double *ret_sd);
