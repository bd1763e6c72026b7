/* Which experts may serve one request, and which arm is chosen: first what each expert can never do and what it may not
 * do now, then the plans whose members remain, then the policy decides among what is left, and last comes the order in
 * which the others step in. It owns nothing: what it makes is in the request's arena. Any thread may choose from the
 * same pool; a budget has a lock of its own. No clock, no encoder and no gate is asked here (candidates.c brings what
 * gates say, as bars). */
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "base/saturate.h"
#include "dialect/overflow.h"
#include "dialect/token_estimate.h"
#include "route/in_time.h"
#include "route/verified_arms.h"

static const char over_max_cost[] = "over max_cost", context_too_short[] = "context too short";

static void find_alias(const struct pool_settings *c, struct str model, struct pool_target *target)
{
    const struct model_alias *a = model_alias_find(c->aliases, c->alias_count, model);
    if (!a)
        return;
    target->policy = a->policy;
    target->expert = a->expert;
}

enum status pool_target_find(const struct pool *p, struct str model, struct pool_target *ret,
                             struct error *err)
{
    const struct pool_settings *c = &p->settings;
    struct pool_target target = {.policy = SIZE_MAX, .expert = SIZE_MAX};
    if (model.len == 0 || str_equal(model, STR("leeroo")))
        target.policy = c->default_policy;
    else if (str_starts(model, STR("leeroo/")))
        target.policy = pool_policy_index(p, str_slice(model, 7, model.len));
    else
        target.expert = expert_index(c->experts, c->expert_count, model);
    if (target.policy == SIZE_MAX && target.expert == SIZE_MAX)
        find_alias(c, model, &target);
    if (target.policy == SIZE_MAX && target.expert == SIZE_MAX)
        return error_set(err, ERR_NOT_FOUND,
                         "the model '%.*s' does not exist; /v1/models lists them, and aliases in "
                         "the configuration give other names a place",
                         (int)(model.len < 100 ? model.len : 100), model.ptr);
    *ret = target;
    return OK;
}

int64_t pool_least_tokens(const struct estimate *e, int64_t estimated)
{
    int64_t least = estimated - (int64_t)floorf(e->input_excess);
    return least > 0 ? least : 0;
}

int64_t pool_input_tokens(const struct estimate *e, int64_t estimated)
{
    int64_t predicted = (int64_t)ceilf(e->input_tokens), least = pool_least_tokens(e, estimated);
    return e->counted || predicted > least ? predicted : least;
}

static int64_t output_within(const struct price *price, const struct estimate *e, int64_t input,
                             const struct openai_request *r, int64_t limit_nano_usd)
{
    int64_t tokens = price_output_tokens_within(price, pool_input_tokens(e, input), limit_nano_usd);
    if (tokens == INT64_MAX)
        return tokens;
    return tokens > 0 ? tokens / r->answers : 0;
}

int64_t pool_output_limit(const struct pool *p, const struct openai_request *r,
                          const struct pool_choice *c, size_t candidate, int64_t others_nano_usd,
                          int64_t failed_nano_usd)
{
    size_t expert = c->order[candidate];
    int64_t limit = c->policy.max_cost_nano_usd;
    if (limit <= 0)
        return INT64_MAX;
    const struct plan *plan = &c->arms[c->decision.arm];
    const struct estimate *e = &c->estimates[expert];
    if (candidate < plan->member_count && plan->kind != PLAN_SINGLE) {
        double whole = (double)c->estimates[c->decision.arm].cost_max_nano_usd;
        limit = (int64_t)((double)limit * ((double)e->cost_nano_usd / whole));
    } else {
        limit -= others_nano_usd;
    }
    limit -= failed_nano_usd;
    return output_within(&p->settings.experts[expert].price, e, c->input_tokens, r, limit);
}

/* As long as the client allows an answer to be, and the endpoint. */
static int64_t asked_tokens(const struct expert *e, const struct openai_request *r)
{
    bool longer = e->output_limit > 0 && r->output_tokens_max > (int64_t)e->output_limit;
    return longer ? (int64_t)e->output_limit : r->output_tokens_max;
}

int64_t pool_worst_nano_usd(const struct pool *p, const struct openai_request *r,
                            const struct pool_choice *c, size_t expert)
{
    const struct expert *e = &p->settings.experts[expert];
    int64_t input = pool_input_tokens(&c->estimates[expert], c->input_tokens), all = 0;
    int64_t output = r->output_tokens_max > 0 ? asked_tokens(e, r) : e->max_output_tokens;
    int64_t left = (int64_t)e->context_tokens - input;
    if (e->context_tokens > 0 && output > left)
        output = left > 0 ? left : 0;
    bool hour = e->dialect->cache_is_ordered && str_find(r->root.raw, STR("\"1h\""), 0) != SIZE_MAX;
    if (__builtin_mul_overflow(output, r->answers, &all))
        all = INT64_MAX;
    return price_worst_nano_usd(&e->price, input, all, hour);
}

/* What of the request cannot be said in the expert's dialect. */
static const char *cannot_say(const struct expert *e, const struct pool_choice *c)
{
    if (e->dialect == c->target.native_dialect)
        return NULL;
    if (c->target.native_only)
        return c->target.native_only;
    for (size_t i = 0; i < DIALECT_COUNT && c->lacks[i].dialect; i++)
        if (c->lacks[i].dialect == e->dialect)
            return c->lacks[i].what;
    return NULL;
}

/* Looked for once in each dialect, however many experts speak it. A text without messages lacks nothing. */
static void find_lacks(const struct pool *p, const struct openai_request *r,
                       struct pool_lack *lacks)
{
    for (size_t i = 0; i < p->settings.expert_count && r->messages.type != JSON_NONE; i++) {
        const struct dialect *dialect = p->settings.experts[i].dialect;
        size_t at = 0;
        while (at < DIALECT_COUNT && lacks[at].dialect && lacks[at].dialect != dialect)
            at++;
        if (dialect->lacks && at < DIALECT_COUNT && !lacks[at].dialect)
            lacks[at] = (struct pool_lack){dialect, dialect->lacks(r)};
    }
}

enum status pool_bar_expert(const struct pool *p, struct pool_target *target, size_t expert,
                            struct pool_bar bar, struct arena *a, struct error *err)
{
    CHECK(expert < p->settings.expert_count && bar.why);
    if (!target->barred)
        target->barred = ARENA_ARRAY(a, p->settings.expert_count, struct pool_bar);
    if (!target->barred)
        return error_set(err, ERR_MEMORY, "out of memory for a decision");
    if (!target->barred[expert].why)
        target->barred[expert] = bar;
    return OK;
}

static const char *lacks_what(unsigned lacks)
{
    if (lacks & EXPERT_TOOLS)
        return "no tools";
    if (lacks & EXPERT_IMAGES)
        return "no images";
    return lacks & EXPERT_JSON ? "no JSON mode" : NULL;
}

/* What the answer may add: as long as the client allows it to be, or else as long as the endpoint will be told, or as
 * it is expected to be. */
static int64_t answer_tokens(const struct expert *e, const struct openai_request *r,
                             const struct estimate *estimate)
{
    if (r->output_tokens_max > 0)
        return asked_tokens(e, r);
    return e->dialect->demands_limit ? e->max_output_tokens : (int64_t)estimate->output_tokens;
}

/* Whether the conversation and its answer fit. */
static bool fits_context(const struct expert *e, const struct openai_request *r,
                         const struct estimate *estimate, int64_t estimated)
{
    return e->context_tokens == 0 || pool_input_tokens(estimate, estimated) <=
                                         (int64_t)e->context_tokens - answer_tokens(e, r, estimate);
}

static bool is_in_policy(const struct pool *p, size_t expert, const struct pool_target *t)
{
    return t->policy == SIZE_MAX || !p->policies[t->policy].use ||
           p->policies[t->policy].use[expert];
}

static bool is_affordable(const struct expert *e, const struct openai_request *r,
                          const struct estimate *estimate, const struct pool_choice *c)
{
    int64_t limit = c->policy.max_cost_nano_usd;
    return limit <= 0 || output_within(&e->price, estimate, c->input_tokens, r, limit) > 0;
}

/* May hold a name out of the client's body, and is shown as it is in JSON and logs: plain ASCII only. */
static const char *cannot_take(const char *lost, struct arena *a)
{
    char *why = arena_printf(a, "cannot take %s", lost);
    for (char *c = why; c && *c; c++)
        if (*c < ' ' || *c > '~' || *c == '"' || *c == '\\')
            *c = '?';
    return why ? why : "cannot take all of it";
}

/* What the expert can never do comes before what it may not do now. */
static const char *why_not(const struct pool *p, size_t i, const struct openai_request *r,
                           struct arena *a, const struct pool_choice *c)
{
    const struct expert *e = &p->settings.experts[i];
    const char *lacks = lacks_what(r->needs & ~e->capabilities);
    const char *lost = cannot_say(e, c);
    if (!is_in_policy(p, i, &c->target))
        return "not in this policy";
    if (lacks)
        return lacks;
    if (lost)
        return cannot_take(lost, a);
    if (!fits_context(e, r, &c->estimates[i], c->input_tokens))
        return context_too_short;
    if (!is_affordable(e, r, &c->estimates[i], c))
        return over_max_cost;
    return c->target.barred ? c->target.barred[i].why : NULL;
}

/* Why the answer will not be held to the policy's check; NULL: it will. */
static const char *why_unchecked(const struct pool *p, const struct openai_request *r,
                                 const struct pool_choice *c)
{
    const struct pool_target *t = &c->target;
    if (t->policy == SIZE_MAX || !p->settings.policies[t->policy].verifies)
        return NULL;
    if (t->unchecked)
        return t->unchecked;
    if (t->native_only)
        return "what is asked for is seen by experts of the client's own API alone";
    return r->answers > 1 ? "several answers are asked for (n)" : NULL;
}

/* Why no plan at all is run for the request: a panel compares what one plain text answers, and nothing else. */
static const char *why_no_plan(const struct pool *p, const struct openai_request *r,
                               const struct pool_choice *c)
{
    if (c->target.expert != SIZE_MAX)
        return "an expert was asked for by name";
    if (p->settings.policies[c->target.policy].verifies && !why_unchecked(p, r, c))
        return "this policy has its answers verified";
    if (c->target.is_held)
        return "amid a turn of one expert";
    return r->plain_text ? NULL : "answers with tools, formats, n or logprobs are not compared";
}

/* NULL: nothing is against it. use[arm_count]: what the request allows. */
static const char *why_not_plan(const struct pool *p, size_t arm, const bool *use, struct arena *a,
                                const struct pool_choice *c)
{
    const struct plan *plan = &p->arms[arm];
    const char *why = NULL;
    for (size_t k = 0; !why && k < plan->member_count; k++)
        if (c->ruled_out[plan->members[k]])
            why = arena_printf(a, "%.*s: %s", STR_FMT(p->arms[plan->members[k]].name),
                               c->ruled_out[plan->members[k]]);
    if (!why && !p->policies[c->target.policy].plan_use[arm])
        why = "off in this policy";
    return why || use[arm] ? why : "off in this request";
}

static enum status rule_out_plans(const struct pool *p, const struct openai_request *r,
                                  struct arena *a, struct pool_choice *c, struct error *err)
{
    const char *why = why_no_plan(p, r, c);
    struct error unknown = {0};
    bool *use = ARENA_ARRAY(a, p->arm_count, bool), *scratch = ARENA_ARRAY(a, p->model_count, bool);
    if (!use || !scratch)
        return error_set(err, ERR_MEMORY, "out of memory for a decision");
    for (size_t i = 0; i < p->settings.expert_count; i++)
        scratch[p->model_index[i]] = true;
    enum status status = pool_filter_plans(p, c->target.plans, scratch, use, &unknown);
    if (status != OK) /* the request is at fault, not its path */
        return error_set(err, ERR_INPUT, "%s", unknown.text);
    for (size_t i = p->settings.expert_count; i < p->arm_count; i++)
        c->ruled_out[i] = why ? why : why_not_plan(p, i, use, a, c);
    return OK;
}

/* An expert asked for by name is asked, whatever we think of it: only not where it is barred, cannot be told what the
 * client wants, or is over the request's own max_cost. `*ret_others_may`: its fallbacks may be asked instead. */
static enum status check_named(const struct pool *p, const struct openai_request *r,
                               const struct pool_choice *c, bool *ret_others_may, struct error *err)
{
    const struct expert *expert = &p->settings.experts[c->target.expert];
    const struct estimate *e = &c->estimates[c->target.expert];
    const struct pool_bar *bar = c->target.barred ? &c->target.barred[c->target.expert] : NULL;
    const char *lost = cannot_say(expert, c);
    int64_t limit = c->policy.max_cost_nano_usd;
    *ret_others_may = !(bar && bar->why) || bar->status == ERR_OVERLOAD;
    if (bar && bar->why)
        return error_set(err, bar->status, "expert '%.*s' cannot serve this request: %s",
                         STR_FMT(expert->name), bar->why);
    if (lost)
        return error_set(err, ERR_UNSUPPORTED, "expert '%.*s' cannot take %s",
                         STR_FMT(expert->name), lost);
    *ret_others_may = false;
    if (limit > 0 && (e->cost_nano_usd > limit || !is_affordable(expert, r, e, c)))
        return error_set(err, ERR_BUDGET,
                         "expert '%.*s' is predicted to cost more than max_cost allows",
                         STR_FMT(expert->name));
    return OK;
}

/* Itself, then those of its fallbacks that can serve the request, in the order that they are listed in. */
static enum status choose_named(const struct pool *p, const struct openai_request *r,
                                struct pool_choice *c, struct error *err)
{
    const struct expert *expert = &p->settings.experts[c->target.expert];
    bool others_may = false;
    enum status status = check_named(p, r, c, &others_may, err);
    c->order_count = 0;
    if (status == OK) {
        c->ruled_out[c->target.expert] = NULL;
        c->order[c->order_count++] = c->target.expert;
    }
    for (size_t i = 0; i < expert->fallback_count && (status == OK || others_may); i++)
        if (!c->ruled_out[expert->fallbacks[i]])
            c->order[c->order_count++] = expert->fallbacks[i];
    if (c->order_count == 0)
        return status;
    const struct estimate *e = &c->estimates[c->order[0]];
    c->decision = (struct decision){
        .arm = c->order[0], .quality = (double)e->quality, .cost_nano_usd = e->cost_nano_usd};
    return OK;
}

/* That waiting may help is said first; else that another key might. */
static enum status status_of_nobody(const struct pool *p, const struct pool_choice *c)
{
    enum status status = ERR_UNSUPPORTED;
    for (size_t i = 0; c->target.barred && i < p->settings.expert_count; i++) {
        const struct pool_bar *bar = &c->target.barred[i];
        if (!bar->why || c->ruled_out[i] != bar->why)
            continue;
        if (bar->status == ERR_OVERLOAD)
            return ERR_OVERLOAD;
        if (bar->status == ERR_FORBIDDEN)
            status = ERR_FORBIDDEN;
    }
    return status;
}

/* By how much it is too long for the one with the longest context of those that could serve it otherwise. False: it is
 * too long for none. */
static bool find_overflow(const struct pool *p, const struct openai_request *r,
                          const struct pool_choice *c, struct overflow *ret)
{
    bool found = false;
    struct overflow o = {0};
    for (size_t i = 0; i < p->settings.expert_count; i++) {
        const struct expert *e = &p->settings.experts[i];
        const struct estimate *estimate = &c->estimates[i];
        if (c->ruled_out[i] != context_too_short || e->context_tokens <= o.maximum)
            continue;
        found = true;
        o = (struct overflow){pool_input_tokens(estimate, c->input_tokens) +
                                  answer_tokens(e, r, estimate),
                              e->context_tokens};
    }
    *ret = o;
    return found;
}

/* In words that clients know where the conversation is too long, and always with what is against each. */
static enum status nobody_eligible(const struct pool *p, const struct openai_request *r,
                                   const struct pool_choice *c, struct error *err)
{
    struct buf why;
    struct overflow overflow;
    enum status status = status_of_nobody(p, c);
    buf_init(&why, 360);
    if (status == ERR_UNSUPPORTED && find_overflow(p, r, c, &overflow)) {
        status = ERR_CONTEXT;
        overflow_write_chat(&overflow, &why);
        buf_add_c(&why, " ");
    }
    buf_addf(&why, "%s expert can serve this request (", why.len ? "No" : "no");
    for (size_t i = 0; i < p->settings.expert_count; i++)
        buf_addf(&why, "%s%.*s: %s", i ? "; " : "", STR_FMT(p->settings.experts[i].name),
                 c->ruled_out[i]);
    error_set(err, status, "%s%s)", why.ptr ? why.ptr : "", why.status == OK ? "" : "; ...");
    buf_done(&why);
    return status;
}

static bool is_member(const struct plan *plan, size_t expert)
{
    for (size_t k = 0; k < plan->member_count; k++)
        if (plan->members[k] == expert)
            return true;
    return false;
}

/* The members of the chosen arm, then the other experts, the best first, and last those that are too slow: where all
 * others fail, a late answer is better than none. mask[expert_count] is scratch. */
static void fill_order(const struct pool *p, const struct policy *policy, double lambda,
                       const bool *eligible, bool *mask, struct pool_choice *c)
{
    const struct plan *plan = &c->arms[c->decision.arm];
    size_t experts = p->settings.expert_count;
    for (size_t k = 0; k < plan->member_count; k++)
        c->order[k] = plan->members[k];
    c->order_count = plan->member_count;
    for (int late = 0; late <= 1; late++) {
        for (size_t i = 0; i < experts; i++)
            mask[i] = eligible[i] && !is_member(plan, i) && !c->ruled_out[i] == !late;
        c->order_count += decide_fallbacks(policy, lambda, c->estimates, mask, experts, SIZE_MAX,
                                           c->order + c->order_count);
    }
}

static bool is_too_expensive_for_all(const struct pool *p, const struct pool_choice *c)
{
    for (size_t i = 0; i < p->settings.expert_count; i++)
        if (c->ruled_out[i] == over_max_cost)
            return true;
    return false;
}

/* The policy's own numbers, but for those that the request brings. */
static struct policy policy_in_force(const struct pool *p, const struct pool_target *t)
{
    struct policy policy = {0};
    if (t->policy != SIZE_MAX)
        policy = p->policies[t->policy].live.policy;
    if (t->has_lambda || t->min_quality > 0)
        policy.lambda = policy.budget_usd_per_1k = policy.min_quality = 0;
    if (t->has_lambda)
        policy.lambda = t->lambda;
    if (t->min_quality > 0 && t->policy != SIZE_MAX)
        policy.min_quality =
            quality_floor_table_find(&p->policies[t->policy].floors, t->min_quality);
    if (t->max_cost_nano_usd > 0 &&
        (policy.max_cost_nano_usd <= 0 || t->max_cost_nano_usd < policy.max_cost_nano_usd))
        policy.max_cost_nano_usd = t->max_cost_nano_usd;
    if (t->max_latency_ms > 0 &&
        (policy.max_latency_ms == 0 || t->max_latency_ms < policy.max_latency_ms))
        policy.max_latency_ms = t->max_latency_ms;
    return policy;
}

void pool_choice_verdict(const struct pool *p, const struct pool_choice *c,
                         const struct plan_state *state, struct plan_verdict *ret)
{
    if (c->is_verified)
        verified_verdict(&c->terms, &c->arms[c->decision.arm], state, ret);
    else
        pool_plan_verdict(p, c->decision.arm, state, ret);
}

int64_t pool_reading_nano_usd(const struct pool_choice *c)
{
    int64_t sum = 0;
    for (size_t i = 0; i < ENCODERS_MAX; i++)
        sum = add_saturated(sum, c->reading[i].nano_usd);
    return sum;
}

/* Who reads the question is paid out of the same max_cost. */
static void spend_reading(struct pool_choice *c)
{
    int64_t *most = &c->policy.max_cost_nano_usd, spent = pool_reading_nano_usd(c);
    if (*most > 0)
        *most = *most > spent ? *most - spent : 1;
}

/* Whom the policy may choose: amid a turn only the expert that began it, if that is a candidate. NULL: no memory. */
static const bool *narrow(const struct pool *p, const bool *eligible, struct arena *a,
                          const struct pool_choice *c)
{
    const struct pool_target *t = &c->target;
    if (!t->is_held || t->holder == SIZE_MAX || !eligible[t->holder])
        return eligible;
    bool *only = ARENA_ARRAY(a, p->arm_count, bool);
    if (only)
        only[t->holder] = true;
    return only;
}

/* In a policy that verifies: its arms are plans over whoever may be chosen, and nothing else is to be chosen. */
static enum status choose_among_verified(const struct pool *p, struct arena *a,
                                         struct pool_choice *c, const bool **choosable,
                                         struct error *err)
{
    struct check_cell *checks = p->policies[c->target.policy].checks;
    size_t before = c->arm_count;
    float *shift = ARENA_ARRAY(a, p->settings.expert_count, float);
    bool any = false;
    if (!shift)
        return error_set(err, ERR_MEMORY, "out of memory for a decision");
    c->terms = (struct verified_terms){.shared_sd = model_shared_sd(p->model), .shift = shift};
    check_cell_terms(checks, shift, &c->terms.check);
    for (size_t i = 0; i < p->settings.expert_count; i++)
        any |= (*choosable)[i];
    enum status status = any ? verified_arms_add(p, &c->terms, *choosable, a, c, err) : OK;
    if (status != OK || !any)
        return status;
    bool *verified = ARENA_ARRAY(a, c->arm_count, bool);
    if (!verified)
        return error_set(err, ERR_MEMORY, "out of memory for a decision");
    for (size_t i = before; i < c->arm_count; i++)
        verified[i] = true;
    in_time_rule_out(c, before, verified);
    *choosable = verified;
    return OK;
}

static enum status find_arms(const struct pool *p, const struct openai_request *r,
                             const bool *eligible, struct arena *a, struct pool_choice *c,
                             const bool **ret_choosable, struct error *err)
{
    const struct route_policy *policy = &p->settings.policies[c->target.policy];
    *ret_choosable = narrow(p, eligible, a, c);
    if (!*ret_choosable)
        return error_set(err, ERR_MEMORY, "out of memory for a decision");
    c->unchecked = why_unchecked(p, r, c);
    if (policy->verifies && policy->strict && c->unchecked)
        return error_set(err, ERR_UNSUPPORTED,
                         "the policy '%.*s' answers nothing that its check has not passed, and "
                         "this cannot be checked: %s",
                         STR_FMT(policy->name), c->unchecked);
    return policy->verifies && !c->unchecked ? choose_among_verified(p, a, c, ret_choosable, err)
                                             : OK;
}

/* *ret: of the eligible those that are quick enough. */
static enum status leave_out_slow(const struct pool *p, const bool *eligible, struct arena *a,
                                  struct pool_choice *c, bool **ret, struct error *err)
{
    bool *quick = ARENA_ARRAY(a, p->arm_count, bool);
    if (!quick)
        return error_set(err, ERR_MEMORY, "out of memory for a decision");
    memcpy(quick, eligible, p->arm_count * sizeof(*quick));
    in_time_rule_out(c, 0, quick);
    *ret = quick;
    return in_time_price(quick, a, c, err);
}

/* One piece: who may be chosen, who is, and what the others are then. */
static enum status choose_routed(struct pool *p, const struct openai_request *r,
                                 const bool *eligible, struct arena *a, struct pool_choice *c,
                                 struct error *err)
{
    struct pool_policy *policy = &p->policies[c->target.policy];
    const bool *choosable;
    bool *quick = NULL;
    enum status status = leave_out_slow(p, eligible, a, c, &quick, err);
    if (status == OK)
        status = find_arms(p, r, quick, a, c, &choosable, err);
    size_t count = c->arm_count;
    c->usual_usd = -1;
    if (status != OK)
        return status;
    status = live_policy_decide(&policy->live, &c->policy, c->estimates, choosable, count,
                                &c->decision, &c->usual_usd, err);
    if (status == ERR_NOT_FOUND && is_too_expensive_for_all(p, c))
        return error_set(err, ERR_BUDGET, "the input alone costs more than max_cost allows");
    if (status == ERR_NOT_FOUND)
        return nobody_eligible(p, r, c, err);
    if (status != OK)
        return status;
    c->is_verified = c->arms[c->decision.arm].kind == PLAN_VERIFIED;
    fill_order(p, &c->policy, c->decision.lambda, eligible, quick, c);
    for (size_t i = 0; i < count; i++)
        if (!c->ruled_out[i] && c->policy.max_cost_nano_usd > 0 &&
            c->estimates[i].cost_max_nano_usd > c->policy.max_cost_nano_usd)
            c->ruled_out[i] = over_max_cost;
    return OK;
}

/* While one that can do it all may serve, nobody else is a candidate. */
static void prefer_native(const struct pool *p, struct arena *a, struct pool_choice *c)
{
    const struct pool_target *t = &c->target;
    bool any = false;
    for (size_t i = 0; t->native_rather && i < p->settings.expert_count; i++)
        any |= !c->ruled_out[i] && p->settings.experts[i].dialect == t->native_dialect;
    for (size_t i = 0; any && i < p->settings.expert_count; i++)
        if (!c->ruled_out[i] && p->settings.experts[i].dialect != t->native_dialect)
            c->ruled_out[i] = cannot_take(t->native_rather, a);
}

/* Likewise one that sees what tools gave back; the others would be told of images only. */
static void prefer_sighted(const struct pool *p, const struct openai_request *r,
                           struct pool_choice *c)
{
    bool any = false;
    for (size_t i = 0; r->tool_images > 0 && i < p->settings.expert_count; i++)
        any |= !c->ruled_out[i] && (p->settings.experts[i].capabilities & EXPERT_IMAGES);
    for (size_t i = 0; any && i < p->settings.expert_count; i++)
        if (!c->ruled_out[i])
            c->ruled_out[i] = lacks_what(EXPERT_IMAGES & ~p->settings.experts[i].capabilities);
}

static enum status rule_out(const struct pool *p, const struct openai_request *r, struct arena *a,
                            struct pool_choice *c, struct error *err)
{
    size_t experts = p->settings.expert_count;
    find_lacks(p, r, c->lacks);
    for (size_t i = 0; i < experts; i++)
        c->ruled_out[i] = why_not(p, i, r, a, c);
    prefer_native(p, a, c);
    prefer_sighted(p, r, c);
    if (p->arm_count == experts && c->target.plans.len == 0)
        return OK;
    return rule_out_plans(p, r, a, c, err);
}

/* In one piece, as the steps of a choice are read: what is known, who is ruled out, what is decided. */
enum status pool_choose(struct pool *p, const struct openai_request *request,
                        struct pool_target target, const struct request_estimates *e,
                        struct arena *a, struct pool_choice *ret, struct error *err)
{
    size_t count = p->arm_count, experts = p->settings.expert_count;
    CHECK((target.policy == SIZE_MAX) != (target.expert == SIZE_MAX));
    bool *eligible = ARENA_ARRAY(a, count, bool);
    struct pool_choice choice = {.target = target,
                                 .policy = policy_in_force(p, &target),
                                 .arms = p->arms,
                                 .arm_count = count,
                                 .estimates = e->arms,
                                 .cached_tokens = e->cached_tokens,
                                 .characters = e->characters,
                                 .ruled_out = ARENA_ARRAY(a, count, const char *),
                                 .order = ARENA_ARRAY(a, experts + PLAN_MEMBERS_MAX, size_t),
                                 .input_tokens = tokens_from_characters(request->input_characters) +
                                                 request->images * OPENAI_IMAGE_TOKENS};
    if (!eligible || !choice.ruled_out || !choice.order)
        return error_set(err, ERR_MEMORY, "out of memory for a decision");
    memcpy(choice.silences, e->silences, sizeof(choice.silences));
    memcpy(choice.reading, e->reading, sizeof(choice.reading));
    spend_reading(&choice);
    enum status status = rule_out(p, request, a, &choice, err);
    if (status != OK)
        return status;
    for (size_t i = 0; i < count; i++)
        eligible[i] = !choice.ruled_out[i];
    status = target.expert != SIZE_MAX ? choose_named(p, request, &choice, err)
                                       : choose_routed(p, request, eligible, a, &choice, err);
    if (status != OK)
        return status;
    CHECK(choice.decision.arm < choice.arm_count && choice.order_count > 0);
    choice.label = choice.is_verified ? verified_arms_label(&choice.arms[choice.decision.arm], a)
                                      : pool_arm_label(p, choice.decision.arm);
    *ret = choice;
    return OK;
}
