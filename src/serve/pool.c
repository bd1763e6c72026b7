/* Candidates, estimates and the decision for one request. */
#include "serve/pool.h"

#include <math.h>
#include <stdlib.h>

#include "base/check.h"
#include "dialect/anthropic.h"
#include "dialect/tokens.h"
#include "plan/allow.h"
#include "plan/floor.h"
#include "serve/budget_cell.h"

static const char over_max_cost[] = "over max_cost";

struct pool_policy {
    struct policy policy;
    const bool *use;            /* [expert_count]; NULL: all */
    bool *plan_use;             /* [arm_count]: which plans; the experts' part means nothing */
    struct budget_cell *budget; /* NULL: none; shared with the pool of an earlier configuration */
};

struct pool {
    const struct config *config;
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

static void bind_experts(struct pool *p)
{
    for (size_t i = 0; i < p->config->expert_count; i++) {
        const struct expert *e = &p->config->experts[i];
        size_t k = model_expert_index(p->model, e->name);
        CHECK(k != SIZE_MAX);
        const struct price *trained = &model_expert_at(p->model, k)->price;
        p->model_index[i] = k;
        p->arms[i] = (struct plan){.member_count = 1, .members = {i}, .name = e->name};
        p->repriced[i] = trained->input_nano_usd_per_m != e->price.input_nano_usd_per_m ||
                         trained->output_nano_usd_per_m != e->price.output_nano_usd_per_m;
    }
}

/* The plan with the configuration's indices of its members; false when one of them is not configured. */
static bool bind_plan(const struct pool *p, const struct plan *from, struct plan *ret)
{
    struct plan plan = *from;
    for (size_t k = 0; k < plan.member_count; k++) {
        struct str name = model_expert_at(p->model, from->members[k])->name;
        plan.members[k] = expert_index(p->config->experts, p->config->expert_count, name);
        if (plan.members[k] == SIZE_MAX)
            return false;
    }
    *ret = plan;
    return true;
}

/* Headers take ASCII only. Names of configured experts are plain, so the arrow is all there is to replace. */
static char *label_of(const struct plan *plan)
{
    static const struct str arrow = {"→", sizeof("→") - 1};
    size_t at = str_find(plan->name, arrow, 0);
    struct buf text;
    buf_init(&text, plan->name.len + 16);
    buf_add(&text, str_slice(plan->name, 0, at));
    if (at != SIZE_MAX) {
        buf_add_c(&text, "->");
        buf_add(&text, str_slice(plan->name, at + arrow.len, plan->name.len));
    }
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

/* Which of the pool's plans the patterns allow, into use[arm_count]. `experts` as in plan_allow, scratch. */
static enum status allow_plans(const struct pool *p, struct str patterns, bool *experts, bool *use,
                               struct error *err)
{
    enum status status = plan_allow(p->model, patterns, experts, err);
    for (size_t i = p->config->expert_count; status == OK && i < p->arm_count; i++)
        use[i] = experts[p->model_index[i]];
    return status;
}

/* Budgets and floors are calibrated on the training queries, at the trained prices. */
static enum status start_policy(struct pool *p, size_t index, struct error *err)
{
    const struct config_policy *from = &p->config->policies[index];
    struct pool_policy *to = &p->policies[index];
    p->policy_count++;
    to->policy = from->policy;
    to->use = from->use;
    to->plan_use = calloc(p->arm_count, sizeof(*to->plan_use));
    bool *use = calloc(p->model_count, sizeof(*use));
    if (!use || !to->plan_use) {
        free(use);
        return error_set(err, ERR_MEMORY, "out of memory for a policy");
    }
    for (size_t i = 0; i < p->config->expert_count; i++)
        use[p->model_index[i]] = !from->use || from->use[i];
    enum status status = allow_plans(p, from->plans, use, to->plan_use, err);
    double budget = from->policy.budget_usd_per_1k;
    if (status == OK && budget > 0) {
        to->budget = budget_cell_create(p->model, use, budget);
        if (!to->budget)
            status = error_set(err, ERR_MEMORY, "out of memory for a budget");
    }
    struct model_sample sample = model_sample(p->model);
    if (status == OK && from->policy.min_quality > 0)
        to->policy.min_quality = floor_for_quality(&sample, use, from->policy.min_quality);
    free(use);
    return status;
}

static enum status bind_arms(struct pool *p, struct error *err)
{
    size_t experts = p->config->expert_count;
    size_t most = experts + p->model_count - model_expert_count(p->model);
    p->model_index = calloc(most, sizeof(*p->model_index));
    p->arms = calloc(most, sizeof(*p->arms));
    p->labels = calloc(most, sizeof(*p->labels));
    p->repriced = calloc(experts, sizeof(*p->repriced));
    p->policies = calloc(p->config->policy_count, sizeof(*p->policies));
    if (!p->model_index || !p->arms || !p->labels || !p->repriced || !p->policies)
        return error_set(err, ERR_MEMORY, "out of memory for the pool");
    p->arm_count = experts;
    bind_experts(p);
    return bind_plans(p, err);
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
    enum status status = bind_arms(p, err);
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
    for (size_t i = 0; i < p->policy_count; i++) {
        budget_cell_release(p->policies[i].budget);
        free(p->policies[i].plan_use);
    }
    for (size_t i = 0; i < p->arm_count; i++)
        free(p->labels[i]);
    free(p->labels);
    free(p->arms);
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

void pool_plan_check(const struct pool *p, size_t arm, const struct plan_state *state,
                     struct plan_verdict *ret)
{
    CHECK(arm >= p->config->expert_count && arm < p->arm_count);
    model_plan_check(p->model, p->model_index[arm], state, ret);
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
    struct pool_target target = {.policy = SIZE_MAX, .expert = SIZE_MAX};
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
    for (size_t i = p->config->expert_count; i < p->arm_count; i++) {
        const struct plan *plan = &p->arms[i];
        const struct estimate *members[PLAN_MEMBERS_MAX] = {NULL};
        for (size_t k = 0; k < plan->member_count; k++)
            members[k] = &into[plan->members[k]];
        into[i] = from[p->model_index[i]];
        plan_price(plan, members, &into[i]);
    }
}

/* Of the whole request: what the expert is predicted to count, and never less than a quarter of the characters. */
static int64_t input_tokens(const struct estimate *e, int64_t estimated)
{
    int64_t predicted = (int64_t)ceilf(e->input_tokens);
    return predicted > estimated ? predicted : estimated;
}

static int64_t output_within(const struct price *price, const struct estimate *e, int64_t input,
                             const struct openai_request *r, int64_t limit_nano_usd)
{
    int64_t tokens = price_output_tokens_within(price, input_tokens(e, input), limit_nano_usd);
    if (tokens == INT64_MAX)
        return tokens;
    return tokens > 0 ? tokens / r->answers : 0;
}

int64_t pool_output_limit(const struct pool *p, const struct openai_request *r,
                          const struct pool_choice *c, size_t candidate, int64_t spent_nano_usd)
{
    size_t expert = c->order[candidate];
    if (c->target.policy == SIZE_MAX)
        return INT64_MAX;
    int64_t limit = p->policies[c->target.policy].policy.max_cost_nano_usd;
    if (limit <= 0)
        return INT64_MAX;
    const struct plan *plan = &p->arms[c->decision.arm];
    const struct estimate *e = &c->estimates[expert];
    if (candidate < plan->member_count && plan->member_count > 1) {
        double whole = (double)c->estimates[c->decision.arm].cost_max_nano_usd;
        limit = (int64_t)((double)limit * ((double)e->cost_nano_usd / whole));
    } else {
        limit -= spent_nano_usd;
    }
    return output_within(&p->config->experts[expert].price, e, c->input_tokens, r, limit);
}

/* What of the request cannot be said in the expert's dialect. */
static const char *cannot_say(const struct expert *e, const struct openai_request *r,
                              const struct pool_target *t)
{
    bool native = t->native && e->dialect == t->native_dialect;
    if (t->native_only && !native)
        return t->native_only;
    return e->dialect == EXPERT_ANTHROPIC && !native ? anthropic_lacks(r) : NULL;
}

enum status pool_bar_expert(const struct pool *p, struct pool_target *target, size_t expert,
                            struct pool_bar bar, struct arena *a, struct error *err)
{
    CHECK(expert < p->config->expert_count && bar.why);
    if (!target->barred)
        target->barred = ARENA_ARRAY(a, p->config->expert_count, struct pool_bar);
    if (!target->barred)
        return error_set(err, ERR_MEMORY, "out of memory for a decision");
    if (!target->barred[expert].why)
        target->barred[expert] = bar;
    return OK;
}

static const char *why_not(const struct pool *p, size_t i, const struct openai_request *r,
                           const struct pool_choice *choice)
{
    const struct expert *e = &p->config->experts[i];
    unsigned lacks = r->needs & ~e->capabilities;
    if (choice->target.barred && choice->target.barred[i].why)
        return choice->target.barred[i].why;
    const char *lost = cannot_say(e, r, &choice->target);
    if (lost)
        return lost;
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
    if (choice->target.policy == SIZE_MAX)
        return NULL;
    int64_t limit = p->policies[choice->target.policy].policy.max_cost_nano_usd;
    if (limit > 0 &&
        output_within(&e->price, &choice->estimates[i], choice->input_tokens, r, limit) == 0)
        return over_max_cost;
    return NULL;
}

/* Why no plan at all is run for the request: a panel compares what one plain text answers, and nothing else. */
static const char *why_no_plan(const struct openai_request *r, const struct pool_choice *c)
{
    if (c->target.expert != SIZE_MAX)
        return "an expert was asked for by name";
    return r->plain_text ? NULL : "answers with tools, formats, n or logprobs are not compared";
}

static enum status rule_out_plans(const struct pool *p, const struct openai_request *r,
                                  struct arena *a, struct pool_choice *c, struct error *err)
{
    const char *why = why_no_plan(r, c);
    struct error unknown = {0};
    bool *use = ARENA_ARRAY(a, p->arm_count, bool), *scratch = ARENA_ARRAY(a, p->model_count, bool);
    if (!use || !scratch)
        return error_set(err, ERR_MEMORY, "out of memory for a decision");
    for (size_t i = 0; i < p->config->expert_count; i++)
        scratch[p->model_index[i]] = true;
    enum status status = allow_plans(p, c->target.plans, scratch, use, &unknown);
    if (status != OK) /* the request is at fault, not its path */
        return error_set(err, ERR_INPUT, "%s", unknown.text);
    for (size_t i = p->config->expert_count; i < p->arm_count; i++) {
        const struct plan *plan = &p->arms[i];
        const char **into = &c->ruled_out[i];
        *into = why;
        for (size_t k = 0; !*into && k < plan->member_count; k++)
            if (c->ruled_out[plan->members[k]])
                *into = arena_printf(a, "%.*s: %s", STR_FMT(p->arms[plan->members[k]].name),
                                     c->ruled_out[plan->members[k]]);
        if (!*into && !p->policies[c->target.policy].plan_use[i])
            *into = "off in this policy";
        if (!*into && !use[i])
            *into = "off in this request";
    }
    return OK;
}

/* An expert asked for by name is asked, whatever we think of it, unless it is barred. */
static enum status choose_named(const struct pool *p, struct pool_choice *c, struct error *err)
{
    const struct pool_bar *bar = c->target.barred ? &c->target.barred[c->target.expert] : NULL;
    if (bar && bar->why)
        return error_set(err, bar->status, "expert '%.*s' cannot serve this request: %s",
                         STR_FMT(p->config->experts[c->target.expert].name), bar->why);
    const struct estimate *e = &c->estimates[c->target.expert];
    c->decision = (struct decision){
        .arm = c->target.expert, .quality = (double)e->quality, .cost_nano_usd = e->cost_nano_usd};
    c->ruled_out[c->target.expert] = NULL;
    c->order[0] = c->target.expert;
    c->order_count = 1;
    return OK;
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

static bool is_member(const struct plan *plan, size_t expert)
{
    for (size_t k = 0; k < plan->member_count; k++)
        if (plan->members[k] == expert)
            return true;
    return false;
}

/* The members of the chosen arm, then the other experts, the best first. */
static void fill_order(const struct pool *p, const struct policy *policy, double lambda,
                       bool *eligible, struct pool_choice *c)
{
    const struct plan *plan = &p->arms[c->decision.arm];
    for (size_t k = 0; k < plan->member_count; k++)
        c->order[k] = plan->members[k];
    for (size_t i = 0; i < p->config->expert_count; i++)
        eligible[i] = eligible[i] && !is_member(plan, i);
    c->order_count = plan->member_count + decide_fallbacks(policy, lambda, c->estimates, eligible,
                                                           p->config->expert_count, SIZE_MAX,
                                                           c->order + plan->member_count);
}

static bool is_too_dear_for_all(const struct pool *p, const struct pool_choice *c)
{
    for (size_t i = 0; i < p->config->expert_count; i++)
        if (c->ruled_out[i] == over_max_cost)
            return true;
    return false;
}

static enum status decide_policy(struct pool_policy *policy, const bool *eligible, size_t count,
                                 struct pool_choice *c, struct error *err)
{
    const struct policy *p = &policy->policy;
    if (!policy->budget)
        return decide(p, p->lambda, c->estimates, eligible, count, &c->decision, err);
    return budget_cell_decide(policy->budget, p, c->estimates, eligible, count, &c->decision,
                              &c->usual_usd, err);
}

static enum status choose_routed(struct pool *p, bool *eligible, struct pool_choice *c,
                                 struct error *err)
{
    struct pool_policy *policy = &p->policies[c->target.policy];
    size_t count = p->arm_count;
    enum status status = decide_policy(policy, eligible, count, c, err);
    if (status == ERR_NOT_FOUND && is_too_dear_for_all(p, c))
        return error_set(err, ERR_BUDGET, "the input alone costs more than max_cost allows");
    if (status == ERR_NOT_FOUND)
        return nobody_eligible(p, c, err);
    if (status != OK)
        return status;
    fill_order(p, &policy->policy, c->decision.lambda, eligible, c);
    for (size_t i = 0; i < count; i++)
        if (!c->ruled_out[i] && policy->policy.max_cost_nano_usd > 0 &&
            c->estimates[i].cost_max_nano_usd > policy->policy.max_cost_nano_usd)
            c->ruled_out[i] = over_max_cost;
    return OK;
}

enum status pool_choose(struct pool *p, const struct openai_request *request,
                        struct pool_target target, struct features *scratch, struct arena *a,
                        struct pool_choice *ret, struct error *err)
{
    size_t count = p->arm_count, experts = p->config->expert_count;
    struct estimate *all = ARENA_ARRAY(a, p->model_count, struct estimate);
    struct estimate *estimates = ARENA_ARRAY(a, count, struct estimate);
    bool *eligible = ARENA_ARRAY(a, count, bool);
    struct pool_choice choice = {.target = target,
                                 .estimates = estimates,
                                 .ruled_out = ARENA_ARRAY(a, count, const char *),
                                 .order = ARENA_ARRAY(a, experts + PLAN_MEMBERS_MAX, size_t),
                                 .input_tokens = tokens_from_characters(request->input_characters)};
    if (!all || !estimates || !eligible || !choice.ruled_out || !choice.order)
        return error_set(err, ERR_MEMORY, "out of memory for a decision");
    enum status status = encode_text(model_encoder(p->model), request->query, scratch, err);
    if (status != OK)
        return status;
    choice.characters = (float)scratch->characters;
    model_estimate(p->model, scratch, all);
    fill_estimates(p, request, all, estimates);
    for (size_t i = 0; i < experts; i++)
        choice.ruled_out[i] = why_not(p, i, request, &choice);
    if (count > experts || target.plans.len > 0)
        status = rule_out_plans(p, request, a, &choice, err);
    if (status != OK)
        return status;
    for (size_t i = 0; i < count; i++)
        eligible[i] = !choice.ruled_out[i];
    if (target.expert != SIZE_MAX)
        status = choose_named(p, &choice, err);
    else
        status = choose_routed(p, eligible, &choice, err);
    if (status == OK)
        *ret = choice;
    return status;
}

void pool_observe(struct pool *p, size_t policy, int64_t cost_nano_usd, double usual_usd)
{
    if (policy != SIZE_MAX && p->policies[policy].budget)
        budget_cell_observe(p->policies[policy].budget,
                            (double)cost_nano_usd / (double)NANO_PER_USD, usual_usd);
}

size_t pool_budgets(struct pool *p, struct budget_named *into)
{
    size_t n = 0;
    for (size_t i = 0; i < p->policy_count; i++) {
        const struct pool_policy *policy = &p->policies[i];
        if (!policy->budget)
            continue;
        if (into)
            into[n] =
                (struct budget_named){p->config->policies[i].name, policy->policy.budget_usd_per_1k,
                                      budget_cell_state(policy->budget)};
        n++;
    }
    return n;
}

void pool_budgets_resume(struct pool *p, const struct budget_named *budgets, const bool *found)
{
    size_t n = 0;
    for (size_t i = 0; i < p->policy_count; i++) {
        if (!p->policies[i].budget)
            continue;
        if (found[n]) /* the reader refuses what is impossible */
            budget_cell_resume(p->policies[i].budget, &budgets[n].state);
        n++;
    }
}

static struct budget_cell *find_budget(const struct pool *p, struct str name, double usd_per_1k)
{
    size_t i = find_policy(p->config, name);
    if (i == SIZE_MAX || p->policies[i].policy.budget_usd_per_1k != usd_per_1k)
        return NULL;
    return p->policies[i].budget;
}

void pool_budgets_share(struct pool *p, const struct pool *earlier)
{
    for (size_t i = 0; i < p->policy_count; i++) {
        struct pool_policy *to = &p->policies[i];
        double usd = to->policy.budget_usd_per_1k;
        struct budget_cell *from =
            to->budget ? find_budget(earlier, p->config->policies[i].name, usd) : NULL;
        if (!from)
            continue;
        budget_cell_renew(from, to->budget);
        budget_cell_release(to->budget);
        to->budget = budget_cell_hold(from);
    }
}
