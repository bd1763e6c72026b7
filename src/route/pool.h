/* The experts behind the gateway together with the model that estimates them: who may serve a request, at what
 * estimate, and who is chosen. Shared by all threads: immutable, but for the budget of each policy, which has a
 * lock of its own.
 *
 * Indices of experts are the settings'. An arm is an expert, with the same index, or behind those one of the
 * model's plans over such experts (predict/arm.h); the members of a plan are indices of the settings, too. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "dialect/dialect.h"
#include "plan/budget_state.h"
#include "plan/decide.h"
#include "predict/model.h"
#include "route/pool_settings.h"

struct pool;
struct request_estimates; /* route/estimator.h */

/* The settings are copied; what they point to, and the model, is not owned and must outlive the pool. ERR_NOT_FOUND: an
 * expert that the model cannot estimate, or a plan that it does not have; ERR_MEMORY. */
NODISCARD enum status pool_create(const struct pool_settings *settings, const struct model *model,
                                  struct pool **ret, struct error *err);
void pool_free(struct pool *p); /* NULL is fine */
const struct pool_settings *pool_settings(const struct pool *p);
const struct model *pool_model(const struct pool *p);
size_t pool_arm_count(const struct pool *p);
/* Of an expert a single. */
const struct plan *pool_arm_at(const struct pool *p, size_t arm);
/* What headers and logs call it: "single", or the plan's name in ASCII, "panel(a,b->c)". */
struct str pool_arm_label(const struct pool *p, size_t arm);
/* model_plan_verdict for an arm of the pool. */
void pool_plan_verdict(const struct pool *p, size_t arm, const struct plan_state *state,
                       struct plan_verdict *ret);

/* Why an expert may not serve a request, and what a client is told that asked for it by name. */
struct pool_bar {
    const char *why; /* static text, "circuit open"; NULL: it may */
    /* ERR_OVERLOAD: not now; ERR_FORBIDDEN: not for this caller; ERR_INPUT: not by the request's own words */
    enum status status;
};

struct pool_target { /* what a request asks for; one of the first two is SIZE_MAX */
    size_t policy;
    size_t expert;
    struct str plans; /* as for plan_filter_apply: what the request itself says; empty: all */
    const char *plans_param; /* where it says so, for errors; NULL: nowhere */
    /* In place of the policy's own target; at most one of the two. */
    bool has_lambda;
    double lambda;
    double min_quality;        /* > 0: given */
    int64_t max_cost_nano_usd; /* > 0: given; counts where it is below the policy's */
    /* [expert_count], in the arena, set by pool_bar_expert. A barred expert cannot serve even if it was asked for by
     * name. NULL: none is barred. */
    struct pool_bar *barred;
    /* The client speaks native_dialect itself, so that such experts are asked in its own words (NULL: no dialect of an
     * expert); native_only: what only they can be asked for ("thinking"), NULL: nothing. */
    const struct dialect *native_dialect;
    const char *native_only;
    /* [expert_count] how many tokens of the input each is believed to hold in its prompt cache; NULL: none
     * (serve/affinity.h). */
    const uint32_t *cached_tokens;
    const struct affinity_prefix
        *prefix; /* what the one who answers will hold; NULL: nothing worth it */
};
/* Bars `expert` from serving the request. One that is barred already keeps its first reason. `a` outlives the target.
 * ERR_MEMORY. */
NODISCARD enum status pool_bar_expert(const struct pool *p, struct pool_target *target,
                                      size_t expert, struct pool_bar bar, struct arena *a,
                                      struct error *err);
/* "leeroo", "leeroo/POLICY", an expert's name; empty means "leeroo". ERR_NOT_FOUND. */
NODISCARD enum status pool_target_find(const struct pool *p, struct str model,
                                       struct pool_target *ret, struct error *err);

struct pool_lack {
    const struct dialect *dialect; /* NULL: no more */
    const char *what;              /* it has no word for; NULL: it has for everything */
};

struct pool_choice { /* arrays are in the arena, one item per arm */
    struct pool_target target;
    struct policy
        policy; /* in force: the policy's own, but for what the request brings; by name: nothing */
    struct pool_lack
        lacks[DIALECT_COUNT]; /* of the dialects among the experts that may lack some of it */
    struct decision decision;
    double
        usual_usd; /* with a budget: predicted cost at the calibrated lambda (plan/budget.h); -1: not known */
    const struct estimate *estimates;
    const uint32_t
        *cached_tokens;     /* [expert_count] of the input, taken for cached in the estimates */
    const char **ruled_out; /* why; NULL for a candidate */
    size_t *order;          /* experts: the members of the chosen arm, then the fallbacks */
    size_t order_count;
    int64_t input_tokens; /* of the whole request, estimated */
    float characters;     /* of what is asked, as its features have them */
};
/* ERR_UNSUPPORTED: no expert can serve it; ERR_BUDGET: none at a cost below max_cost; ERR_INPUT: target.plans names a
 * plan that the model does not have. Where only bars are in the way, of all experts that could serve it or of the one
 * asked for by name: the status of the bar. */
NODISCARD enum status pool_choose(struct pool *p, const struct openai_request *request,
                                  struct pool_target target, const struct request_estimates *e,
                                  struct arena *a, struct pool_choice *ret, struct error *err);
/* Tokens of the longest answer of order[candidate] that keeps the request within the max_cost in force, when
 * `others_nano_usd` were spent on other experts and `failed_nano_usd` on its own failed tries. 0: there is no money for
 * any answer; INT64_MAX: there is no limit. The members of a plan share max_cost in proportion to their predicted
 * costs, so that all of them together stay within it; each pays for its own tries. */
int64_t pool_output_limit(const struct pool *p, const struct openai_request *r,
                          const struct pool_choice *c, size_t candidate, int64_t others_nano_usd,
                          int64_t failed_nano_usd);
/* Tells a policy's budget what a request really cost, with the usual_usd of its choice. `policy` SIZE_MAX (an expert by
 * name) is fine. */
void pool_observe(struct pool *p, size_t policy, int64_t cost_nano_usd, double usual_usd);
/* The states of all budgets, in the order of the policies that have one; returns how many. `into` may be NULL. */
size_t pool_budgets(struct pool *p, struct budget_named *into);
/* Budgets with found[i] go on from the state budgets[i], in the order of pool_budgets. Before the first request. */
void pool_budgets_resume(struct pool *p, const struct budget_named *budgets, const bool *found);
/* Policies with the same name and the same USD share one budget with the policy of an earlier pool, whose requests may
 * still run. Before the first request to p. */
void pool_budgets_share(struct pool *p, const struct pool *earlier);
