/* Verdicts on plans that must come to an end in time: see timed.h. A member is a bit of a set, as in arm.h, and what is
 * said of members that are out holds of those that were asked and have neither answered nor failed. Pure functions, so
 * that evaluation and the gateway decide alike from the same state: the time left is a number in it. Nothing here reads
 * a clock or keeps anything, and any thread may ask. */
#include "predict/timed.h"

#include <string.h>

#include "base/check.h"

static bool is_in(uint8_t set, size_t i)
{
    return set >> i & 1;
}

static uint8_t bit(size_t i)
{
    return (uint8_t)(1u << i);
}

static uint8_t all_of(const struct plan *p)
{
    return (uint8_t)((1u << p->member_count) - 1);
}

static bool has_answered(const struct plan_state *s, size_t i)
{
    return s->answers[i].asked && !s->answers[i].failed;
}

static bool is_any_there(const struct plan *p, const struct plan_state *s)
{
    for (size_t i = 0; i < p->member_count; i++)
        if (has_answered(s, i))
            return true;
    return false;
}

/* Members that would answer within what is left. */
static uint8_t in_time(const struct plan *p, const struct plan_state *s)
{
    uint8_t set = 0;
    for (size_t i = 0; i < p->member_count && s->left_ms > 0; i++)
        if (s->latency_ms[i] <= s->left_ms)
            set |= bit(i);
    return set;
}

static size_t fastest_of(const struct plan *p, const uint32_t *latency_ms, size_t but)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < p->member_count; i++)
        if (i != but && (best == SIZE_MAX || latency_ms[i] < latency_ms[best]))
            best = i;
    return best;
}

uint64_t timed_plan_ms(const struct plan *p, const uint32_t *latency_ms)
{
    size_t last = p->member_count - 1;
    uint64_t sum = 0, longest = 0;
    for (size_t i = 0; i < p->member_count; i++)
        sum += latency_ms[i];
    for (size_t i = 0; i < last; i++)
        longest = latency_ms[i] > longest ? latency_ms[i] : longest;
    if (p->kind == PLAN_SEQUENTIAL && last > 0)
        return latency_ms[fastest_of(p, latency_ms, fastest_of(p, latency_ms, SIZE_MAX))];
    return p->kind == PLAN_PANEL ? longest + latency_ms[last] : sum;
}

/* The answer that stands when the one that was to win is not there. */
static size_t best_there(const struct plan *p, const struct plan_state *s, const float *trust)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < p->member_count; i++) {
        bool known = p->kind == PLAN_VERIFIED || s->answers[i].answer_class;
        bool best_known =
            best < SIZE_MAX && (p->kind == PLAN_VERIFIED || s->answers[best].answer_class);
        if (has_answered(s, i) && (best == SIZE_MAX || (known && !best_known) ||
                                   (known == best_known && trust[i] > trust[best])))
            best = i;
    }
    CHECK(best < SIZE_MAX);
    return best;
}

void timed_verdict(const struct plan *p, const struct plan_state *s, struct plan_verdict *v)
{
    if (!s->is_timed || !is_any_there(p, s))
        return;
    v->ask &= in_time(p, s);
    v->final &= v->ask != 0;
    v->wait &= s->left_ms > 0;
    if (!v->ask && !v->wait && !has_answered(s, v->winner))
        v->winner = best_there(p, s, v->trust);
}

/* Whether another of `others` could be asked after `next` has answered. */
static bool is_time_after(const struct plan *p, const struct plan_state *s, size_t next,
                          uint8_t others)
{
    for (size_t i = 0; i < p->member_count; i++)
        if (i != next && is_in(others, i) &&
            (uint64_t)s->latency_ms[next] + s->latency_ms[i] <= s->left_ms)
            return true;
    return false;
}

/* `next`, and those of `set` with the largest worth, `room` in all. */
static uint8_t wave_of(size_t next, uint8_t set, const float *worth, size_t room)
{
    uint8_t wave = bit(next);
    for (size_t size = 1; size < room; size++) {
        size_t best = SIZE_MAX;
        for (size_t i = 0; i < PLAN_MEMBERS_MAX; i++)
            if (is_in(set & ~wave, i) && (best == SIZE_MAX || worth[i] > worth[best]))
                best = i;
        if (best == SIZE_MAX)
            break;
        wave |= bit(best);
    }
    return wave;
}

static uint8_t likely_of(const struct plan *p, const float *likely)
{
    uint8_t set = 0;
    for (size_t i = 0; i < p->member_count; i++)
        if (likely[i] >= TIMED_LIKELY)
            set |= bit(i);
    return set;
}

/* How many more may be asked. */
static size_t room_of(const struct plan_state *s, uint8_t used)
{
    size_t count = (size_t)__builtin_popcount(used);
    if (!s->calls_max)
        return PLAN_MEMBERS_MAX;
    return count < s->calls_max ? s->calls_max - count : 0;
}

/* Members that nobody was asked of yet and that can be: in time, or before any call at least the fastest. */
static uint8_t open_members(const struct plan *p, const struct plan_state *s, uint8_t used)
{
    uint8_t open = (uint8_t)(in_time(p, s) & ~used);
    if (!open && !used)
        open = bit(fastest_of(p, s->latency_ms, SIZE_MAX));
    return open;
}

/* One piece: who is out is weighed like who may be asked, by what it would cost to ask it now; so a panel stops on the
 * same answers whether they came one after the other or together. */
void timed_panel_verdict(const struct panel *panel, const struct plan *p,
                         const struct plan_state *s, const struct panel_state *state,
                         const float *likely, struct plan_verdict *ret)
{
    struct panel_state seen = *state;
    struct panel_verdict v;
    bool there = is_any_there(p, s);
    uint8_t out = state->barred, used = state->asked | out, open = open_members(p, s, used);
    seen.barred = all_of(p) & (uint8_t) ~(open | out | state->asked);
    panel_verdict(panel, &seen, (double)p->gain_per_usd, &v);
    *ret = (struct plan_verdict){.winner = v.winner < p->member_count ? v.winner : 0};
    memcpy(ret->trust, v.trust, p->member_count * sizeof(*v.trust));
    size_t room = room_of(s, used);
    if (there && s->left_ms == 0)
        return;
    if (out && (!there || v.worth & out)) {
        ret->wait = true;
        return;
    }
    if (!v.ask || !room)
        return;
    size_t next = (size_t)__builtin_ctz(v.ask);
    bool is_first = !state->asked;
    uint8_t set = open & (is_first ? likely_of(p, likely) : v.worth);
    ret->ask = is_time_after(p, s, next, open)
                   ? v.ask
                   : wave_of(next, set, is_first ? likely : v.gain, room);
}

void timed_estimate(const struct plan *p, const struct plan_state *s, struct estimate *e)
{
    uint8_t open = open_members(p, s, 0), set = open & likely_of(p, e->asked);
    size_t next = SIZE_MAX;
    float calls = 0;
    for (size_t i = 0; i < p->member_count; i++)
        if (is_in(open, i) && (next == SIZE_MAX || e->asked[i] > e->asked[next]))
            next = i;
    if (is_time_after(p, s, next, open))
        return;
    uint8_t wave = wave_of(next, set, e->asked, room_of(s, 0));
    for (size_t i = 0; i < p->member_count; i++)
        calls += e->asked[i] = is_in(wave, i);
    e->escalation = p->member_count > 1 ? (calls - 1) / (float)(p->member_count - 1) : 0;
    plan_price(p, s->members, e);
}
