/* leeroo_decision: what a policy chose for a text, and why.
 *
 * Any thread. A decision holds its policy and its estimates, so that it can be explained when all else is freed; it
 * does not change. Nothing in here may print numbers but between api_locale_enter and api_locale_leave. */
#include <stdlib.h>

#include "api/api_int.h"
#include "base/check.h"
#include "route/text_json.h"

#define JSON_BYTES_MAX (8u << 20)

int leeroo_decide(const struct leeroo_policy *policy, const struct leeroo_estimates *estimates,
                  struct leeroo_decision **ret, struct leeroo_error *err)
{
    struct error why;
    if (!policy || !estimates || !ret)
        return api_refuse(err, "no policy, or no estimates to decide on");
    if (policy->router != estimates->router)
        return api_refuse(err, "the estimates are of another router than the policy");
    struct leeroo_decision *d = calloc(1, sizeof(*d));
    if (!d)
        return api_no_memory(err);
    enum status status = text_policy_decide(policy->policy, estimates->arms, &d->made, &why);
    if (status != OK) {
        free(d);
        return api_result(err, status, &why);
    }
    CHECK(d->made.decision.arm < estimates->count);
    atomic_store(&d->holders, 1);
    d->policy = api_policy_hold(policy);
    d->estimates = api_estimates_hold(estimates);
    *ret = d;
    return LEEROO_OK;
}

int leeroo_route(const struct leeroo_policy *policy, const struct leeroo_query *query,
                 struct leeroo_decision **ret, struct leeroo_error *err)
{
    struct leeroo_estimates *estimates = NULL;
    if (!policy)
        return api_refuse(err, "no policy to decide by");
    int code = leeroo_estimate(policy->router, query, &estimates, err);
    if (code == LEEROO_OK)
        code = leeroo_decide(policy, estimates, ret, err);
    leeroo_estimates_free(estimates);
    return code;
}

void leeroo_decision_free(struct leeroo_decision *decision)
{
    if (!decision || !api_release(&decision->holders))
        return;
    leeroo_estimates_free(decision->estimates);
    leeroo_policy_free(decision->policy);
    free(decision);
}

/* Reading one */

static const struct leeroo_model *model_of(const struct leeroo_decision *d)
{
    return d->policy->router->model;
}

size_t leeroo_decision_arm(const struct leeroo_decision *decision)
{
    return decision ? decision->made.decision.arm : SIZE_MAX;
}

const char *leeroo_decision_expert(const struct leeroo_decision *decision)
{
    if (!decision)
        return NULL;
    const struct plan *plan = model_arm_at(model_of(decision)->model, decision->made.decision.arm);
    return leeroo_model_arm_name(model_of(decision), plan->members[0]);
}

double leeroo_decision_quality(const struct leeroo_decision *decision)
{
    return decision ? decision->made.decision.quality : 0;
}

int64_t leeroo_decision_cost_nano_usd(const struct leeroo_decision *decision)
{
    return decision ? decision->made.decision.cost_nano_usd : 0;
}

double leeroo_decision_lambda(const struct leeroo_decision *decision)
{
    return decision ? decision->made.decision.lambda : 0;
}

int leeroo_decision_considers(const struct leeroo_decision *decision, size_t arm)
{
    return decision && arm < decision->estimates->count &&
           text_policy_uses(decision->policy->policy, arm);
}

int leeroo_decision_estimate(const struct leeroo_decision *decision, size_t arm,
                             struct leeroo_estimate *into, struct leeroo_error *err)
{
    return leeroo_estimates_get(decision ? decision->estimates : NULL, arm, into, err);
}

size_t leeroo_decision_fallbacks(const struct leeroo_decision *decision, size_t *experts,
                                 size_t capacity)
{
    size_t order[MODEL_EXPERTS_MAX];
    if (!decision)
        return 0;
    size_t count = text_policy_fallbacks(decision->policy->policy, decision->estimates->arms,
                                         &decision->made.decision, order);
    for (size_t i = 0; experts && i < count && i < capacity; i++)
        experts[i] = order[i];
    return count;
}

/* Its words */

static int json_give(struct buf *out, char **ret, struct leeroo_error *err)
{
    struct error why;
    buf_add_char(out, '}');
    int code = api_result(err, buf_status(out, &why), &why);
    if (code == LEEROO_OK)
        *ret = buf_take(out);
    buf_done(out);
    return code;
}

int leeroo_decision_json(const struct leeroo_decision *decision, const char *id, char **ret,
                         struct leeroo_error *err)
{
    struct buf out;
    if (!decision || !ret)
        return api_refuse(err, "no decision to print");
    const struct text_policy *p = decision->policy->policy;
    struct str name = str_from(id);
    buf_init(&out, JSON_BYTES_MAX);
    locale_t before = api_locale_enter();
    text_json_decision(p, id ? &name : NULL, &decision->made.decision, &out);
    text_json_estimates(p, decision->estimates->arms, &out);
    api_locale_leave(before);
    return json_give(&out, ret, err);
}

int leeroo_decision_explain(const struct leeroo_decision *decision, char **ret,
                            struct leeroo_error *err)
{
    struct buf out;
    if (!decision || !ret)
        return api_refuse(err, "no decision to explain");
    const struct text_policy *p = decision->policy->policy;
    const struct decision *d = &decision->made.decision;
    buf_init(&out, JSON_BYTES_MAX);
    locale_t before = api_locale_enter();
    text_json_decision(p, NULL, d, &out);
    text_json_estimates(p, decision->estimates->arms, &out);
    text_json_reasons(p, decision->estimates->arms, d, &out);
    api_locale_leave(before);
    return json_give(&out, ret, err);
}

int leeroo_observe(struct leeroo_policy *policy, const struct leeroo_decision *decision,
                   int64_t cost_nano_usd, struct leeroo_error *err)
{
    if (!policy || !decision || decision->policy != policy)
        return api_refuse(err, "the decision is of another policy");
    int64_t cost = cost_nano_usd < 0 ? decision->made.decision.cost_nano_usd : cost_nano_usd;
    text_policy_observe(policy->policy, &decision->made, (double)cost / (double)NANO_PER_USD);
    return LEEROO_OK;
}
