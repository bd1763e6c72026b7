/* The verified plans of one request as arms of its choice: whom to ask, one after the other, until an answer passes
 * the policy's check, from the cheapest plan to the best (predict/verified.h). Who they are differs from request to
 * request, so they are made in its arena, behind the pool's arms. */
#pragma once

#include "route/pool_int.h"

/* Puts them behind the arms of `c`, with their estimates and without anything against them. use[expert_count]: who may
 * be asked; somebody may. ERR_MEMORY. */
NODISCARD enum status verified_arms_add(const struct pool *p, const struct verified_terms *terms,
                                        const bool *use, struct arena *a, struct pool_choice *c,
                                        struct error *err);
/* The name of a plan in ASCII, as headers take it, "verified(a->b)". Empty: no memory. */
struct str verified_arms_label(const struct plan *plan, struct arena *a);

/* A model's sample with verified plans as its only arms, VERIFIED_PLANS_MAX of them: policies that verify are
 * calibrated by it. */
struct verified_sample {
    struct model_sample sample;
    float *quality, *cost_usd;
};

/* use[`from`.arms]: experts[count] of it may be asked. At most `most` calls; 0: any number. ERR_MEMORY. */
NODISCARD enum status verified_sample_init(struct verified_sample *s,
                                           const struct model_sample *from, const bool *use,
                                           size_t count, const struct verified_terms *terms,
                                           size_t most, struct error *err);
void verified_sample_done(struct verified_sample *s); /* zeros are fine */
