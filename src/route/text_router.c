/* Experts of a model at their prices, and what they are estimated at. */
#include "route/text_router.h"

#include <math.h>
#include <stdlib.h>

#include "base/check.h"

struct text_router {
    const struct model *model;
    bool has[MODEL_EXPERTS_MAX];
    bool repriced; /* some expert has another price than the trained one */
    struct price prices[MODEL_EXPERTS_MAX];
};

enum status text_router_create(const struct model *m, bool all, struct text_router **ret,
                               struct error *err)
{
    struct text_router *r = calloc(1, sizeof(*r));
    if (!r)
        return error_set(err, ERR_MEMORY, "out of memory for a router");
    size_t count = model_expert_count(m);
    CHECK(count <= MODEL_EXPERTS_MAX);
    r->model = m;
    for (size_t i = 0; i < count; i++) {
        r->has[i] = all;
        r->prices[i] = model_expert_at(m, i)->price;
    }
    *ret = r;
    return OK;
}

void text_router_free(struct text_router *r)
{
    free(r);
}

enum status text_router_add(struct text_router *r, struct str name, const struct price *price,
                            struct error *err)
{
    size_t at = model_expert_index(r->model, name);
    if (at == SIZE_MAX)
        return model_expert_unknown(r->model, name, err);
    r->has[at] = true;
    if (!price || price_equal(price, &r->prices[at]))
        return OK;
    r->prices[at] = *price;
    r->repriced = true;
    return OK;
}

const struct model *text_router_model(const struct text_router *r)
{
    return r->model;
}

bool text_router_has(const struct text_router *r, size_t expert)
{
    CHECK(expert < model_expert_count(r->model));
    return r->has[expert];
}

bool text_router_offers(const struct text_router *r, size_t arm)
{
    const struct plan *plan = model_arm_at(r->model, arm);
    for (size_t k = 0; k < plan->member_count; k++)
        if (!r->has[plan->members[k]])
            return false;
    return true;
}

const struct price *text_router_prices(const struct text_router *r)
{
    return r->prices;
}

const struct price *text_router_price(const struct text_router *r, size_t expert)
{
    CHECK(expert < model_expert_count(r->model));
    return &r->prices[expert];
}

/* As a gateway prices a request of one message. Estimates at the trained prices stay as they are, bit by bit. */
static void reprice(const struct text_router *r, struct estimate *estimates)
{
    size_t experts = model_expert_count(r->model);
    for (size_t i = 0; i < experts; i++) {
        struct estimate *e = &estimates[i];
        if (price_equal(&r->prices[i], &model_expert_at(r->model, i)->price))
            continue;
        estimate_reprice(e, price_cost_nano_usd(&r->prices[i], llroundf(e->input_tokens),
                                                llroundf(e->output_tokens)));
    }
    for (size_t i = experts; i < model_arm_count(r->model); i++) {
        const struct plan *plan = model_arm_at(r->model, i);
        const struct estimate *members[PLAN_MEMBERS_MAX] = {NULL};
        for (size_t k = 0; k < plan->member_count; k++)
            members[k] = &estimates[plan->members[k]];
        plan_price(plan, members, &estimates[i]);
    }
}

enum status text_router_estimate(const struct text_router *r, struct str text, struct features *f,
                                 struct estimate *estimates, struct error *err)
{
    enum status status = model_estimate_text(r->model, text, f, estimates, err);
    if (status == OK && r->repriced)
        reprice(r, estimates);
    return status;
}
