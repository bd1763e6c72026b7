/* Private to route: what a pool holds. pool.c makes it, estimator.c and pool_price.c estimate a request, pool_choice.c
 * decides. */
#pragma once

#include "plan/quality_floor.h"
#include "route/check_cell.h"
#include "route/live_policy.h"
#include "route/pool_choice.h"
#include "route/priced_sample.h"

struct tokenizer;

struct pool_policy {
    struct live_policy
        live;        /* its budget may be shared with the pool of an earlier configuration */
    const bool *use; /* [expert_count]; NULL: all */
    bool *plan_use;  /* [arm_count]: which plans; the experts' part means nothing */
    struct quality_floor_table floors; /* for a min_quality that a request brings */
    struct check_cell *checks;         /* of a policy that verifies; else NULL */
};

struct pool {
    struct pool_settings settings;
    const struct model *model;
    size_t model_count; /* arms of the model */
    size_t arm_count;
    size_t *model_index;           /* [arm_count] the model's arm */
    struct plan *arms;             /* [arm_count] */
    char **labels;                 /* [arm_count]; of experts NULL */
    bool *repriced;                /* [expert_count] its price here is not the trained one */
    struct tokenizer **tokenizers; /* [expert_count]; NULL: none. One for each file */
    struct pool_policy *policies;
    size_t policy_count;
    const struct price *reading[ENCODERS_MAX]; /* of the model's encoders; NULL: free */
};

/* The model's sample at the pool's prices; experts that are not in it keep theirs. ERR_MEMORY. */
NODISCARD enum status pool_sample(const struct pool *p, struct priced_sample *ret,
                                  struct error *err);
/* Which of the pool's plans are meant by patterns, as plan_filter_apply takes them, into use[arm_count], whose part of
 * experts stays. scratch[arms of the model] says which experts may be members. ERR_NOT_FOUND. */
NODISCARD enum status pool_filter_plans(const struct pool *p, struct str patterns, bool *scratch,
                                        bool *use, struct error *err);

/* The model's estimates of what is asked, model[arms of the model], as those of the whole request at the pool's prices.
 * `characters`, scripts[SCRIPTS]: of what is asked; held[expert_count]: tokens that each is believed to hold, NULL:
 * none. ERR_MEMORY. */
NODISCARD enum status pool_price(const struct pool *p, const struct openai_request *r,
                                 const struct estimate *model, double characters,
                                 const double *scripts, const uint32_t *held, struct arena *a,
                                 struct request_estimates *ret, struct error *err);
