/* The sample decided by all policies: see pool_asked.h. The estimates of a row are put together as those of a request,
 * then decide() is asked as live_policy_decide() asks it; a budget is not told of it, for nobody was asked anything.
 * Only counts are kept, in the caller's memory. The pool is only read, so any thread may count while it serves; but not
 * a loop's, for that would keep its requests waiting. */
#include "route/pool_asked.h"

#include <stdlib.h>

#include "base/check.h"
#include "route/pool_int.h"

struct counting {
    const struct pool *pool;
    struct model_sample sample;
    struct estimate *estimates; /* [arm_count] of the row */
    bool *eligible;             /* [arm_count] of the policy */
    struct pool_asked *asked;
    uint64_t decisions;
};

static int64_t to_nano(float usd)
{
    double nano = usd > 0 ? (double)usd * (double)NANO_PER_USD + 0.5 : 0;
    return nano < 9e18 ? (int64_t)nano : INT64_MAX;
}

/* The pool's estimates of a row. What a plan costs at most is what its members cost. */
static void estimate_row(struct counting *c, size_t row)
{
    const struct pool *p = c->pool;
    const float *quality = c->sample.quality + row * c->sample.arms;
    const float *cost = c->sample.cost_usd + row * c->sample.arms;
    for (size_t i = 0; i < p->arm_count; i++) {
        struct estimate *e = &c->estimates[i];
        const struct plan *plan = &p->arms[i];
        const struct estimate *members[PLAN_MEMBERS_MAX] = {NULL};
        for (size_t k = 0; k < plan->member_count; k++)
            members[k] = &c->estimates[plan->members[k]];
        *e = (struct estimate){.quality = quality[p->model_index[i]]};
        if (plan->member_count > 1)
            plan_price(plan, members, e);
        e->cost_nano_usd = to_nano(cost[p->model_index[i]]);
        if (plan->member_count < 2)
            e->cost_max_nano_usd = e->cost_nano_usd;
    }
}

static void add_means(struct counting *c)
{
    double rows = (double)c->sample.rows;
    for (size_t i = 0; i < c->pool->settings.expert_count; i++) {
        c->asked[i].quality += (double)c->estimates[i].quality / rows;
        c->asked[i].usd_per_1k +=
            1000 * (double)c->estimates[i].cost_nano_usd / (double)NANO_PER_USD / rows;
    }
}

static void choose_policy(struct counting *c, const struct pool_policy *policy)
{
    size_t experts = c->pool->settings.expert_count;
    for (size_t i = 0; i < c->pool->arm_count; i++)
        c->eligible[i] = i < experts ? !policy->use || policy->use[i] : policy->plan_use[i];
    for (size_t i = 0; i < experts; i++)
        c->asked[i].in_use |= c->eligible[i];
}

static void find_fitting(struct counting *c, const struct policy *policy)
{
    int64_t most = policy->max_cost_nano_usd;
    for (size_t i = 0; i < c->pool->settings.expert_count; i++)
        c->asked[i].fits |=
            c->eligible[i] && (most <= 0 || c->estimates[i].cost_max_nano_usd <= most);
}

static void count_one(struct counting *c, const struct policy *policy, double lambda)
{
    struct decision d;
    c->decisions++;
    if (decide(policy, lambda, c->estimates, c->eligible, c->pool->arm_count, &d, NULL) != OK)
        return; /* nobody is cheap enough */
    const struct plan *plan = &c->pool->arms[d.arm];
    for (size_t k = 0; k < plan->member_count; k++)
        if (plan->member_count > 1)
            c->asked[plan->members[k]].in_plan++;
        else
            c->asked[plan->members[k]].alone++;
}

/* As count_one, of a policy whose answers are verified: by what its owner believes of the check. */
static void count_verified(struct counting *c, const struct pool_policy *policy, double lambda)
{
    const struct pool *p = c->pool;
    const struct policy *rule = &policy->live.policy;
    const struct verified_terms terms = {
        .check = p->settings.policies[policy - p->policies].check,
        .shared_sd = model_shared_sd(p->model),
    };
    struct verified_plan plans[VERIFIED_PLANS_MAX];
    struct estimate estimates[VERIFIED_PLANS_MAX];
    struct decision d;
    size_t most = rule->max_calls ? rule->max_calls : PLAN_MEMBERS_MAX;
    size_t count =
        verified_plans(&terms, c->estimates, c->eligible, p->settings.expert_count, most, plans);
    for (size_t i = 0; i < count; i++)
        estimates[i] = plans[i].estimate;
    c->decisions++;
    if (decide(rule, lambda, estimates, NULL, count, &d, NULL) != OK)
        return;
    for (size_t k = 0; k < plans[d.arm].member_count; k++)
        c->asked[plans[d.arm].members[k]].in_plan++;
}

static void count_row(struct counting *c, const struct pool_policy *policy, double lambda)
{
    if (policy->checks)
        count_verified(c, policy, lambda);
    else
        count_one(c, &policy->live.policy, lambda);
}

static void count_policy(struct counting *c, const struct pool_policy *policy)
{
    static const double times[] = POOL_ASKED_LAMBDAS;
    const struct live_policy *live = &policy->live;
    choose_policy(c, policy);
    double lambda = live->budget ? budget_cell_lambda(live->budget) : live->policy.lambda;
    for (size_t row = 0; row < c->sample.rows; row++) {
        estimate_row(c, row);
        find_fitting(c, &live->policy);
        for (size_t i = 0; live->budget && i < sizeof(times) / sizeof(times[0]); i++)
            count_row(c, policy, lambda * times[i]);
        if (!live->budget)
            count_row(c, policy, lambda);
    }
}

static size_t find_better(const struct counting *c, size_t expert)
{
    const struct pool_asked *all = c->asked, *is = &all[expert];
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < c->pool->settings.expert_count; i++)
        if (i != expert && (all[i].alone || all[i].in_plan) &&
            all[i].usd_per_1k <= is->usd_per_1k && all[i].quality > is->quality &&
            (best == SIZE_MAX || all[i].quality > all[best].quality))
            best = i;
    return best;
}

static void count_all(struct counting *c)
{
    for (size_t row = 0; row < c->sample.rows; row++) {
        estimate_row(c, row);
        add_means(c);
    }
    for (size_t i = 0; i < c->pool->policy_count; i++)
        count_policy(c, &c->pool->policies[i]);
    for (size_t i = 0; i < c->pool->settings.expert_count; i++)
        c->asked[i].better = find_better(c, i);
}

enum status pool_asked(const struct pool *p, struct pool_asked *asked, uint64_t *ret_decisions,
                       struct error *err)
{
    struct priced_sample sample = {.own = NULL};
    struct counting c = {.pool = p,
                         .estimates = calloc(p->arm_count, sizeof(struct estimate)),
                         .eligible = calloc(p->arm_count, sizeof(bool)),
                         .asked = asked};
    for (size_t i = 0; i < p->settings.expert_count; i++)
        asked[i] = (struct pool_asked){.better = SIZE_MAX};
    enum status status = c.estimates && c.eligible
                             ? pool_sample(p, &sample, err)
                             : error_set(err, ERR_MEMORY, "out of memory for a sample");
    if (status == OK) {
        c.sample = sample.sample;
        count_all(&c);
        *ret_decisions = c.decisions;
    }
    priced_sample_done(&sample);
    free(c.estimates);
    free(c.eligible);
    return status;
}

static bool steps_in(const struct expert *for_whom, size_t expert)
{
    for (size_t i = 0; i < for_whom->fallback_count; i++)
        if (for_whom->fallbacks[i] == expert)
            return true;
    return false;
}

/* Who asks it all the same: other names for it, and experts asked by name that it steps in for. */
static void add_askers(const struct pool_settings *s, size_t expert, struct buf *out)
{
    for (size_t i = 0; i < s->alias_count; i++)
        if (s->aliases[i].expert == expert)
            buf_addf(out, ", asked as '%.*s' all the same", STR_FMT(s->aliases[i].pattern));
    for (size_t i = 0; i < s->expert_count; i++)
        if (steps_in(&s->experts[i], expert))
            buf_addf(out, ", but the fallback of %.*s", STR_FMT(s->experts[i].name));
}

void pool_asked_explain(const struct pool *p, const struct pool_asked *a, size_t expert,
                        struct buf *out)
{
    const struct pool_settings *s = &p->settings;
    if (!a->fits)
        buf_add_c(out, "dearer than max_cost at every query");
    else if (a->better == SIZE_MAX)
        buf_add_c(out, "others are worth more at every query");
    else
        buf_addf(out, "%.*s is no dearer and better", STR_FMT(s->experts[a->better].name));
    if (s->placed && s->placed[expert])
        buf_add_c(out, ", as far as a prior can tell without outcomes");
    add_askers(s, expert, out);
}
