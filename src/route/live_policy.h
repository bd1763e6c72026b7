/* One policy, ready to decide by: its budget and its quality floor calibrated on the model's training queries, at the
 * prices in force. Any thread may decide and observe: a budget has a lock of its own. */
#pragma once

#include "plan/decide.h"
#include "route/budget_cell.h"

struct live_policy {
    struct policy
        policy; /* in force: min_quality is the least that one query's arm must be predicted to have */
    struct budget_cell *budget; /* NULL: none */
};

/* `sample`: the model's, at the prices in force (route/priced_sample.h). use[model_arm_count]: which experts may be
 * chosen; what it says of plans is filled in, by `plans` as plan_filter_apply takes them and by max_calls.
 * ERR_NOT_FOUND: a plan that the model does not have; ERR_MEMORY. */
NODISCARD enum status live_policy_init(struct live_policy *p, const struct model *m,
                                       const struct model_sample *sample, const struct policy *from,
                                       struct str plans, bool *use, struct error *err);
/* Its budget and its floor by another sample, of arms that are no arms of the model. use[sample->arms]: NULL: all.
 * ERR_MEMORY. */
NODISCARD enum status live_policy_calibrate(struct live_policy *p,
                                            const struct model_sample *sample, const bool *use,
                                            const struct policy *from, struct error *err);
void live_policy_done(struct live_policy *p); /* zeros are fine */

/* As decide. `in_force` is p->policy, but for what a request brings in its place. *ret_usual_usd goes to
 * live_policy_observe; -1: no budget decided. */
NODISCARD enum status live_policy_decide(struct live_policy *p, const struct policy *in_force,
                                         const struct estimate *estimates, const bool *eligible,
                                         size_t count, struct decision *ret, double *ret_usual_usd,
                                         struct error *err);
/* What a decision has cost. Nothing happens without a budget. */
void live_policy_observe(struct live_policy *p, double cost_usd, double usual_usd);
