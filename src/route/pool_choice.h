/* One request: what it asks for, which experts may serve it, and which arm of the pool is chosen. A pure choice over
 * estimates (estimator.h): nothing is encoded, no clock is read, and it may be made again from the same estimates, with
 * and without some bars. The pool's budgets alone move, when pool_observe tells them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "dialect/dialect.h"
#include "plan/decide.h"
#include "route/estimator.h"

/* Why an expert may not serve a request, and what a client is told that asked for it by name. */
struct pool_bar {
    const char *why; /* static text, "circuit open"; NULL: it may */
    /* ERR_OVERLOAD: not now; ERR_FORBIDDEN: not for this caller; ERR_INPUT: not by the request's own words */
    enum status status;
};

struct pool_target { /* what a request asks for; one of the first two is SIZE_MAX */
    size_t policy;
    size_t expert;    /* asked first; its fallbacks (expert/expert.h) after it */
    struct str plans; /* as for plan_filter_apply: what the request itself says; empty: all */
    const char *plans_param; /* where it says so, for errors; NULL: nowhere */
    /* Why this request's answers cannot be held to the policy's check, "no schema to hold it to"; NULL: they can. */
    const char *unchecked;
    /* In place of the policy's own target; at most one of the two. */
    bool has_lambda;
    double lambda;
    double min_quality;        /* > 0: given */
    int64_t max_cost_nano_usd; /* > 0: given; counts where it is below the policy's */
    uint32_t max_latency_ms;   /* the same */
    /* [expert_count] how long asking each is expected to take, 0: unknown; set by candidates_choose where it counts.
     * NULL: nothing is known. */
    const uint32_t *latency_ms;
    /* [expert_count], in the arena, set by pool_bar_expert. A barred expert cannot serve even if it was asked for by
     * name. NULL: none is barred. */
    struct pool_bar *barred;
    bool names_experts; /* the request itself says which may serve; it barred the others */
    /* The client speaks native_dialect itself, so that such experts are asked in its own words (NULL: no dialect of an
     * expert). native_only: what only they can be asked for ("documents"), NULL: nothing. native_rather: what others
     * serve without, where none of them may serve. */
    const struct dialect *native_dialect;
    const char *native_only, *native_rather;
    /* [expert_count] how many tokens of the input each is believed to hold in its prompt cache, for estimator_ask;
     * NULL: none. */
    const uint32_t *cached_tokens;
    /* Of the policy's choice: the conversation is amid a turn that the expert `holder` began. It goes on there while
     * that may serve it, and no plan takes part. SIZE_MAX: that one is gone. */
    bool is_held;
    size_t holder;
    /* What the one that answers will hold; NULL: nothing worth it. For whoever set it: nothing here looks at it. */
    const struct affinity_prefix *prefix;
};
/* Bars `expert` from serving the request. One that is barred already keeps its first reason. `a` outlives the target.
 * ERR_MEMORY. */
NODISCARD enum status pool_bar_expert(const struct pool *p, struct pool_target *target,
                                      size_t expert, struct pool_bar bar, struct arena *a,
                                      struct error *err);
/* "leeroo", "leeroo/POLICY", an expert's name, an alias of one of them; empty means "leeroo". ERR_NOT_FOUND. */
NODISCARD enum status pool_target_find(const struct pool *p, struct str model,
                                       struct pool_target *ret, struct error *err);

struct pool_lack {
    const struct dialect *dialect; /* NULL: no more */
    const char *what;              /* it has no word for; NULL: it has for everything */
};

struct pool_choice { /* arrays are in the arena, one item per arm */
    /* The pool's, and in a policy that verifies behind them the request's verified plans. */
    const struct plan *arms;
    size_t arm_count;
    struct str label; /* of the arm chosen, as pool_arm_label has it */
    bool is_verified; /* the arm chosen is such a plan */
    struct verified_terms terms;
    const char *unchecked; /* in a policy that verifies: why it is not; NULL otherwise */
    struct pool_target target;
    /* In force: the policy's own, but for what the request brings; for an expert by name only that. Of max_cost what
     * encoders that are paid for have left. */
    struct policy policy;
    /* Of the dialects among the experts that may lack some of it. */
    struct pool_lack lacks[DIALECT_COUNT];
    struct decision decision;
    /* With a budget: predicted cost at the calibrated lambda (plan/budget.h); -1: unknown. */
    double usual_usd;
    /* As they were given: struct request_estimates. */
    const struct estimate *estimates;
    const uint32_t *cached_tokens;
    float characters;
    enum encode_silence silences[ENCODERS_MAX];
    struct cost reading[ENCODERS_MAX];
    const char **ruled_out; /* why; NULL for a candidate */
    size_t *order;          /* experts: the members of the chosen arm, then the fallbacks */
    size_t order_count;
    int64_t input_tokens; /* of the whole request, estimated */
};
/* ERR_UNSUPPORTED: no expert can serve it; ERR_CONTEXT: because it is too long; ERR_BUDGET: none at a cost below
 * max_cost; ERR_INPUT: target.plans names a plan that the model does not have. Where only bars are in the way, of all
 * experts that could serve it or of the one asked for by name: the status of the bar. */
NODISCARD enum status pool_choose(struct pool *p, const struct openai_request *request,
                                  struct pool_target target, const struct request_estimates *e,
                                  struct arena *a, struct pool_choice *ret, struct error *err);
/* What to do next in the plan that was chosen. */
void pool_choice_verdict(const struct pool *p, const struct pool_choice *c,
                         const struct plan_state *state, struct plan_verdict *ret);
int64_t pool_reading_nano_usd(const struct pool_choice *c); /* all of `reading` */
/* The least that an estimate of the whole request may be: a quarter of the characters, which is `estimated`
 * (pool_choice.input_tokens), but what the expert was learnt to count of those of a script (docs/orchestrator.md). */
int64_t pool_least_tokens(const struct estimate *e, int64_t estimated);
/* Of the whole request: what the expert's tokenizer has counted, or else what it is predicted to count, and never less
 * than that. */
int64_t pool_input_tokens(const struct estimate *e, int64_t estimated);
/* What one call to the expert may cost at most: its input as estimated, and written into the endpoint's cache where
 * that is dearer; its answers as long as the client allows, or else as the expert's max_output_tokens says, and never
 * longer than what the context leaves. */
int64_t pool_worst_nano_usd(const struct pool *p, const struct openai_request *r,
                            const struct pool_choice *c, size_t expert);
/* Tokens of the longest answer of order[candidate] that keeps the request within the max_cost in force, when
 * `others_nano_usd` were spent on other experts and `failed_nano_usd` on its own failed tries. 0: there is no money for
 * any answer; INT64_MAX: there is no limit. The members of a plan share max_cost in proportion to their predicted
 * costs, so that all of them together stay within it; each pays for its own tries. */
int64_t pool_output_limit(const struct pool *p, const struct openai_request *r,
                          const struct pool_choice *c, size_t candidate, int64_t others_nano_usd,
                          int64_t failed_nano_usd);
