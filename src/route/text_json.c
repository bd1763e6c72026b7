/* Decisions about texts in JSON, for `leeroo route` and libleeroo: what was chosen, every number that led there, and
 * whoever could not be. Names are written as JSON wants them, money exactly, probabilities so that every float comes
 * back. Functions of their arguments, any thread; the policy and its router must outlive the call, and the buffer's
 * limit is the only one: whoever has little room takes route/decision_json.h. */
#include "route/text_json.h"

#include "base/json.h"

static void name_write(struct buf *out, const struct text_policy *p, size_t arm)
{
    json_write_string(out, model_arm_at(text_router_model(text_policy_router(p)), arm)->name);
}

static void id_write(struct buf *out, const struct str *id)
{
    buf_add_c(out, "{");
    if (!id)
        return;
    buf_add_c(out, "\"id\": ");
    json_write_string(out, *id);
    buf_add_c(out, ", ");
}

void text_json_decision(const struct text_policy *p, const struct str *id, const struct decision *d,
                        struct buf *out)
{
    const struct plan *plan = model_arm_at(text_router_model(text_policy_router(p)), d->arm);
    id_write(out, id);
    buf_add_c(out, "\"plan\": ");
    json_write_string(out, plan->kind == PLAN_SINGLE ? STR("single") : plan->name);
    buf_add_c(out, ", \"expert\": ");
    name_write(out, p, plan->members[0]);
    buf_addf(out, ", \"quality\": %.9g, \"cost_usd\": ", d->quality);
    money_format_usd(out, d->cost_nano_usd);
    buf_add_c(out, ", \"lambda\": ");
    json_write_double(out, d->lambda);
}

void text_json_refusal(const struct str *id, double lambda, struct buf *out)
{
    id_write(out, id);
    buf_add_c(out, "\"plan\": \"none\", \"expert\": null, \"quality\": null, \"cost_usd\": null"
                   ", \"lambda\": ");
    json_write_double(out, lambda);
}

/* How far the text is from training and, where it is, what a decision weighs in place of each cost. */
static void unfamiliar_write(const struct text_policy *p, const struct estimate *estimates,
                             size_t arms, struct buf *out)
{
    const char *comma = "";
    if (!arms || !(estimates[0].unfamiliar > 0))
        return;
    buf_addf(out, ", \"unfamiliar\": %.9g, \"weighed_usd\": {", (double)estimates[0].unfamiliar);
    for (size_t i = 0; i < arms; i++) {
        if (!text_policy_uses(p, i))
            continue;
        buf_add_c(out, comma);
        name_write(out, p, i);
        buf_add_c(out, ": ");
        money_format_usd(out, estimate_weighed_nano_usd(&estimates[i]));
        comma = ", ";
    }
    buf_add_char(out, '}');
}

/* %.9g gives every float back exactly: whoever sorts by quality sees the ties that there were. */
void text_json_estimates(const struct text_policy *p, const struct estimate *estimates,
                         struct buf *out)
{
    const char *comma = "";
    size_t arms = model_arm_count(text_router_model(text_policy_router(p)));
    buf_add_c(out, ", \"estimates\": {");
    for (size_t i = 0; i < arms; i++) {
        if (!text_policy_uses(p, i))
            continue;
        buf_add_c(out, comma);
        name_write(out, p, i);
        buf_addf(out, ": [%.9g, ", (double)estimates[i].quality);
        money_format_usd(out, estimates[i].cost_nano_usd);
        buf_add_char(out, ']');
        comma = ", ";
    }
    buf_add_char(out, '}');
    unfamiliar_write(p, estimates, arms, out);
}

/* What estimates say of plans alone. */
static void plans_write(const struct text_policy *p, const struct estimate *estimates,
                        struct buf *out)
{
    const struct model *m = text_router_model(text_policy_router(p));
    const char *comma = "";
    buf_add_c(out, ", \"plans\": {");
    for (size_t i = model_expert_count(m); i < model_arm_count(m); i++) {
        if (!text_policy_uses(p, i))
            continue;
        buf_add_c(out, comma);
        name_write(out, p, i);
        buf_addf(out,
                 ": {\"escalation\": %.9g, \"cost_max_usd\": ", (double)estimates[i].escalation);
        money_format_usd(out, estimates[i].cost_max_nano_usd);
        buf_add_char(out, '}');
        comma = ", ";
    }
    buf_add_char(out, '}');
}

static void names_write(const struct text_policy *p, const char *key, const size_t *experts,
                        size_t count, struct buf *out)
{
    buf_addf(out, ", \"%s\": [", key);
    for (size_t i = 0; i < count; i++) {
        buf_add_c(out, i ? ", " : "");
        name_write(out, p, experts[i]);
    }
    buf_add_char(out, ']');
}

/* Among the router's arms; NULL: it was a candidate. In the words of the gateway. */
static const char *why_not(const struct text_policy *p, size_t arm, const struct estimate *e)
{
    const struct model *m = text_router_model(text_policy_router(p));
    int64_t cap = text_policy_in_force(p)->max_cost_nano_usd;
    if (!text_policy_uses(p, arm))
        return arm < model_expert_count(m) ? "not in this policy" : "off in this policy";
    return cap > 0 && e->cost_max_nano_usd > cap ? "over max_cost" : NULL;
}

static void ruled_out_write(const struct text_policy *p, const struct estimate *estimates,
                            struct buf *out)
{
    const struct text_router *r = text_policy_router(p);
    const char *comma = "";
    buf_add_c(out, ", \"ruled_out\": {");
    for (size_t i = 0; i < model_arm_count(text_router_model(r)); i++) {
        const char *why = text_router_offers(r, i) ? why_not(p, i, &estimates[i]) : NULL;
        if (!why)
            continue;
        buf_add_c(out, comma);
        name_write(out, p, i);
        buf_addf(out, ": \"%s\"", why);
        comma = ", ";
    }
    buf_add_char(out, '}');
}

void text_json_reasons(const struct text_policy *p, const struct estimate *estimates,
                       const struct decision *d, struct buf *out)
{
    const struct model *m = text_router_model(text_policy_router(p));
    const struct policy *in_force = text_policy_in_force(p);
    const struct plan *plan = model_arm_at(m, d->arm);
    size_t order[MODEL_EXPERTS_MAX];
    names_write(p, "members", plan->members, plan->member_count, out);
    plans_write(p, estimates, out);
    names_write(p, "fallbacks", order, text_policy_fallbacks(p, estimates, d, order), out);
    ruled_out_write(p, estimates, out);
    buf_add_c(out, ", \"floor\": ");
    json_write_double(out, in_force->min_quality);
    buf_add_c(out, ", \"max_cost_usd\": ");
    if (in_force->max_cost_nano_usd > 0)
        money_format_usd(out, in_force->max_cost_nano_usd);
    else
        buf_add_c(out, "null");
    buf_addf(out, ", \"model_checksum\": \"%016llx\"", (unsigned long long)model_checksum(m));
}
