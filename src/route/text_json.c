/* Decisions about texts in JSON. */
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
}
