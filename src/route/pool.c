/* What a pool is made of, once: its experts bound to the model's, the model's plans over them, policies with their
 * budgets and quality floors.
 *
 * pool_create allocates all of it and pool_free frees it; in between only budgets change, from any thread, each behind
 * its lock. pool_budgets_resume and pool_budgets_share must not be called once there are requests. */
#include "route/verified_arms.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "encode/tokenizer.h"
#include "plan/plan_filter.h"

/* One arm each, at the settings' prices. */
static enum status bind_experts(struct pool *p, struct error *err)
{
    for (size_t i = 0; i < p->settings.expert_count; i++) {
        const struct expert *e = &p->settings.experts[i];
        size_t k = model_expert_index(p->model, e->name);
        if (k == SIZE_MAX)
            return error_set(err, ERR_NOT_FOUND, "the model has no estimates for expert '%.*s'",
                             STR_FMT(e->name));
        const struct price *trained = &model_expert_at(p->model, k)->price;
        p->model_index[i] = k;
        p->arms[i] = (struct plan){.member_count = 1, .members = {i}, .name = e->name};
        p->repriced[i] = trained->input_nano_usd_per_m != e->price.input_nano_usd_per_m ||
                         trained->output_nano_usd_per_m != e->price.output_nano_usd_per_m;
    }
    return OK;
}

/* The plan with the pool's indices of its members; false when one of them is not in the pool. */
static bool bind_plan(const struct pool *p, const struct plan *from, struct plan *ret)
{
    struct plan plan = *from;
    for (size_t k = 0; k < plan.member_count; k++) {
        struct str name = model_expert_at(p->model, from->members[k])->name;
        plan.members[k] = expert_index(p->settings.experts, p->settings.expert_count, name);
        if (plan.members[k] == SIZE_MAX)
            return false;
    }
    *ret = plan;
    return true;
}

static char *label_of(const struct plan *plan)
{
    struct buf text;
    buf_init(&text, SIZE_MAX / 2);
    plan_label_add(&text, plan->name);
    return buf_take(&text);
}

static enum status bind_plans(struct pool *p, struct error *err)
{
    for (size_t k = model_expert_count(p->model); k < p->model_count; k++) {
        if (!bind_plan(p, model_arm_at(p->model, k), &p->arms[p->arm_count]))
            continue;
        p->labels[p->arm_count] = label_of(&p->arms[p->arm_count]);
        if (!p->labels[p->arm_count])
            return error_set(err, ERR_MEMORY, "out of memory for the pool");
        p->model_index[p->arm_count++] = k;
    }
    return OK;
}

enum status pool_filter_plans(const struct pool *p, struct str patterns, bool *experts, bool *use,
                              struct error *err)
{
    enum status status = plan_filter_apply(p->model, patterns, experts, err);
    for (size_t i = p->settings.expert_count; status == OK && i < p->arm_count; i++)
        use[i] = experts[p->model_index[i]];
    return status;
}

/* Its budget and its floors are those of verified plans. */
static enum status start_verifying(struct pool *p, size_t index, const struct model_sample *sample,
                                   const bool *use, struct error *err)
{
    const struct route_policy *from = &p->settings.policies[index];
    struct pool_policy *to = &p->policies[index];
    struct verified_sample verified;
    const struct verified_terms terms = {.check = from->check,
                                         .shared_sd = model_shared_sd(p->model)};
    struct str *names = calloc(p->settings.expert_count, sizeof(*names));
    for (size_t i = 0; names && i < p->settings.expert_count; i++)
        names[i] = p->settings.experts[i].name;
    if (names)
        to->checks = check_cell_create(names, p->settings.expert_count, &from->check);
    free(names);
    if (!to->checks)
        return error_set(err, ERR_MEMORY, "out of memory for a policy");
    enum status status = verified_sample_init(&verified, sample, use, model_expert_count(p->model),
                                              &terms, from->policy.max_calls, err);
    if (status != OK)
        return status;
    status = live_policy_calibrate(&to->live, &verified.sample, NULL, &from->policy, err);
    quality_floor_table_init(&to->floors, &verified.sample, NULL);
    verified_sample_done(&verified);
    return status;
}

/* use[arms of the model]: scratch. */
static enum status start_policy(struct pool *p, size_t index, const struct model_sample *sample,
                                bool *use, struct error *err)
{
    const struct route_policy *from = &p->settings.policies[index];
    struct pool_policy *to = &p->policies[index];
    for (size_t i = 0; i < p->model_count; i++)
        use[i] = false;
    for (size_t i = 0; i < p->settings.expert_count; i++)
        use[p->model_index[i]] = !from->use || from->use[i];
    to->use = from->use;
    to->plan_use = calloc(p->arm_count, sizeof(*to->plan_use));
    if (!to->plan_use)
        return error_set(err, ERR_MEMORY, "out of memory for a policy");
    enum status status =
        live_policy_init(&to->live, p->model, sample, &from->policy, from->plans, use, err);
    if (status != OK)
        return status;
    for (size_t i = p->settings.expert_count; i < p->arm_count; i++)
        to->plan_use[i] = use[p->model_index[i]];
    quality_floor_table_init(&to->floors, sample, use);
    return from->verifies ? start_verifying(p, index, sample, use, err) : OK;
}

enum status pool_sample(const struct pool *p, struct priced_sample *ret, struct error *err)
{
    struct price prices[MODEL_EXPERTS_MAX];
    for (size_t e = 0; e < model_expert_count(p->model); e++)
        prices[e] = model_expert_at(p->model, e)->price;
    for (size_t i = 0; i < p->settings.expert_count; i++)
        prices[p->model_index[i]] = p->settings.experts[i].price;
    return priced_sample_init(ret, p->model, prices, err);
}

static void find_readers(struct pool *p)
{
    const struct encoder *const *encoders;
    size_t count = model_encoders(p->model, &encoders);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < p->settings.reader_count; k++)
            if (!strcmp(encoders[i]->name, p->settings.readers[k].name))
                p->reading[i] = p->settings.readers[k].price;
}

static enum status start_policies(struct pool *p, struct error *err)
{
    struct priced_sample sample = {.own = NULL};
    bool *use = calloc(p->model_count, sizeof(*use));
    if (!use)
        return error_set(err, ERR_MEMORY, "out of memory for a policy");
    enum status status = pool_sample(p, &sample, err);
    p->policy_count = p->settings.policy_count;
    for (size_t i = 0; status == OK && i < p->policy_count; i++)
        status = start_policy(p, i, &sample.sample, use, err);
    priced_sample_done(&sample);
    free(use);
    return status;
}

static enum status bind_arms(struct pool *p, struct error *err)
{
    size_t experts = p->settings.expert_count;
    size_t most = experts + p->model_count - model_expert_count(p->model);
    p->model_index = calloc(most, sizeof(*p->model_index));
    p->arms = calloc(most, sizeof(*p->arms));
    p->labels = calloc(most, sizeof(*p->labels));
    p->repriced = calloc(experts, sizeof(*p->repriced));
    p->policies = calloc(p->settings.policy_count, sizeof(*p->policies));
    if (!p->model_index || !p->arms || !p->labels || !p->repriced || !p->policies)
        return error_set(err, ERR_MEMORY, "out of memory for the pool");
    p->arm_count = experts;
    enum status status = bind_experts(p, err);
    return status == OK ? bind_plans(p, err) : status;
}

/* Tokenizers */

/* The first expert that has this one's file. */
static size_t sharer_of(const struct pool *p, size_t i)
{
    size_t k = 0;
    while (!p->settings.experts[k].tokenizer ||
           strcmp(p->settings.experts[k].tokenizer, p->settings.experts[i].tokenizer) != 0)
        k++;
    return k;
}

static enum status open_tokenizers(struct pool *p, struct error *err)
{
    size_t experts = p->settings.expert_count;
    enum status status = OK;
    p->tokenizers = calloc(experts, sizeof(struct tokenizer *));
    if (!p->tokenizers)
        return error_set(err, ERR_MEMORY, "out of memory for the pool");
    for (size_t i = 0; i < experts && status == OK; i++) {
        const struct expert *e = &p->settings.experts[i];
        struct error why = {0};
        size_t first = e->tokenizer ? sharer_of(p, i) : i;
        if (!e->tokenizer || first < i)
            p->tokenizers[i] = p->tokenizers[first];
        else if ((status = tokenizer_open(e->tokenizer, &p->tokenizers[i], &why)) != OK)
            (void)error_set(err, status, "expert '%.*s': tokenizer: %s", STR_FMT(e->name),
                            why.text);
    }
    return status;
}

static void close_tokenizers(struct pool *p)
{
    for (size_t i = 0; p->tokenizers && i < p->settings.expert_count; i++)
        if (p->settings.experts[i].tokenizer && sharer_of(p, i) == i)
            tokenizer_free(p->tokenizers[i]);
    free(p->tokenizers);
}

enum status pool_create(const struct pool_settings *settings, const struct model *model,
                        struct pool **ret, struct error *err)
{
    struct pool *p = calloc(1, sizeof(*p));
    if (!p)
        return error_set(err, ERR_MEMORY, "out of memory for the pool");
    CHECK(settings->default_policy < settings->policy_count);
    p->settings = *settings;
    p->model = model;
    p->model_count = model_arm_count(model);
    find_readers(p);
    enum status status = bind_arms(p, err);
    if (status == OK)
        status = open_tokenizers(p, err);
    if (status == OK)
        status = start_policies(p, err);
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
    for (size_t i = 0; i < p->policy_count; i++) {
        live_policy_done(&p->policies[i].live);
        free(p->policies[i].plan_use);
        check_cell_release(p->policies[i].checks);
    }
    for (size_t i = 0; i < p->arm_count; i++)
        free(p->labels[i]);
    free(p->labels);
    free(p->arms);
    free(p->policies);
    free(p->repriced);
    close_tokenizers(p);
    free(p->model_index);
    free(p);
}

const struct pool_settings *pool_settings(const struct pool *p)
{
    return &p->settings;
}

const struct model *pool_model(const struct pool *p)
{
    return p->model;
}

size_t pool_arm_count(const struct pool *p)
{
    return p->arm_count;
}

const struct plan *pool_arm_at(const struct pool *p, size_t arm)
{
    CHECK(arm < p->arm_count);
    return &p->arms[arm];
}

struct str pool_arm_label(const struct pool *p, size_t arm)
{
    CHECK(arm < p->arm_count);
    return str_from(p->labels[arm] ? p->labels[arm] : plan_kind_name(PLAN_SINGLE));
}

void pool_plan_verdict(const struct pool *p, size_t arm, const struct plan_state *state,
                       struct plan_verdict *ret)
{
    CHECK(arm >= p->settings.expert_count && arm < p->arm_count);
    model_plan_verdict(p->model, p->model_index[arm], state, ret);
}

size_t pool_policy_index(const struct pool *p, struct str name)
{
    const struct pool_settings *c = &p->settings;
    for (size_t i = 0; i < c->policy_count; i++)
        if (str_equal(c->policies[i].name, name))
            return i;
    return SIZE_MAX;
}

void pool_observe(struct pool *p, size_t policy, int64_t cost_nano_usd, double usual_usd)
{
    if (policy != SIZE_MAX)
        live_policy_observe(&p->policies[policy].live, (double)cost_nano_usd / (double)NANO_PER_USD,
                            usual_usd);
}

size_t pool_budgets(struct pool *p, struct budget_named *into)
{
    size_t n = 0;
    for (size_t i = 0; i < p->policy_count; i++) {
        const struct pool_policy *policy = &p->policies[i];
        if (!policy->live.budget)
            continue;
        if (into)
            into[n] = (struct budget_named){
                p->settings.policies[i].name, policy->live.policy.budget_usd_per_1k,
                budget_cell_state(policy->live.budget), budget_cell_lambda(policy->live.budget)};
        n++;
    }
    return n;
}

void pool_budgets_resume(struct pool *p, const struct budget_named *budgets, const bool *found)
{
    size_t n = 0;
    for (size_t i = 0; i < p->policy_count; i++) {
        if (!p->policies[i].live.budget)
            continue;
        if (found[n]) /* the reader refuses what is impossible */
            budget_cell_resume(p->policies[i].live.budget, &budgets[n].state);
        n++;
    }
}

static void adopt_checks(struct pool *p, size_t policy, const struct pool *earlier)
{
    size_t i = pool_policy_index(earlier, p->settings.policies[policy].name);
    if (p->policies[policy].checks && i != SIZE_MAX && earlier->policies[i].checks)
        check_cell_adopt(p->policies[policy].checks, earlier->policies[i].checks);
}

static struct budget_cell *find_budget(const struct pool *p, struct str name, double usd_per_1k)
{
    size_t i = pool_policy_index(p, name);
    if (i == SIZE_MAX || p->policies[i].live.policy.budget_usd_per_1k != usd_per_1k)
        return NULL;
    return p->policies[i].live.budget;
}

void pool_budgets_share(struct pool *p, const struct pool *earlier)
{
    for (size_t i = 0; i < p->policy_count; i++) {
        struct pool_policy *to = &p->policies[i];
        adopt_checks(p, i, earlier);
        double usd = to->live.policy.budget_usd_per_1k;
        struct budget_cell *from =
            to->live.budget ? find_budget(earlier, p->settings.policies[i].name, usd) : NULL;
        if (!from)
            continue;
        budget_cell_renew(from, to->live.budget);
        budget_cell_release(to->live.budget);
        to->live.budget = budget_cell_hold(from);
    }
}
