/* From a policy as its owner wrote it to the one that decides. */
#include "route/live_policy.h"

#include "plan/plan_filter.h"
#include "plan/quality_floor.h"

enum status live_policy_calibrate(struct live_policy *p, const struct model_sample *sample,
                                  const bool *use, const struct policy *from, struct error *err)
{
    struct budget_cell *budget = NULL;
    if (from->budget_usd_per_1k > 0) {
        budget = budget_cell_create(sample, use, from->budget_usd_per_1k);
        if (!budget)
            return error_set(err, ERR_MEMORY, "out of memory for a budget");
    }
    budget_cell_release(p->budget);
    p->budget = budget;
    if (from->min_quality > 0)
        p->policy.min_quality = quality_floor_find(sample, use, from->min_quality);
    return OK;
}

enum status live_policy_init(struct live_policy *p, const struct model *m,
                             const struct model_sample *sample, const struct policy *from,
                             struct str plans, bool *use, struct error *err)
{
    struct live_policy made = {.policy = *from};
    enum status status = plan_filter_apply(m, plans, use, err);
    if (status != OK)
        return status;
    plan_filter_calls(m, from->max_calls, use);
    status = live_policy_calibrate(&made, sample, use, from, err);
    if (status == OK)
        *p = made;
    return status;
}

void live_policy_done(struct live_policy *p)
{
    budget_cell_release(p->budget);
    p->budget = NULL;
}

enum status live_policy_decide(struct live_policy *p, const struct policy *in_force,
                               const struct estimate *estimates, const bool *eligible, size_t count,
                               struct decision *ret, double *ret_usual_usd, struct error *err)
{
    if (p->budget && in_force->budget_usd_per_1k > 0)
        return budget_cell_decide(p->budget, in_force, estimates, eligible, count, ret,
                                  ret_usual_usd, err);
    enum status status = decide(in_force, in_force->lambda, estimates, eligible, count, ret, err);
    if (status == OK)
        *ret_usual_usd = -1;
    return status;
}

void live_policy_observe(struct live_policy *p, double cost_usd, double usual_usd)
{
    if (p->budget)
        budget_cell_observe(p->budget, cost_usd, usual_usd);
}
