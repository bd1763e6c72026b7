/* Buckets that fill by the millisecond, and sums of nano-USD: the arithmetic of key_meter.h.
 *
 * There is no clock, lock or file here: the caller passes the time and holds the account's lock (client_keys.c).
 * Nothing waits, so all of it may be called on an event loop. Sums saturate instead of overflowing, so that no request
 * can make a budget look fresh. */
#include "keys/key_meter.h"

#include "base/check.h"
#include "base/saturate.h"

#define MINUTE     INT64_C(60000) /* what one request or token takes: see key_meter.requests_taken */
#define TOKENS_MAX INT64_C(1000000000000) /* of one request; times MINUTE it fits */

static int64_t at_most(int64_t value, int64_t max)
{
    return value < max ? value : max;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t not_negative(int64_t value)
{
    return value > 0 ? value : 0;
}

/* What is still taken after `ms` at `rate` a minute; without a rate nothing is. */
static int64_t filled(int64_t taken, int64_t rate, uint64_t ms)
{
    CHECK(taken >= 0);
    CHECK(rate > 0 || rate == KEY_UNLIMITED);
    if (rate == KEY_UNLIMITED || (uint64_t)taken / (uint64_t)rate < ms)
        return 0;
    return not_negative(taken - (int64_t)ms * rate);
}

static void pass_time(struct key_meter *m, const struct key_limits *l, struct key_clock clock)
{
    uint64_t ms = clock.now_ms > m->at_ms ? clock.now_ms - m->at_ms : 0;
    m->requests_taken = filled(m->requests_taken, l->requests_per_minute, ms);
    m->tokens_taken = filled(m->tokens_taken, l->tokens_per_minute, ms);
    m->at_ms += ms;
    key_spent_roll(&m->spent, clock.wall_ms);
}

/* Without a rate nothing is taken, so that a rate which is given later begins with a full bucket. */
static int64_t take(int64_t taken, int64_t rate, int64_t count)
{
    return rate == KEY_UNLIMITED ? taken : add_saturated(taken, count * MINUTE);
}

/* The time until `excess` has been filled again, rounded up. */
static uint64_t wait_ms(int64_t excess, int64_t rate)
{
    return excess > 0 ? (uint64_t)((excess - 1) / rate + 1) : 0;
}

static bool over_rate(const char *unit, int64_t rate, int64_t taken, int64_t want,
                      struct key_refusal *ret)
{
    if (rate == KEY_UNLIMITED || taken == 0)
        return false;
    int64_t excess = at_most(add_saturated(taken, want * MINUTE) - rate * MINUTE, taken);
    if (excess <= 0)
        return false;
    *ret =
        (struct key_refusal){.unit = unit, .limit = rate, .retry_after_ms = wait_ms(excess, rate)};
    return true;
}

#define HELD_RETRY_MS 1000 /* when to ask again what others hold */

/* Whether a request exceeds a budget, beside others that may cost `others` at most. Of several budgets the one that
 * opens last is named, because waiting for an earlier one would be in vain. One piece: a refusal says all figures that
 * led to it. */
static bool over_budget(const struct key_meter *m, const struct key_limits *l, int64_t wall_ms,
                        int64_t others, const struct key_reserved *want, struct key_refusal *ret)
{
    bool over = false, lost = key_spent_is_lost(&m->spent, NULL);
    if (lost && want->worst_nano_usd > 0 && key_limits_have_budget(l)) {
        *ret = (struct key_refusal){.budget = true, .lost = true};
        return true;
    }
    if (lost)
        return false;
    for (enum key_period p = KEY_DAY; p < KEY_PERIODS; p++) {
        int64_t budget = l->budget_nano_usd[p], spent = m->spent.nano_usd[p];
        bool never = want->worst_nano_usd > 0
                         ? add_saturated(spent, larger(want->nano_usd, 1)) > budget
                         : spent > budget;
        if (budget == KEY_UNLIMITED ||
            (!never && (others == 0 || add_saturated(add_saturated(spent, others),
                                                     want->worst_nano_usd) <= budget)))
            continue;
        int64_t end_ms = key_period_end_ms(p, wall_ms);
        uint64_t wait_ms = (uint64_t)not_negative(end_ms ? end_ms - wall_ms : 0);
        if (over && !never && !ret->held) /* another budget is what stands in the way */
            continue;
        *ret = (struct key_refusal){.budget = true,
                                    .held = !never,
                                    .left = not_negative(budget - spent),
                                    .others = others,
                                    .worst = want->worst_nano_usd,
                                    .period = p,
                                    .limit = budget,
                                    .retry_after_ms = never ? wait_ms : HELD_RETRY_MS};
        over = true;
    }
    return over;
}

bool key_meter_admit(struct key_meter *m, const struct key_limits *l, struct key_clock clock,
                     struct key_refusal *ret)
{
    static const struct key_reserved nothing;
    pass_time(m, l, clock);
    if (over_budget(m, l, clock.wall_ms, 0, &nothing, ret) ||
        over_rate("tokens", l->tokens_per_minute, m->tokens_taken, 1, ret) ||
        over_rate("requests", l->requests_per_minute, m->requests_taken, 1, ret))
        return false;
    m->requests_taken = take(m->requests_taken, l->requests_per_minute, 1);
    return true;
}

bool key_meter_reserve(struct key_meter *m, const struct key_limits *l, struct key_clock clock,
                       struct key_reserved *reserved, struct key_reserved want,
                       struct key_refusal *ret)
{
    want.worst_nano_usd = larger(want.worst_nano_usd, want.nano_usd);
    int64_t usd = not_negative(want.nano_usd - reserved->nano_usd);
    int64_t worst = not_negative(want.worst_nano_usd - reserved->worst_nano_usd);
    int64_t others = not_negative(m->held_nano_usd - reserved->worst_nano_usd);
    int64_t tokens = not_negative(at_most(want.tokens, TOKENS_MAX) - reserved->tokens);
    bool first = reserved->tokens == 0; /* later calls of a request owe rather than fail */
    CHECK(reserved->tokens >= 0);
    CHECK(reserved->nano_usd >= 0);
    pass_time(m, l, clock);
    if (((usd > 0 || worst > 0) && over_budget(m, l, clock.wall_ms, others, &want, ret)) ||
        (first && over_rate("tokens", l->tokens_per_minute, m->tokens_taken, tokens, ret)))
        return false;
    m->spent.open_nano_usd = add_saturated(m->spent.open_nano_usd, usd);
    m->tokens_taken = take(m->tokens_taken, l->tokens_per_minute, tokens);
    m->held_nano_usd = add_saturated(m->held_nano_usd, worst);
    reserved->nano_usd += usd;
    reserved->worst_nano_usd += worst;
    reserved->tokens += tokens;
    return true;
}

void key_meter_settle(struct key_meter *m, const struct key_limits *l, struct key_clock clock,
                      struct key_reserved *reserved, struct key_reserved cost)
{
    int64_t tokens = at_most(not_negative(cost.tokens), TOKENS_MAX) - reserved->tokens;
    CHECK(reserved->nano_usd >= 0);
    pass_time(m, l, clock);
    m->spent.open_nano_usd = not_negative(m->spent.open_nano_usd - reserved->nano_usd);
    m->held_nano_usd = not_negative(m->held_nano_usd - reserved->worst_nano_usd);
    for (enum key_period p = KEY_DAY; p < KEY_PERIODS && !key_spent_is_lost(&m->spent, NULL); p++)
        m->spent.nano_usd[p] = add_saturated(m->spent.nano_usd[p], not_negative(cost.nano_usd));
    m->tokens_taken = not_negative(take(m->tokens_taken, l->tokens_per_minute, tokens));
    *reserved = (struct key_reserved){0};
}

static struct key_rate rate_of(int64_t limit, int64_t taken)
{
    if (limit == KEY_UNLIMITED)
        return (struct key_rate){.limit = KEY_UNLIMITED};
    return (struct key_rate){.limit = limit,
                             .remaining = not_negative(limit * MINUTE - taken) / MINUTE,
                             .reset_ms = wait_ms(taken, limit)};
}

void key_meter_rates(struct key_meter *m, const struct key_limits *l, uint64_t now_ms,
                     struct key_rate *requests, struct key_rate *tokens)
{
    const struct key_clock clock = {now_ms, (int64_t)m->spent.day * 86400000};
    pass_time(m, l, clock);
    *requests = rate_of(l->requests_per_minute, m->requests_taken);
    *tokens = rate_of(l->tokens_per_minute, m->tokens_taken);
}
