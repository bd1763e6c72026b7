/* A policy over a text router: which of its arms may be chosen, and how quality is traded for money. */
#include <stdlib.h>

#include "base/check.h"
#include "route/live_policy.h"
#include "route/priced_sample.h"
#include "route/text_router.h"

struct text_policy {
    const struct text_router *router;
    struct live_policy live;
    bool use[MODEL_ARMS_MAX];
};

static enum status policy_start(struct text_policy *p, const struct text_policy_settings *s,
                                struct error *err)
{
    const struct model *m = text_router_model(p->router);
    for (size_t i = 0; i < model_expert_count(m); i++)
        p->use[i] = text_router_has(p->router, i) && (!s->use || s->use[i]);
    struct priced_sample sample;
    enum status status = priced_sample_init(&sample, m, text_router_prices(p->router), err);
    if (status == OK)
        status = live_policy_init(&p->live, m, &sample.sample, &s->policy, s->plans, p->use, err);
    priced_sample_done(&sample);
    return status;
}

enum status text_policy_create(const struct text_router *r,
                               const struct text_policy_settings *settings,
                               struct text_policy **ret, struct error *err)
{
    struct text_policy *p = calloc(1, sizeof(*p));
    if (!p)
        return error_set(err, ERR_MEMORY, "out of memory for a policy");
    p->router = r;
    enum status status = policy_start(p, settings, err);
    if (status != OK) {
        text_policy_free(p);
        return status;
    }
    *ret = p;
    return OK;
}

void text_policy_free(struct text_policy *p)
{
    if (!p)
        return;
    live_policy_done(&p->live);
    free(p);
}

const struct text_router *text_policy_router(const struct text_policy *p)
{
    return p->router;
}

const struct policy *text_policy_in_force(const struct text_policy *p)
{
    return &p->live.policy;
}

bool text_policy_uses(const struct text_policy *p, size_t arm)
{
    CHECK(arm < model_arm_count(text_router_model(p->router)));
    return p->use[arm];
}

double text_policy_lambda(struct text_policy *p)
{
    return p->live.budget ? budget_cell_lambda(p->live.budget) : p->live.policy.lambda;
}

enum status text_policy_decide(struct text_policy *p, const struct estimate *estimates,
                               struct text_decision *ret, struct error *err)
{
    struct text_decision d = {.usual_usd = -1};
    size_t arms = model_arm_count(text_router_model(p->router));
    enum status status = live_policy_decide(&p->live, &p->live.policy, estimates, p->use, arms,
                                            &d.decision, &d.usual_usd, err);
    if (status == OK)
        *ret = d;
    return status;
}

static bool is_member(const struct plan *plan, size_t expert)
{
    for (size_t k = 0; k < plan->member_count; k++)
        if (plan->members[k] == expert)
            return true;
    return false;
}

size_t text_policy_fallbacks(const struct text_policy *p, const struct estimate *estimates,
                             const struct decision *d, size_t *order)
{
    const struct model *m = text_router_model(p->router);
    const struct plan *plan = model_arm_at(m, d->arm);
    bool eligible[MODEL_EXPERTS_MAX];
    size_t experts = model_expert_count(m);
    for (size_t i = 0; i < experts; i++)
        eligible[i] = p->use[i] && !is_member(plan, i);
    return decide_fallbacks(&p->live.policy, d->lambda, estimates, eligible, experts, SIZE_MAX,
                            order);
}

void text_policy_observe(struct text_policy *p, const struct text_decision *d, double cost_usd)
{
    live_policy_observe(&p->live, cost_usd, d->usual_usd);
}

struct budget_state text_policy_budget(struct text_policy *p)
{
    CHECK(p->live.budget);
    return budget_cell_state(p->live.budget);
}

enum status text_policy_resume(struct text_policy *p, const struct budget_state *state,
                               struct error *err)
{
    CHECK(p->live.budget);
    if (!budget_state_possible(state))
        return error_set(err, ERR_CORRUPT, "no stream can have led to this budget state");
    budget_cell_resume(p->live.budget, state);
    return OK;
}
