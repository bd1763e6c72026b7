/* A caller's limits in words, headers and statuses: who calls, what its key may use, what it may still spend. The sums
 * themselves are key_meter's. A caller lives in its exchange's arena and belongs to the worker's thread.
 * caller_may_spend is asked before every call to an expert, and caller_settle once at the end, whatever happened:
 * between the two, what was reserved counts as spent. */
#include "keys/caller.h"

#include "base/clock.h"

#define REFUSAL_BYTES_MAX 400

static const struct pool_bar not_allowed = {"not allowed for this key", ERR_FORBIDDEN};

/* What may be used */

/* A key with policies of its own does not get around them by an expert's name. */
static bool may_name_expert(const struct key_limits *l, struct str expert)
{
    return key_names_have(&l->experts, expert) && (l->experts.list || !l->policies.list);
}

bool caller_may_name(const struct caller *c, struct str name)
{
    return !c || !c->key || may_name_expert(client_key_limits(c->key), name);
}

bool caller_may_use(const struct caller *c, const struct pool *p, size_t policy, size_t expert)
{
    if (!c || !c->key)
        return true;
    const struct key_limits *l = client_key_limits(c->key);
    if (policy != SIZE_MAX)
        return key_names_have(&l->policies, pool_settings(p)->policies[policy].name);
    return may_name_expert(l, pool_settings(p)->experts[expert].name);
}

/* A key with policies has them as they are. It may take less (max_cost, fewer plans), but not choose another trade, nor
 * by leaving out the others choose an expert that it may not name. */
static enum status hold_policies(const struct key_limits *l, const struct pool_settings *s,
                                 const struct pool_target *target, struct error *err)
{
    if (!l->policies.list || target->policy == SIZE_MAX)
        return OK;
    if (target->has_lambda || target->min_quality > 0 || target->max_latency_ms > 0)
        return error_set(err, ERR_FORBIDDEN,
                         "this key has its policies as they are: it may not set %s",
                         target->has_lambda        ? "lambda"
                         : target->min_quality > 0 ? "min_quality"
                                                   : "max_latency");
    for (size_t i = 0; target->names_experts && i < s->expert_count; i++)
        if (!(target->barred && target->barred[i].why) && !may_name_expert(l, s->experts[i].name))
            return error_set(err, ERR_FORBIDDEN,
                             "this key has its policies as they are: it may not choose the expert "
                             "'%.*s' by `experts`",
                             STR_FMT(s->experts[i].name));
    return OK;
}

static enum status bar_others(const struct key_names *allowed, const struct pool *p,
                              struct pool_target *target, struct arena *a, struct error *err)
{
    const struct pool_settings *s = pool_settings(p);
    enum status status = OK;
    for (size_t i = 0; status == OK && allowed->list && i < s->expert_count; i++)
        if (!key_names_have(allowed, s->experts[i].name))
            status = pool_bar_expert(p, target, i, not_allowed, a, err);
    return status;
}

enum status caller_restrict(const struct caller *c, const struct pool *p,
                            struct pool_target *target, struct arena *a, struct error *err)
{
    const struct pool_settings *s = pool_settings(p);
    if (!c || !c->key)
        return OK;
    if (!caller_may_use(c, p, target->policy, target->expert))
        return error_set(err, ERR_FORBIDDEN,
                         "this key may not use %s '%.*s'; /v1/models lists "
                         "what it may",
                         target->policy != SIZE_MAX ? "the policy" : "the expert",
                         STR_FMT(target->policy != SIZE_MAX ? s->policies[target->policy].name
                                                            : s->experts[target->expert].name));
    const struct key_limits *l = client_key_limits(c->key);
    enum status status = hold_policies(l, s, target, err);
    return status == OK ? bar_others(&l->experts, p, target, a, err) : status;
}

bool caller_may_see(const struct caller *c, const struct pool *p, const struct plan *plan)
{
    const struct key_names *experts = c && c->key ? &client_key_limits(c->key)->experts : NULL;
    for (size_t i = 0; experts && i < plan->member_count; i++)
        if (!key_names_have(experts, pool_settings(p)->experts[plan->members[i]].name))
            return false;
    return true;
}

bool caller_may_hear_of(const struct caller *c, struct str name)
{
    return !c || !c->key || key_names_have(&client_key_limits(c->key)->experts, name);
}

/* What may be spent */

/* "2.50 USD for the day" */
static void write_budget(const struct key_refusal *r, struct buf *out)
{
    money_format_usd_short(out, r->limit);
    buf_addf(out, " USD %s%s", r->period == KEY_TOTAL ? "in " : "for the ",
             r->period == KEY_TOTAL ? "total" : key_period_name(r->period));
}

static void write_end(const struct key_refusal *r, struct buf *out)
{
    if (r->period == KEY_TOTAL) {
        buf_add_c(out, "it begins anew never");
        return;
    }
    buf_add_c(out, "it begins anew at ");
    /* a round second, whatever the clock said when it was refused */
    key_time_write(out, key_period_end_ms(r->period, clock_wall_ms()));
}

static void write_held(const struct key_refusal *r, struct buf *out)
{
    buf_add_c(out, "; ");
    money_format_usd_short(out, r->left);
    buf_add_c(out, " USD are left of it, requests in flight may take ");
    money_format_usd_short(out, r->others);
    buf_add_c(out, ", this one ");
    money_format_usd_short(out, r->worst);
    buf_add_c(out, "; try again when they are done, or with a smaller max_tokens");
}

enum status caller_refuse(const struct caller *c, struct error *err)
{
    const struct key_refusal *r = &c->refusal;
    struct buf text;
    if (r->lost)
        return error_set(err, ERR_QUOTA,
                         "what this key has spent is lost, so its budget counts as spent until its "
                         "operator says otherwise");
    if (!r->budget)
        return error_set(err, ERR_RATE,
                         "rate limit reached for this key: %lld %s per minute; try again in %.3f s",
                         (long long)r->limit, r->unit, (double)r->retry_after_ms / 1000);
    buf_init(&text, REFUSAL_BYTES_MAX);
    buf_add_c(&text, "this key's budget of ");
    write_budget(r, &text);
    buf_add_c(&text, r->held ? " does not reach for this request beside others in flight"
                             : " is used up, or does not reach for this request; ");
    if (r->held)
        write_held(r, &text);
    else
        write_end(r, &text);
    enum status status = r->held ? ERR_RATE : ERR_QUOTA;
    (void)error_set(err, status, "%s", text.ptr ? text.ptr : "");
    buf_done(&text);
    return status;
}

enum status caller_may_spend(struct caller *c, struct key_reserved want, struct error *err)
{
    if (!c || !c->key)
        return OK;
    c->refused = !client_key_reserve(c->key, &c->reserved, want, &c->refusal);
    return c->refused ? caller_refuse(c, err) : OK;
}

struct str caller_key_id(const struct caller *c)
{
    return c ? client_key_id(c->key) : STR("");
}

void caller_settle(struct caller *c, const struct cost *cost)
{
    if (!c || !c->key)
        return;
    const struct key_reserved spent = {.nano_usd = cost->nano_usd,
                                       .tokens = cost->tokens.input + cost->tokens.output};
    client_key_settle(c->key, &c->reserved, spent);
}

/* Headers */

/* "17ms", "8.64s", "6m0s" */
static const char *duration(struct arena *a, uint64_t ms)
{
    unsigned long long seconds = (ms + 999) / 1000;
    if (ms < 1000)
        return arena_printf(a, "%llums", (unsigned long long)ms);
    if (ms < 60000)
        return arena_printf(a, "%gs", (double)ms / 1000);
    return arena_printf(a, "%llum%llus", seconds / 60, seconds % 60);
}

static struct http_header header(const char *name, const char *value)
{
    return (struct http_header){str_from(name), str_from(value)};
}

static size_t add_rate(const struct key_rate *r, const char *const names[3], struct arena *a,
                       struct http_header *headers)
{
    if (r->limit == KEY_UNLIMITED)
        return 0;
    headers[0] = header(names[0], arena_printf(a, "%lld", (long long)r->limit));
    headers[1] = header(names[1], arena_printf(a, "%lld", (long long)r->remaining));
    headers[2] = header(names[2], duration(a, r->reset_ms));
    return 3;
}

static size_t add_refusal(const struct key_refusal *r, struct arena *a, struct http_header *headers)
{
    size_t n = 0;
    if (r->retry_after_ms > 0)
        headers[n++] =
            header("retry-after",
                   arena_printf(a, "%llu", (unsigned long long)(r->retry_after_ms + 999) / 1000));
    if (r->budget && !r->held) /* libraries try a 429 again by themselves */
        headers[n++] = header("x-should-retry", "false");
    return n;
}

size_t caller_headers(const struct caller *c, bool refused, struct arena *a,
                      struct http_header *headers)
{
    static const char *const of_requests[] = {"x-ratelimit-limit-requests",
                                              "x-ratelimit-remaining-requests",
                                              "x-ratelimit-reset-requests"};
    static const char *const of_tokens[] = {
        "x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"};
    struct key_rate requests, tokens;
    if (!c || !c->key)
        return 0;
    client_key_rates(c->key, &requests, &tokens);
    size_t n = add_rate(&requests, of_requests, a, headers);
    n += add_rate(&tokens, of_tokens, a, headers + n);
    return n + (refused ? add_refusal(&c->refusal, a, headers + n) : 0);
}
