/* The plans of a model, as learnt: what they are, what is expected of them before any call, and the escalations between
 * their calls. A part of the model; it only points.
 *
 * Before any call, with x_i the logits of the members' estimated quality (absent members: 0):
 *   P(the plan's answer is right) = σ(a_0 + Σ a_i x_i),    P(the last member is asked) = σ(b_0 + Σ b_i x_i) */
#pragma once

#include "base/error.h"
#include "predict/escalation.h"

#define PLANS_MAX            16
#define PLAN_ESCALATIONS_MAX 4
#define PLAN_HEAD            (1 + ESCALATION_MEMBERS_MAX)
#define PLAN_HEADS           (2 * PLAN_HEAD) /* quality, escalation */
#define NO_ESCALATION        UINT8_MAX

/* What a plan did on the training queries, held out: what the file says about itself. */
struct plan_record {
    double accuracy, mean_cost_usd;
    double gain; /* utility that it added when it was taken, as a share of the questions */
};

struct plan_set {
    size_t count, escalation_count;
    struct plan plans[PLANS_MAX];
    struct plan_record records[PLANS_MAX];
    uint8_t escalation_of[PLANS_MAX]; /* index into escalations; NO_ESCALATION: PLAN_AGREE */
    struct escalation escalations[PLAN_ESCALATIONS_MAX];
    const float *heads; /* [count × PLAN_HEADS] */
};

/* x[ESCALATION_MEMBERS_MAX]: logits of the members' estimated quality. */
void plan_set_terms(const struct plan *p, const struct estimate *experts, float *x);
/* plans[count] from experts[], whose costs are set. */
void plan_set_estimate(const struct plan_set *s, const struct estimate *experts,
                       struct estimate *plans);
void plan_set_verdict(const struct plan_set *s, size_t plan, const struct plan_state *state,
                      struct plan_verdict *ret);
