/* What there is time for, on states that are made by hand. */
#include "predict/timed.h"

#include <math.h>

#include <criterion/criterion.h>

#include "base/money.h"
#include "base/rng.h"

#define MEMBERS 4

static const struct estimate estimates[MEMBERS] = {
    {.quality = 0.6f, .cost_nano_usd = 1000000, .cost_max_nano_usd = 1000000},
    {.quality = 0.7f, .cost_nano_usd = 2000000, .cost_max_nano_usd = 2000000},
    {.quality = 0.75f, .cost_nano_usd = 3000000, .cost_max_nano_usd = 3000000},
    {.quality = 0.8f, .cost_nano_usd = 4000000, .cost_max_nano_usd = 4000000}};

static struct plan plan_of(enum plan_kind kind, size_t members)
{
    struct plan p = {.kind = kind, .member_count = members, .gain_per_usd = 1};
    for (size_t i = 0; i < members; i++) {
        p.members[i] = i;
        p.cost_ratio[i] = 1;
    }
    return p;
}

static struct plan_state state_of(uint32_t left_ms, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    struct plan_state s = {.is_timed = true, .left_ms = left_ms, .latency_ms = {a, b, c, d}};
    s.choice_count = 4;
    for (size_t i = 0; i < MEMBERS; i++)
        s.members[i] = &estimates[i];
    return s;
}

/* Who says nothing yet, an answer, or a failure (class 0). */
static void says(struct plan_state *s, size_t i, uint16_t answer_class)
{
    s->answers[i] = (struct plan_answer){
        .asked = true, .failed = answer_class == 0, .answer_class = answer_class};
}

static void goes_out(struct plan_state *s, size_t i)
{
    s->answers[i].pending = true;
}

/* A panel without trees whose gains over stopping are the same after any answers. */
static struct panel panel_of(const float *gains)
{
    struct panel p = {.members = MEMBERS, .lambda_count = 1, .lambdas = {1}};
    p.posterior.experts = MEMBERS;
    for (size_t done = 0; done < PANEL_MEMBERS_MAX; done++) {
        p.values[done].experts = MEMBERS;
        for (size_t i = 0; i < MEMBERS; i++)
            p.offsets[done][i] = gains ? panel_output_of(gains[i]) : 0;
    }
    return p;
}

static struct plan_verdict verdict_of(const struct panel *panel, const struct plan_state *s,
                                      const float *likely)
{
    static const float nobody[MEMBERS];
    const struct plan p = plan_of(PLAN_SEQUENTIAL, MEMBERS);
    struct panel_state state = {.members = MEMBERS, .choice_count = s->choice_count};
    struct plan_verdict v;
    for (size_t i = 0; i < MEMBERS; i++) {
        const struct plan_answer *a = &s->answers[i];
        state.asked |= (uint8_t)(a->asked << i);
        state.barred |= (uint8_t)(a->pending << i);
        state.member[i] = (struct panel_member){.quality = estimates[i].quality,
                                                .cost_usd = money_usd(estimates[i].cost_nano_usd),
                                                .answer_class = a->answer_class,
                                                .stats = a->asked && !a->failed ? a->stats : NULL};
    }
    timed_panel_verdict(panel, &p, s, &state, likely ? likely : nobody, &v);
    return v;
}

static const float worth_it[MEMBERS] = {0.5f, 0.4f, 0.3f, 0.2f};
static const float two_worth_it[MEMBERS] = {0.5f, 0.4f, -0.5f, -0.5f};

/* Durations of plans */

Test(timed, a_plan_takes_as_long_as_its_turns)
{
    const uint32_t ms[] = {700, 300, 2000, 0};
    const struct {
        enum plan_kind kind;
        size_t members;
        uint64_t ms;
    } cases[] = {{PLAN_SINGLE, 1, 700},     {PLAN_CASCADE, 2, 1000},  {PLAN_PANEL, 3, 2700},
                 {PLAN_VERIFIED, 1, 700},   {PLAN_VERIFIED, 4, 3000}, {PLAN_SEQUENTIAL, 2, 700},
                 {PLAN_SEQUENTIAL, 3, 700}, {PLAN_SEQUENTIAL, 4, 300}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct plan p = plan_of(cases[i].kind, cases[i].members);
        cr_expect_eq(timed_plan_ms(&p, ms), cases[i].ms, "case %zu", i);
    }
}

/* Sequential panels */

Test(timed, with_time_for_another_turn_one_is_asked)
{
    const struct panel p = panel_of(worth_it);
    const float likely[MEMBERS] = {1, 1, 1, 1};
    struct plan_state s = state_of(2000, 1000, 1000, 1000, 1000);
    struct plan_verdict v = verdict_of(&p, &s, likely);
    cr_expect_eq(__builtin_popcount(v.ask), 1);
    says(&s, 0, 1);
    v = verdict_of(&p, &s, likely);
    cr_expect_eq(v.ask, 2, "the one that gains most");
}

Test(timed, unknown_latencies_are_no_reason_to_hurry)
{
    const struct panel p = panel_of(worth_it);
    const float likely[MEMBERS] = {1, 1, 1, 1};
    struct plan_state s = state_of(10, 0, 0, 0, 0);
    cr_expect_eq(__builtin_popcount(verdict_of(&p, &s, likely).ask), 1);
}

Test(timed, without_it_a_first_wave_asks_whoever_is_likely_to_be_asked)
{
    const struct panel p = panel_of(worth_it);
    const float likely[MEMBERS] = {0.9f, 0.6f, 0.49f, 0.7f};
    struct plan_state s = state_of(1500, 1000, 1000, 1000, 1000);
    struct plan_verdict v = verdict_of(&p, &s, likely);
    cr_expect_eq(v.ask, 1 | 2 | 8, "not %u", v.ask);
    s.calls_max = 2;
    cr_expect_eq(verdict_of(&p, &s, likely).ask, 1 | 8, "the likeliest, within max_calls");
    s.latency_ms[3] = 1501;
    cr_expect_eq(verdict_of(&p, &s, likely).ask, 1 | 2, "who comes too late is not asked");
}

Test(timed, a_later_wave_asks_whoever_is_worth_its_price)
{
    const struct panel p = panel_of(worth_it), two = panel_of(two_worth_it);
    struct plan_state s = state_of(1500, 1000, 1000, 1000, 1000);
    says(&s, 0, 1);
    cr_expect_eq(verdict_of(&p, &s, NULL).ask, 2 | 4 | 8);
    s.calls_max = 3;
    cr_expect_eq(verdict_of(&p, &s, NULL).ask, 2 | 4);
    cr_expect_eq(verdict_of(&two, &s, NULL).ask, 2);
    s.left_ms = 900;
    struct plan_verdict v = verdict_of(&p, &s, NULL);
    cr_expect(!v.ask && !v.wait && v.winner == 0, "nobody is quick enough");
}

Test(timed, a_panel_stops_when_nobody_out_is_worth_waiting_for)
{
    const struct panel p = panel_of(worth_it), two = panel_of(two_worth_it);
    struct plan_state s = state_of(800, 1000, 1000, 1000, 1000);
    for (size_t i = 0; i < MEMBERS; i++)
        goes_out(&s, i);
    cr_expect(verdict_of(&p, &s, NULL).wait, "nobody has answered");
    says(&s, 0, 1);
    struct plan_verdict v = verdict_of(&two, &s, NULL);
    cr_expect(v.wait && !v.ask, "the second is worth it");
    says(&s, 1, 1);
    v = verdict_of(&two, &s, NULL);
    cr_expect(!v.wait && !v.ask, "the others are not");
    cr_expect(verdict_of(&p, &s, NULL).wait);
}

Test(timed, who_is_worth_more_than_those_out_is_asked)
{
    const float last[MEMBERS] = {-0.5f, -0.5f, -0.5f, 0.4f};
    const struct panel p = panel_of(last);
    struct plan_state s = state_of(5000, 1000, 1000, 1000, 1000);
    says(&s, 0, 1);
    goes_out(&s, 1);
    cr_expect_eq(verdict_of(&p, &s, NULL).ask, 8);
}

Test(timed, when_time_is_over_what_is_there_stands)
{
    const struct panel p = panel_of(worth_it);
    struct plan_state s = state_of(0, 1000, 1000, 0, 0);
    goes_out(&s, 1);
    cr_expect(verdict_of(&p, &s, NULL).wait, "a late answer is better than none");
    says(&s, 0, 0);
    cr_expect(verdict_of(&p, &s, NULL).wait, "a failure is no answer");
    says(&s, 0, 2);
    struct plan_verdict v = verdict_of(&p, &s, NULL);
    cr_expect(!v.wait && !v.ask && v.winner == 0);
}

Test(timed, where_all_are_too_slow_the_fastest_is_asked)
{
    const struct panel p = panel_of(NULL);
    struct plan_state s = state_of(100, 1000, 1000, 400, 1000);
    cr_expect_eq(verdict_of(&p, &s, NULL).ask, 4);
    s.left_ms = 0;
    cr_expect_eq(verdict_of(&p, &s, NULL).ask, 4);
}

/* However the answers fall and whoever is late: members only, nobody twice, never more than allowed, and an end. */
Test(timed, every_panel_comes_to_an_end)
{
    struct rng r;
    rng_seed(&r, 5);
    for (int round = 0; round < 2000; round++) {
        float gains[MEMBERS], likely[MEMBERS];
        struct plan_state s =
            state_of((uint32_t)rng_below(&r, 4000), (uint32_t)rng_below(&r, 2000),
                     (uint32_t)rng_below(&r, 2000), (uint32_t)rng_below(&r, 2000), 0);
        s.calls_max = (uint8_t)rng_below(&r, MEMBERS + 1);
        for (size_t i = 0; i < MEMBERS; i++) {
            gains[i] = (float)rng_uniform(&r) - 0.5f;
            likely[i] = (float)rng_uniform(&r);
        }
        const struct panel p = panel_of(gains);
        int calls = 0;
        for (int turn = 0;; turn++) {
            struct plan_verdict v = verdict_of(&p, &s, likely);
            cr_assert_lt(turn, 3 * MEMBERS);
            cr_assert_lt(v.winner, MEMBERS);
            for (size_t i = 0; i < MEMBERS; i++)
                if (v.ask >> i & 1) {
                    cr_assert(!s.answers[i].asked && !s.answers[i].pending);
                    goes_out(&s, i);
                    calls++;
                }
            cr_assert_eq(v.ask >> MEMBERS, 0);
            cr_assert(!s.calls_max || calls <= s.calls_max);
            if (!v.ask && !v.wait)
                break;
            for (size_t i = 0; i < MEMBERS; i++)
                if (s.answers[i].pending) {
                    says(&s, i, (uint16_t)rng_below(&r, 4));
                    s.left_ms -= s.left_ms < 300 ? s.left_ms : 300;
                    break;
                }
        }
        cr_assert_gt(calls, 0);
    }
}

/* Cascades, panels and verified plans */

Test(timed, nobody_is_asked_who_comes_too_late)
{
    const struct plan p = plan_of(PLAN_CASCADE, 2);
    struct plan_state s = state_of(900, 1000, 1000, 0, 0);
    struct plan_verdict v = {.ask = 2, .final = true, .winner = 1, .trust = {0.4f, 0.8f}};
    struct plan_verdict same = v;
    timed_verdict(&p, &s, &v);
    cr_expect_eq(v.ask, 2, "a late answer is better than none");
    says(&s, 0, 1);
    timed_verdict(&p, &s, &v);
    cr_expect(!v.ask && !v.final && !v.wait && v.winner == 0);
    v = same;
    s.left_ms = 1000;
    timed_verdict(&p, &s, &v);
    cr_expect(v.ask == 2 && v.final);
    s.left_ms = 0;
    s.is_timed = false;
    timed_verdict(&p, &s, &v);
    cr_expect(v.ask == 2 && v.final, "no limit, no change");
}

Test(timed, the_best_of_what_is_there_stands_at_the_end)
{
    const struct plan p = plan_of(PLAN_PANEL, 4);
    struct plan_state s = state_of(0, 0, 0, 0, 0);
    struct plan_verdict v = {.wait = true, .winner = 3, .trust = {0.4f, 0.9f, 0.6f, 0.8f}};
    struct plan_verdict same = v;
    goes_out(&s, 3);
    timed_verdict(&p, &s, &v);
    cr_expect(v.wait);
    says(&s, 0, 1);
    says(&s, 2, 2);
    timed_verdict(&p, &s, &v);
    cr_expect(!v.wait && v.winner == 2);
    s.answers[2].answer_class = 0;
    v = same;
    timed_verdict(&p, &s, &v);
    cr_expect_eq(v.winner, 0, "of which it is known what it says");
    const struct plan verified = plan_of(PLAN_VERIFIED, 4);
    v = same;
    timed_verdict(&verified, &s, &v);
    cr_expect_eq(v.winner, 2, "where no answers are compared that does not count");
}

/* Estimates */

Test(timed, a_wave_is_paid_for_whole)
{
    const struct plan p = plan_of(PLAN_SEQUENTIAL, MEMBERS);
    const struct estimate before = {.quality = 0.8f, .asked = {1, 0.6f, 0.4f, 0.3f}};
    struct plan_state s = state_of(1500, 1000, 1000, 1000, 1000);
    struct estimate e = before;
    timed_estimate(&p, &s, &e);
    cr_expect(e.asked[0] == 1 && e.asked[1] == 1 && e.asked[2] == 0 && e.asked[3] == 0);
    cr_expect_eq(e.cost_nano_usd, 3000000);
    cr_expect_float_eq((double)e.escalation, 1 / 3.0, 1e-6);
    cr_expect_eq((double)e.quality, (double)before.quality);
    e = before;
    s.left_ms = 2000;
    timed_estimate(&p, &s, &e);
    cr_expect(e.asked[1] == before.asked[1] && e.cost_nano_usd == 0, "there is time for turns");
}
