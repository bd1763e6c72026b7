/* Plans as learnt: see plan_set.h. */
#include "predict/plan_set.h"

#include "base/check.h"
#include "base/fmath.h"

void plan_set_terms(const struct plan *p, const struct estimate *experts, float *x)
{
    struct plan_state s = {.characters = 0};
    for (size_t i = 0; i < ESCALATION_MEMBERS_MAX; i++)
        x[i] = 0;
    for (size_t i = 0; i < p->member_count; i++)
        s.members[i] = &experts[p->members[i]];
    escalation_base(p, &s, x);
}

static float head(const float *weights, const float *x)
{
    float z = weights[0];
    for (size_t i = 0; i < ESCALATION_MEMBERS_MAX; i++)
        z += weights[1 + i] * x[i];
    float q = fmath_sigmoid(z);
    return q >= 0 && q <= 1 ? q : 0; /* also a NaN out of a forged model */
}

void plan_set_estimate(const struct plan_set *s, const struct estimate *experts,
                       struct estimate *plans)
{
    for (size_t k = 0; k < s->count; k++) {
        const struct plan *p = &s->plans[k];
        const struct estimate *members[PLAN_MEMBERS_MAX] = {NULL};
        float x[ESCALATION_MEMBERS_MAX];
        const float *weights = s->heads + k * PLAN_HEADS;
        plan_set_terms(p, experts, x);
        for (size_t i = 0; i < p->member_count; i++)
            members[i] = &experts[p->members[i]];
        plans[k] = (struct estimate){.quality = head(weights, x),
                                     .escalation = head(weights + PLAN_HEAD, x)};
        plan_price(p, members, &plans[k]);
    }
}

void plan_set_verdict(const struct plan_set *s, size_t plan, const struct plan_state *state,
                      struct plan_verdict *ret)
{
    CHECK(plan < s->count);
    const struct plan *p = &s->plans[plan];
    if (p->rule == PLAN_AGREE)
        escalation_agreement(p, state, ret);
    else
        escalation_verdict(&s->escalations[s->escalation_of[plan]], p, state, ret);
}
