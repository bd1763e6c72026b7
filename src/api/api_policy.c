/* leeroo_policy: how quality is traded for money. Its budget is the one thing here that changes; it has a lock. */
#include <math.h>
#include <stdlib.h>

#include "api/api_int.h"

#define STATE_NAME    STR("route") /* as `leeroo route --state` has it, whose files may be taken up */
#define COST_NANO_MAX (NANO_PER_USD * NANO_PER_USD)

static int options_check(const struct leeroo_policy_options *o, struct leeroo_error *err)
{
    if (!isfinite(o->lambda) || o->lambda < 0)
        return api_refuse(err, "lambda must be a number of at least 0");
    if (!isfinite(o->budget_usd_per_1k) || o->budget_usd_per_1k < 0)
        return api_refuse(err, "budget_usd_per_1k must be a number of at least 0");
    if (!(o->min_quality >= 0 && o->min_quality <= 1))
        return api_refuse(err, "min_quality must be between 0 and 1");
    if (o->max_cost_nano_usd < 0 || o->max_cost_nano_usd > COST_NANO_MAX)
        return api_refuse(err, "max_cost_nano_usd must be between 0 and 1e18");
    if ((o->lambda > 0) + (o->budget_usd_per_1k > 0) + (o->min_quality > 0) > 1)
        return api_refuse(err, "lambda, budget_usd_per_1k and min_quality exclude each other");
    return LEEROO_OK;
}

/* use[experts of the model] */
static int experts_use(const struct leeroo_router *r, const struct leeroo_policy_options *o,
                       bool *use, struct leeroo_error *err)
{
    const struct model *m = r->model->model;
    struct error why;
    for (size_t i = 0; i < o->expert_count; i++) {
        const char *name = o->experts[i] ? o->experts[i] : "";
        size_t at = model_expert_index(m, str_from(name));
        if (at == SIZE_MAX || !text_router_has(r->texts, at)) {
            enum status status =
                error_set(&why, ERR_NOT_FOUND, "the router has no expert '%s'", name);
            return api_result(err, status, &why);
        }
        use[at] = true;
    }
    return LEEROO_OK;
}

static int policy_make(const struct leeroo_router *r, const struct leeroo_policy_options *o,
                       struct text_policy **ret, struct leeroo_error *err)
{
    struct error why;
    bool use[MODEL_EXPERTS_MAX] = {false};
    const struct text_policy_settings s = {.policy = {.lambda = o->lambda,
                                                      .budget_usd_per_1k = o->budget_usd_per_1k,
                                                      .min_quality = o->min_quality,
                                                      .max_cost_nano_usd = o->max_cost_nano_usd},
                                           .plans = str_from(o->plans),
                                           .use = o->experts ? use : NULL};
    int code = o->experts ? experts_use(r, o, use, err) : LEEROO_OK;
    if (code != LEEROO_OK)
        return code;
    return api_result(err, text_policy_create(r->texts, &s, ret, &why), &why);
}

int leeroo_policy_create(const struct leeroo_router *router,
                         const struct leeroo_policy_options *options, struct leeroo_policy **ret,
                         struct leeroo_error *err)
{
    struct leeroo_policy_options o = LEEROO_POLICY_OPTIONS_INIT;
    if (!router || !ret)
        return api_refuse(err, "no router to make a policy for");
    if (options && !api_struct_take(&o, sizeof(o), options, options->size))
        return api_refuse(
            err, "struct leeroo_policy_options has no size, or members of a later version");
    int code = options_check(&o, err);
    if (code != LEEROO_OK)
        return code;
    struct leeroo_policy *p = calloc(1, sizeof(*p));
    if (!p)
        return api_no_memory(err);
    atomic_store(&p->holders, 1);
    p->router = api_router_hold(router);
    p->budget_usd_per_1k = o.budget_usd_per_1k;
    code = policy_make(router, &o, &p->policy, err);
    if (code == LEEROO_OK)
        *ret = p;
    else
        leeroo_policy_free(p);
    return code;
}

struct leeroo_policy *api_policy_hold(const struct leeroo_policy *p)
{
    struct leeroo_policy *held = (struct leeroo_policy *)p;
    atomic_fetch_add_explicit(&held->holders, 1, memory_order_relaxed);
    return held;
}

void leeroo_policy_free(struct leeroo_policy *policy)
{
    if (!policy || !api_release(&policy->holders))
        return;
    text_policy_free(policy->policy);
    leeroo_router_free(policy->router);
    free(policy);
}

double leeroo_policy_lambda(const struct leeroo_policy *policy)
{
    return policy ? text_policy_lambda(policy->policy) : 0;
}

/* The budget's state as text */

static struct budget_named named(const struct leeroo_policy *p)
{
    double usd = p->budget_usd_per_1k;
    return (struct budget_named){STATE_NAME, usd, text_policy_budget(p->policy), 0};
}

int leeroo_policy_state(const struct leeroo_policy *policy, char **ret, struct leeroo_error *err)
{
    if (!policy || !ret || policy->budget_usd_per_1k <= 0)
        return api_refuse(err, "the policy has no budget");
    struct error why;
    struct buf out;
    struct budget_named budget = named(policy);
    buf_init(&out, BUDGET_STATE_BYTES_MAX);
    locale_t before = api_locale_enter();
    budget_state_write(&out, &budget, 1);
    api_locale_leave(before);
    int code = api_result(err, buf_status(&out, &why), &why);
    if (code == LEEROO_OK)
        *ret = buf_take(&out);
    buf_done(&out);
    return code;
}

int leeroo_policy_resume(struct leeroo_policy *policy, const char *state, struct leeroo_error *err)
{
    if (!policy || !state || policy->budget_usd_per_1k <= 0)
        return api_refuse(err, "the policy has no budget, or there is no state");
    bool found = false;
    struct error why;
    struct budget_named budget = named(policy);
    locale_t before = api_locale_enter();
    enum status status = budget_state_parse(str_from(state), "state", &budget, &found, 1, &why);
    api_locale_leave(before);
    if (status == OK && !found)
        status = error_set(&why, ERR_NOT_FOUND, "the state is of another budget");
    if (status == OK)
        status = text_policy_resume(policy->policy, &budget.state, &why);
    return api_result(err, status, &why);
}
