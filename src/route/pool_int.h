/* Private to pool*.c: what a pool holds. pool_bind.c makes it, pool_estimate.c estimates a request, pool.c decides. */
#pragma once

#include "plan/quality_floor.h"
#include "route/budget_cell.h"
#include "route/pool.h"

struct pool_policy {
    struct policy policy;
    const bool *use;            /* [expert_count]; NULL: all */
    bool *plan_use;             /* [arm_count]: which plans; the experts' part means nothing */
    struct budget_cell *budget; /* NULL: none; shared with the pool of an earlier configuration */
    struct quality_floor_table floors; /* for a min_quality that a request brings */
};

struct pool {
    struct pool_settings settings;
    const struct model *model;
    size_t model_count; /* arms of the model */
    size_t arm_count;
    size_t *model_index; /* [arm_count] the model's arm */
    struct plan *arms;   /* [arm_count] */
    char **labels;       /* [arm_count]; of experts NULL */
    bool *repriced; /* [expert_count] the configuration's prices differ from the trained ones */
    struct pool_policy *policies;
    size_t policy_count;
};

/* Which of the pool's plans the patterns allow, into use[arm_count]. `experts` as in plan_filter_apply, scratch. */
NODISCARD enum status pool_filter_plans(const struct pool *p, struct str patterns, bool *experts,
                                        bool *use, struct error *err);

/* Estimates of all arms at the configured prices for the whole conversation, what is cached counted; into[arm_count].
 * Also sets c->characters and c->cached_tokens. */
NODISCARD enum status pool_estimate(const struct pool *p, const struct openai_request *r,
                                    struct features *scratch, struct arena *a,
                                    struct estimate *into, struct pool_choice *c,
                                    struct error *err);
