/* The sandbox's questions as any others: domains are its skills, levels those of pose/question.h. */
#pragma once

#include "base/rng.h"
#include "pose/posed.h"

size_t sandbox_domain_count(void);
struct str sandbox_domain(size_t index); /* "arithmetic" */
unsigned sandbox_levels(void);           /* 1 to so many */

/* Draws one of the domain and level; the id is the caller's. Texts live in `a`. */
NODISCARD enum status sandbox_pose(struct rng *rng, size_t domain, unsigned level, struct arena *a,
                                   struct posed *ret, struct error *err);
