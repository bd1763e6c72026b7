/* What a pool is made of, whoever says it: leeroo.yaml (config_pool_settings), the options of a command, a test. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "expert/expert.h"
#include "plan/decide.h"
#include "predict/verified.h"
#include "route/model_alias.h"

struct route_policy {
    struct str name;
    struct policy policy;    /* as its owner wrote it: min_quality is the mean that it promises */
    const bool *use;         /* [expert_count]; NULL: all */
    struct str plans;        /* as plan_filter_apply takes them; empty: all */
    uint32_t hedge_after_ms; /* without content until then, the next best is asked, too; 0: never */
    /* Every answer is held to a check (`verify:`); then a request's arms are verified plans (verified_arms.h). */
    bool verifies;
    bool strict; /* nothing is answered that has not passed */
    struct verified_check check;
};

/* An encoder that is paid for: the model's of that name, if it has one. */
struct pool_reader {
    const char *name;
    const struct price *price; /* of a token; NULL: free */
};

struct pool_settings {
    const struct expert *experts; /* with prices; each by a name that the model has */
    size_t expert_count;
    const struct route_policy *policies;
    size_t policy_count;
    const struct model_alias *aliases;
    size_t alias_count;
    size_t default_policy; /* in force where a request names neither policy nor expert */
    size_t reference;      /* the expert that savings are measured against */
    /* [expert_count] on what an expert without outcomes was placed, "no outcomes yet: placed by price"; of one that the
     * model has learnt, NULL. NULL: the model has learnt all. */
    const char *const *placed;
    const struct pool_reader *readers; /* [reader_count] */
    size_t reader_count;
};
