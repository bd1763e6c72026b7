/* Candidates, estimates and the decision for one request. */
#include "serve/pool.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/check.h"
#include "expert/tokens.h"
#include "plan/budget.h"

struct pool_policy {
    struct policy policy;
    const bool *use; /* NULL: all */
    pthread_mutex_t lock;
    struct budget budget; /* guarded by lock; only where policy.budget_usd_per_1k > 0 */
};

struct pool {
    const struct config *config;
    const struct model *model;
    size_t model_count;
    size_t *model_index; /* [expert_count] */
    bool *repriced;      /* the configuration's prices differ from the trained ones */
    struct pool_policy *policies;
    size_t policy_count;
};

static void bind_experts(struct pool *p)
{
    for (size_t i = 0; i < p->config->expert_count; i++) {
        const struct expert *e = &p->config->experts[i];
        size_t k = model_expert_index(p->model, e->name);
        CHECK(k != SIZE_MAX);
        const struct price *trained = &model_expert_at(p->model, k)->price;
        p->model_index[i] = k;
        p->repriced[i] = trained->input_nano_usd_per_m != e->price.input_nano_usd_per_m ||
                         trained->output_nano_usd_per_m != e->price.output_nano_usd_per_m;
    }
}

/* Budget control starts from the lambda calibrated on the training queries, at the trained prices. */
static enum status start_policy(struct pool *p, size_t index, struct error *err)
{
    const struct config_policy *from = &p->config->policies[index];
    struct pool_policy *to = &p->policies[index];
    bool *use = calloc(p->model_count, sizeof(*use));
    if (!use)
        return error_set(err, ERR_MEMORY, "out of memory for a policy");
    for (size_t i = 0; i < p->config->expert_count; i++)
        use[p->model_index[i]] = !from->use || from->use[i];
    to->policy = from->policy;
    to->use = from->use;
    if (pthread_mutex_init(&to->lock, NULL)) {
        free(use);
        return error_set(err, ERR_MEMORY, "cannot make a lock");
    }
    double budget = from->policy.budget_usd_per_1k;
    if (budget > 0)
        budget_init(&to->budget, budget, model_lambda_for_budget(p->model, use, budget));
    p->policy_count++;
    free(use);
    return OK;
}

enum status pool_create(const struct config *config, const struct model *model, struct pool **ret,
                        struct error *err)
{
    struct pool *p = calloc(1, sizeof(*p));
    if (!p)
        return error_set(err, ERR_MEMORY, "out of memory for the pool");
    p->config = config;
    p->model = model;
    p->model_count = model_arm_count(model);
    p->model_index = calloc(config->expert_count, sizeof(*p->model_index));
    p->repriced = calloc(config->expert_count, sizeof(*p->repriced));
    p->policies = calloc(config->policy_count, sizeof(*p->policies));
    enum status status = OK;
    if (!p->model_index || !p->repriced || !p->policies)
        status = error_set(err, ERR_MEMORY, "out of memory for the pool");
    else
        bind_experts(p);
    for (size_t i = 0; status == OK && i < config->policy_count; i++)
        status = start_policy(p, i, err);
    if (status != OK) {
        pool_free(p);
        return status;
    }
    *ret = p;
    return OK;
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->policy_count; i++)
        pthread_mutex_destroy(&p->policies[i].lock);
    free(p->policies);
    free(p->repriced);
    free(p->model_index);
    free(p);
}

const struct config *pool_config(const struct pool *p)
{
    return p->config;
}

const struct model *pool_model(const struct pool *p)
{
    return p->model;
}

static size_t find_policy(const struct config *c, struct str name)
{
    for (size_t i = 0; i < c->policy_count; i++)
        if (str_equal(c->policies[i].name, name))
            return i;
    return SIZE_MAX;
}

enum status pool_target_find(const struct pool *p, struct str model, struct pool_target *ret,
                             struct error *err)
{
    const struct config *c = p->config;
    struct pool_target target = {SIZE_MAX, SIZE_MAX};
    if (model.len == 0 || str_equal(model, STR("leeroo")))
        target.policy = c->default_policy;
    else if (str_starts(model, STR("leeroo/")))
        target.policy = find_policy(c, str_slice(model, 7, model.len));
    else
        target.expert = expert_index(c->experts, c->expert_count, model);
    if (target.policy == SIZE_MAX && target.expert == SIZE_MAX)
        return error_set(err, ERR_NOT_FOUND,
                         "the model '%.*s' does not exist; /v1/models lists them",
                         (int)(model.len < 100 ? model.len : 100), model.ptr);
    *ret = target;
    return OK;
}

/* Costs at the configured prices, the rest of the conversation included. With the trained prices and one message
 * these are the model's own figures, the ones `leeroo route` prints. */
static void fill_estimates(const struct pool *p, const struct openai_request *r,
                           const struct estimate *from, struct estimate *into)
{
    uint64_t more =
        r->input_characters > r->query_characters ? r->input_characters - r->query_characters : 0;
    int64_t more_tokens = tokens_from_characters(more);
    for (size_t i = 0; i < p->config->expert_count; i++) {
        const struct price *price = &p->config->experts[i].price;
        struct estimate e = from[p->model_index[i]];
        if (p->repriced[i])
            e.cost_nano_usd =
                price_cost_nano_usd(price, llroundf(e.input_tokens), llroundf(e.output_tokens));
        e.cost_nano_usd += price_cost_nano_usd(price, more_tokens, 0);
        e.cost_max_nano_usd = e.cost_nano_usd;
        e.input_tokens += (float)more_tokens;
        into[i] = e;
    }
}

static const char *why_not(const struct pool *p, size_t i, const struct openai_request *r,
                           const struct pool_choice *choice)
{
    const struct expert *e = &p->config->experts[i];
    unsigned lacks = r->needs & ~e->capabilities;
    if (choice->target.policy != SIZE_MAX && p->policies[choice->target.policy].use &&
        !p->policies[choice->target.policy].use[i])
        return "not in this policy";
    if (lacks & EXPERT_TOOLS)
        return "no tools";
    if (lacks & EXPERT_IMAGES)
        return "no images";
    if (lacks & EXPERT_JSON)
        return "no JSON mode";
    if (e->context_tokens && choice->input_tokens + r->output_tokens_max > e->context_tokens)
        return "context too short";
    return NULL;
}

/* An expert asked for by name is asked, whatever we think of it. */
static void choose_named(struct pool_choice *c)
{
    const struct estimate *e = &c->estimates[c->target.expert];
    c->decision = (struct decision){
        .arm = c->target.expert, .quality = (double)e->quality, .cost_nano_usd = e->cost_nano_usd};
    c->ruled_out[c->target.expert] = NULL;
    c->order[0] = c->target.expert;
    c->order_count = 1;
}

static enum status nobody_eligible(const struct pool *p, const struct pool_choice *c,
                                   struct error *err)
{
    struct buf why;
    buf_init(&why, 240);
    for (size_t i = 0; i < p->config->expert_count; i++)
        buf_addf(&why, "%s%.*s: %s", i ? "; " : "", STR_FMT(p->config->experts[i].name),
                 c->ruled_out[i]);
    error_set(err, ERR_UNSUPPORTED, "no expert can serve this request (%s%s)",
              why.ptr ? why.ptr : "", why.status == OK ? "" : "; ...");
    buf_done(&why);
    return ERR_UNSUPPORTED;
}

static enum status choose_routed(struct pool *p, const bool *eligible, struct pool_choice *c,
                                 struct error *err)
{
    struct pool_policy *policy = &p->policies[c->target.policy];
    size_t count = p->config->expert_count;
    double lambda = policy->policy.lambda;
    if (policy->policy.budget_usd_per_1k > 0) {
        pthread_mutex_lock(&policy->lock);
        lambda = budget_lambda(&policy->budget);
        pthread_mutex_unlock(&policy->lock);
    }
    enum status status =
        decide(&policy->policy, lambda, c->estimates, eligible, count, &c->decision, err);
    if (status == ERR_NOT_FOUND)
        return nobody_eligible(p, c, err);
    if (status != OK)
        return status;
    c->order[0] = c->decision.arm;
    c->order_count = 1 + decide_fallbacks(&policy->policy, lambda, c->estimates, eligible, count,
                                          c->decision.arm, c->order + 1);
    for (size_t i = 0; i < count; i++)
        if (!c->ruled_out[i] && policy->policy.max_cost_nano_usd > 0 &&
            c->estimates[i].cost_nano_usd > policy->policy.max_cost_nano_usd)
            c->ruled_out[i] = "over max_cost";
    return OK;
}

enum status pool_choose(struct pool *p, const struct openai_request *request,
                        struct pool_target target, struct features *scratch, struct arena *a,
                        struct pool_choice *ret, struct error *err)
{
    size_t count = p->config->expert_count;
    struct estimate *all = ARENA_ARRAY(a, p->model_count, struct estimate);
    struct estimate *estimates = ARENA_ARRAY(a, count, struct estimate);
    bool *eligible = ARENA_ARRAY(a, count, bool);
    struct pool_choice choice = {.target = target,
                                 .estimates = estimates,
                                 .ruled_out = ARENA_ARRAY(a, count, const char *),
                                 .order = ARENA_ARRAY(a, count, size_t),
                                 .input_tokens = tokens_from_characters(request->input_characters)};
    if (!all || !estimates || !eligible || !choice.ruled_out || !choice.order)
        return error_set(err, ERR_MEMORY, "out of memory for a decision");
    enum status status = encode_text(model_encoder(p->model), request->query, scratch, err);
    if (status != OK)
        return status;
    model_estimate(p->model, scratch, all);
    fill_estimates(p, request, all, estimates);
    for (size_t i = 0; i < count; i++) {
        choice.ruled_out[i] = why_not(p, i, request, &choice);
        eligible[i] = !choice.ruled_out[i];
    }
    if (target.expert != SIZE_MAX)
        choose_named(&choice);
    else
        status = choose_routed(p, eligible, &choice, err);
    if (status == OK)
        *ret = choice;
    return status;
}

void pool_observe(struct pool *p, size_t policy, int64_t cost_nano_usd)
{
    if (policy == SIZE_MAX || p->policies[policy].policy.budget_usd_per_1k <= 0)
        return;
    struct pool_policy *to = &p->policies[policy];
    pthread_mutex_lock(&to->lock);
    budget_observe(&to->budget, (double)cost_nano_usd / (double)NANO_PER_USD);
    pthread_mutex_unlock(&to->lock);
}
