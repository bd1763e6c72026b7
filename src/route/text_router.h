/* A text to its decision, without a gateway and without a request: some experts of a model, at their prices, and a
 * policy over them. What `leeroo route` and libleeroo share; requests of clients have route/pool.h.
 *
 * Arms are the model's, by its indices. A router does not change once its experts are named; a policy is safe for any
 * number of threads: its budget has a lock of its own. Nothing here does any I/O. */
#pragma once

#include "plan/budget_state.h"
#include "plan/decide.h"
#include "predict/model.h"

struct text_router;

/* Over all experts of the model, or over none until text_router_add names them. The model is not owned and must outlive
 * the router. ERR_MEMORY. */
NODISCARD enum status text_router_create(const struct model *m, bool all, struct text_router **ret,
                                         struct error *err);
void text_router_free(struct text_router *r); /* NULL is fine */
/* One more of the model's experts; `price` in place of the trained one, NULL: that. ERR_NOT_FOUND names those that
 * there are. */
NODISCARD enum status text_router_add(struct text_router *r, struct str name,
                                      const struct price *price, struct error *err);
const struct model *text_router_model(const struct text_router *r);
bool text_router_has(const struct text_router *r, size_t expert);
/* Whether all members of an arm are there. */
bool text_router_offers(const struct text_router *r, size_t arm);
const struct price *text_router_prices(const struct text_router *r); /* [model_expert_count] */
const struct price *text_router_price(const struct text_router *r, size_t expert);

/* As model_estimate_text, at the router's prices; estimates[model_arm_count]. */
NODISCARD enum status text_router_estimate(const struct text_router *r, struct str text,
                                           struct features *f, struct estimate *estimates,
                                           struct error *err);

struct text_policy_settings {
    struct policy policy; /* as its owner wrote it: min_quality is the mean that it promises */
    struct str plans;     /* as plan_filter_apply takes them; empty: all */
    const bool *use;      /* [model_expert_count] among the router's; NULL: all of them */
};

struct text_policy;

/* `plans` are copied. Budgets and quality floors are calibrated on the training queries at the router's prices. The
 * router must outlive the policy. ERR_NOT_FOUND: a plan that the model does not have; ERR_MEMORY. */
NODISCARD enum status text_policy_create(const struct text_router *r,
                                         const struct text_policy_settings *settings,
                                         struct text_policy **ret, struct error *err);
void text_policy_free(struct text_policy *p); /* NULL is fine */
const struct text_router *text_policy_router(const struct text_policy *p);
/* In force: min_quality is the least that one query's arm must be predicted to have. */
const struct policy *text_policy_in_force(const struct text_policy *p);
bool text_policy_uses(const struct text_policy *p, size_t arm);
double text_policy_lambda(struct text_policy *p); /* in force now */

struct text_decision {
    struct decision decision;
    double usual_usd; /* goes to text_policy_observe; -1: no budget */
};
/* As decide: ERR_BUDGET, ERR_NOT_FOUND. */
NODISCARD enum status text_policy_decide(struct text_policy *p, const struct estimate *estimates,
                                         struct text_decision *ret, struct error *err);
/* The experts to ask when the chosen arm fails, best first, into order[model_expert_count]; returns how many. */
size_t text_policy_fallbacks(const struct text_policy *p, const struct estimate *estimates,
                             const struct decision *d, size_t *order);
/* What came of a decision: `cost_usd` as found, or as predicted. Nothing happens without a budget. */
void text_policy_observe(struct text_policy *p, const struct text_decision *d, double cost_usd);
/* Where the budget is; of a policy that has one. */
struct budget_state text_policy_budget(struct text_policy *p);
/* Goes on where another run ended; before the first decision. ERR_CORRUPT: no stream can have led there. */
NODISCARD enum status text_policy_resume(struct text_policy *p, const struct budget_state *state,
                                         struct error *err);
