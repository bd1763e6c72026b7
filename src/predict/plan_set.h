/* The plans of a model, as learnt: what they are, what is expected of them before any call, and the escalations and
 * panels that decide between their calls. A part of the model; it only points.
 *
 * Before any call, with x_i the logits of the members' estimated quality (absent members: 0):
 *   P(the plan's answer is right) = σ(a_0 + Σ a_i x_i),    P(the last member is asked) = σ(b_0 + Σ b_i x_i)
 * and of a sequential plan, with all its members' x_i,       P(member j is asked)        = σ(b_j0 + Σ b_ji x_i) */
#pragma once

#include "base/error.h"
#include "predict/escalation.h"
#include "predict/panel.h"

#define PLANS_MAX            24
#define PLAN_ESCALATIONS_MAX 4
#define PLAN_HEAD            (1 + ESCALATION_MEMBERS_MAX)
#define PLAN_HEADS           (2 * PLAN_HEAD) /* quality, escalation */
#define NO_ESCALATION        UINT8_MAX
#define PLAN_PANELS_MAX      2
#define PANEL_HEAD           (1 + PLAN_MEMBERS_MAX)
#define PANEL_HEADS          ((1 + PLAN_MEMBERS_MAX) * PANEL_HEAD) /* quality, each member asked */

/* What a plan did on the training queries, held out: what the file says about itself. */
struct plan_record {
    double accuracy, mean_cost_usd;
    double gain; /* utility that it added when it was taken, as a share of the questions */
};

struct plan_set {
    size_t count, escalation_count, panel_count;
    struct plan plans[PLANS_MAX];
    struct plan_record records[PLANS_MAX];
    /* Index into escalations, of a sequential plan into panels; NO_ESCALATION: PLAN_AGREE. */
    uint8_t escalation_of[PLANS_MAX];
    struct escalation escalations[PLAN_ESCALATIONS_MAX];
    struct panel panels[PLAN_PANELS_MAX]; /* of no members: none of the plans uses it */
    const float *heads;                   /* [count × PLAN_HEADS]; of sequential plans zeros */
    const float *panel_heads; /* [count × PANEL_HEADS]; of others zeros. NULL: none is sequential */
};

/* x[PLAN_MEMBERS_MAX]: logits of the members' estimated quality, zeros where there is no member. */
void plan_set_terms(const struct plan *p, const struct estimate *experts, float *x);
/* plans[count] from experts[], whose costs are set. */
void plan_set_estimate(const struct plan_set *s, const struct estimate *experts,
                       struct estimate *plans);
/* What a panel sees of a plan's state: members that were asked and have said nothing yet can not be asked. */
void plan_set_panel_state(const struct plan *p, const struct plan_state *s,
                          struct panel_state *ret);
void plan_set_verdict(const struct plan_set *s, size_t plan, const struct plan_state *state,
                      struct plan_verdict *ret);
