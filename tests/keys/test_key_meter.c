/* Rates and budgets of a key, to the millisecond and the nano-dollar. */
#include "keys/key_meter.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/money.h"

#define NOON    INT64_C(1764590400000) /* 2025-12-01T12:00:00Z */
#define HOUR_MS INT64_C(3600000)
#define UNLIMITED                                                                                  \
    (struct key_limits)                                                                            \
    {                                                                                              \
        .budget_nano_usd = {KEY_UNLIMITED, KEY_UNLIMITED, KEY_UNLIMITED},                          \
        .requests_per_minute = KEY_UNLIMITED, .tokens_per_minute = KEY_UNLIMITED                   \
    }

static struct key_meter m;
static struct key_refusal why;

static struct key_clock at(uint64_t now_ms)
{
    return (struct key_clock){1000 + now_ms, NOON + (int64_t)now_ms};
}

static bool reserve(const struct key_limits *l, uint64_t now_ms, struct key_reserved *r,
                    int64_t nano_usd, int64_t tokens)
{
    return key_meter_reserve(&m, l, at(now_ms), r,
                             (struct key_reserved){.nano_usd = nano_usd, .tokens = tokens}, &why);
}

static void settle(const struct key_limits *l, uint64_t now_ms, struct key_reserved *r,
                   int64_t nano_usd, int64_t tokens)
{
    key_meter_settle(&m, l, at(now_ms), r,
                     (struct key_reserved){.nano_usd = nano_usd, .tokens = tokens});
    cr_expect(r->nano_usd == 0 && r->tokens == 0);
}

Test(key_meter, a_key_without_limits_is_never_refused)
{
    const struct key_limits l = UNLIMITED;
    for (int i = 0; i < 1000; i++) {
        struct key_reserved r = {0};
        cr_assert(key_meter_admit(&m, &l, at(0), &why));
        cr_assert(reserve(&l, 0, &r, INT64_MAX / 4, INT64_MAX));
        settle(&l, 0, &r, INT64_MAX / 4, INT64_MAX);
    }
    cr_expect_eq(m.spent.nano_usd[KEY_TOTAL], INT64_MAX, "sums saturate");
}

Test(key_meter, requests_refill_one_by_one)
{
    struct key_limits l = UNLIMITED;
    l.requests_per_minute = 3; /* one every 20 s */
    for (int i = 0; i < 3; i++)
        cr_assert(key_meter_admit(&m, &l, at(0), &why));
    cr_assert_not(key_meter_admit(&m, &l, at(0), &why));
    cr_expect_str_eq(why.unit, "requests");
    cr_expect_eq(why.retry_after_ms, 20000);
    cr_assert_not(key_meter_admit(&m, &l, at(19999), &why));
    cr_expect_eq(why.retry_after_ms, 1, "%llu", (unsigned long long)why.retry_after_ms);
    cr_expect(key_meter_admit(&m, &l, at(20000), &why), "Retry-After is exact");
    cr_expect_not(key_meter_admit(&m, &l, at(20000), &why));
    cr_expect(key_meter_admit(&m, &l, at(86400000), &why));
}

/* Against a count by hand: of a request each millisecond, as many pass as have been filled. */
Test(key_meter, over_minutes_the_rate_is_exact)
{
    static const int64_t rates[] = {1, 7, 60, 999, 60000, 100000};
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        struct key_limits l = UNLIMITED;
        int64_t passed = 0;
        l.requests_per_minute = rates[i];
        memset(&m, 0, sizeof(m));
        for (uint64_t ms = 0; ms <= 180000; ms++)
            passed += key_meter_admit(&m, &l, at(ms), &why);
        int64_t filled = rates[i] * 180000 / 60000 + rates[i];
        int64_t asked = 180001;
        cr_expect_eq(passed, filled < asked ? filled : asked, "rate %lld: %lld passed",
                     (long long)rates[i], (long long)passed);
    }
}

Test(key_meter, headers_say_what_is_left_and_when_it_is_full)
{
    struct key_limits l = UNLIMITED;
    struct key_rate requests, tokens;
    l.requests_per_minute = 60;
    cr_assert(key_meter_admit(&m, &l, at(0), &why));
    cr_assert(key_meter_admit(&m, &l, at(0), &why));
    key_meter_rates(&m, &l, at(500).now_ms, &requests, &tokens);
    cr_expect(requests.limit == 60 && requests.remaining == 58 && requests.reset_ms == 1500);
    cr_expect_eq(tokens.limit, KEY_UNLIMITED);
    key_meter_rates(&m, &l, at(2000).now_ms, &requests, &tokens);
    cr_expect(requests.remaining == 60 && requests.reset_ms == 0);
}

Test(key_meter, tokens_are_taken_as_predicted_and_set_right)
{
    struct key_limits l = UNLIMITED;
    struct key_reserved a = {0}, b = {0};
    struct key_rate requests, tokens;
    l.tokens_per_minute = 6000; /* one each 10 ms */
    cr_assert(reserve(&l, 0, &a, 0, 4000));
    cr_assert_not(reserve(&l, 0, &b, 0, 2001));
    cr_expect_str_eq(why.unit, "tokens");
    cr_expect_eq(why.retry_after_ms, 10);
    settle(&l, 0, &a, 0, 1000);
    key_meter_rates(&m, &l, at(0).now_ms, &requests, &tokens);
    cr_expect_eq(tokens.remaining, 5000);
    cr_assert(reserve(&l, 0, &b, 0, 2001));
    settle(&l, 0, &b, 0, 9000); /* more than predicted: it owes */
    key_meter_rates(&m, &l, at(0).now_ms, &requests, &tokens);
    cr_expect_eq(tokens.remaining, 0);
    cr_assert_not(key_meter_admit(&m, &l, at(0), &why), "refused at the door already");
    cr_expect_eq(why.retry_after_ms, 40010, "until one token is there");
    cr_assert_not(key_meter_admit(&m, &l, at(40009), &why));
    cr_assert(key_meter_admit(&m, &l, at(40010), &why));
}

Test(key_meter, a_request_larger_than_the_bucket_may_go_when_it_is_full)
{
    struct key_limits l = UNLIMITED;
    struct key_reserved a = {0}, b = {0};
    l.tokens_per_minute = 100;
    cr_assert(reserve(&l, 0, &a, 0, 5000));
    cr_assert_not(reserve(&l, 0, &b, 0, 5000));
    cr_expect_eq(why.retry_after_ms, 5000 * 60000 / 100, "until it is full again");
    cr_assert(reserve(&l, 5000 * 60000 / 100, &b, 0, 5000));
}

Test(key_meter, unset_is_unlimited_and_zero_is_not)
{
    struct key_limits l = UNLIMITED;
    struct key_reserved r = {0};
    l.budget_nano_usd[KEY_TOTAL] = 0;
    cr_assert(key_meter_admit(&m, &l, at(0), &why), "what is free may go");
    cr_assert(reserve(&l, 0, &r, 0, 10));
    cr_assert_not(reserve(&l, 0, &r, 1, 10));
    cr_expect(why.budget && why.period == KEY_TOTAL && why.limit == 0 && why.retry_after_ms == 0);
}

Test(key_meter, spent_and_reserved_and_predicted_stay_within_the_budget)
{
    struct key_limits l = UNLIMITED;
    struct key_reserved a = {0}, b = {0};
    l.budget_nano_usd[KEY_DAY] = 100;
    cr_assert(reserve(&l, 0, &a, 60, 1));
    cr_assert_not(reserve(&l, 0, &b, 41, 1));
    cr_assert(reserve(&l, 0, &b, 40, 1));
    cr_expect_eq(m.spent.open_nano_usd, 100);
    settle(&l, 0, &a, 10, 1);
    settle(&l, 0, &b, 90, 1);
    cr_expect(m.spent.nano_usd[KEY_DAY] == 100 && m.spent.open_nano_usd == 0);
    cr_assert(key_meter_admit(&m, &l, at(0), &why));
    cr_assert_not(reserve(&l, 0, &a, 1, 1));
    cr_expect(why.budget && why.period == KEY_DAY);
    cr_expect_eq(why.retry_after_ms, 12 * HOUR_MS, "midnight UTC");
    cr_assert(reserve(&l, 12 * HOUR_MS, &a, 100, 1));
    settle(&l, 12 * HOUR_MS, &a, 101, 1);
    cr_assert_not(key_meter_admit(&m, &l, at(12 * HOUR_MS), &why), "over it, nobody gets in");
}

static bool reserve_worst(const struct key_limits *l, struct key_reserved *r, int64_t nano_usd,
                          int64_t worst)
{
    const struct key_reserved want = {.nano_usd = nano_usd, .tokens = 1, .worst_nano_usd = worst};
    return key_meter_reserve(&m, l, at(0), r, want, &why);
}

Test(key_meter, what_requests_may_cost_at_most_is_held)
{
    struct key_limits l = UNLIMITED;
    struct key_reserved a = {0}, b = {0}, c = {0};
    l.budget_nano_usd[KEY_DAY] = 100;
    cr_assert(reserve_worst(&l, &a, 1, 60));
    cr_assert(reserve_worst(&l, &b, 1, 40));
    cr_assert_not(reserve_worst(&l, &c, 1, 1));
    cr_expect(why.budget && why.held && why.left == 100 && why.others == 100 && why.worst == 1);
    cr_expect_eq(why.retry_after_ms, 1000, "they will be done");
    cr_expect_eq(m.spent.open_nano_usd, 2, "what outlives a crash is what was predicted");
    settle(&l, 0, &a, 2, 1);
    cr_assert(reserve_worst(&l, &c, 1, 58));
    settle(&l, 0, &b, 0, 0);
    settle(&l, 0, &c, 0, 0);
    cr_expect_eq(m.held_nano_usd, 0);
}

Test(key_meter, alone_a_request_goes_whose_prediction_fits)
{
    struct key_limits l = UNLIMITED;
    struct key_reserved a = {0}, b = {0}, free = {0};
    l.budget_nano_usd[KEY_TOTAL] = 10;
    cr_assert(reserve_worst(&l, &a, 1, 1000));
    cr_assert_not(reserve_worst(&l, &b, 1, 1000), "but one only");
    cr_expect(why.held);
    cr_assert(reserve_worst(&l, &a, 9, 1500), "its own reservation is not in its way");
    cr_assert(reserve_worst(&l, &free, 0, 0), "what is free may go");
    cr_assert(key_meter_admit(&m, &l, at(0), &why), "the door asks for what was spent only");
    settle(&l, 0, &a, 1000, 1);
    cr_assert_not(reserve_worst(&l, &b, 1, 2));
    cr_expect(!why.held && why.left == 0, "the budget is used up");
    cr_assert_not(key_meter_admit(&m, &l, at(0), &why));
}

Test(key_meter, a_budget_of_nothing_is_for_what_costs_nothing_at_most)
{
    struct key_limits l = UNLIMITED;
    struct key_reserved a = {0};
    l.budget_nano_usd[KEY_TOTAL] = 0;
    cr_assert_not(reserve_worst(&l, &a, 0, 1));
    cr_assert(reserve_worst(&l, &a, 0, 0));
}

Test(key_meter, a_key_whose_spending_is_lost_has_no_budget_left)
{
    struct key_limits l = UNLIMITED;
    struct key_reserved a = {0}, b = {0};
    m.spent = key_spent_lost(NOON);
    cr_assert(reserve_worst(&l, &a, 1, 1), "without a budget nothing changes");
    l.budget_nano_usd[KEY_DAY] = INT64_MAX;
    cr_assert_not(reserve_worst(&l, &b, 1, 1));
    cr_expect(why.budget && why.lost && why.retry_after_ms == 0);
    cr_assert(reserve_worst(&l, &b, 0, 0), "what is free may go");
    settle(&l, 24 * HOUR_MS, &a, 1, 1);
    cr_expect(key_spent_is_lost(&m.spent, NULL), "another day, and still so");
}

/* However many come at once, in whatever order they end: never more than the budget and the worst case of one. */
Test(key_meter, all_together_overshoot_by_one_at_most)
{
    struct key_limits l = UNLIMITED;
    uint64_t random = 7;
    l.budget_nano_usd[KEY_DAY] = 1000;
    for (int round = 0; round < 200; round++) {
        struct key_reserved r[50] = {0};
        memset(&m, 0, sizeof(m));
        for (int step = 0; step < 400; step++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            struct key_reserved *one = &r[random >> 33 & 31];
            if (one->worst_nano_usd > 0)
                settle(&l, 0, one, one->worst_nano_usd, 1); /* each costs the most it can */
            else
                (void)reserve_worst(&l, one, 1, 1 + (int64_t)(random >> 40 & 127));
        }
        for (size_t i = 0; i < 50; i++)
            if (r[i].worst_nano_usd > 0)
                settle(&l, 0, &r[i], r[i].worst_nano_usd, 1);
        cr_assert_leq(m.spent.nano_usd[KEY_DAY], 1000 + 128);
    }
}

Test(key_meter, a_hop_takes_the_difference_and_what_it_has_is_not_given_up)
{
    struct key_limits l = UNLIMITED;
    struct key_reserved r = {0};
    l.budget_nano_usd[KEY_TOTAL] = 100;
    cr_assert(reserve(&l, 0, &r, 70, 1));
    cr_assert(reserve(&l, 0, &r, 30, 1)); /* a cheaper fallback */
    cr_expect_eq(r.nano_usd, 70);
    cr_assert_not(reserve(&l, 0, &r, 101, 1), "fail-over to a dear one");
    cr_expect(r.nano_usd == 70 && m.spent.open_nano_usd == 70);
    cr_assert(reserve(&l, 0, &r, 100, 1));
    cr_expect_eq(m.spent.open_nano_usd, 100);
    settle(&l, 0, &r, 12, 1);
    settle(&l, 0, &r, 0, 0); /* a second time gives nothing back */
    cr_expect(m.spent.open_nano_usd == 0 && m.spent.nano_usd[KEY_TOTAL] == 12);
}

Test(key_meter, the_budget_that_opens_last_is_named)
{
    struct key_limits l = UNLIMITED;
    struct key_reserved r = {0};
    l.budget_nano_usd[KEY_DAY] = l.budget_nano_usd[KEY_MONTH] = 5;
    cr_assert_not(reserve(&l, 0, &r, 6, 1));
    cr_expect_eq(why.period, KEY_MONTH);
    cr_expect_eq(why.retry_after_ms, 31 * 24 * HOUR_MS - 12 * HOUR_MS, "1 January");
}

Test(key_meter, days_and_months_begin_anew_by_utc)
{
    struct key_limits l = UNLIMITED;
    struct key_reserved r = {0};
    settle(&l, 0, &r, 7, 0);
    settle(&l, 24 * HOUR_MS, &r, 5, 0);
    cr_expect(m.spent.nano_usd[KEY_DAY] == 5 && m.spent.nano_usd[KEY_MONTH] == 12);
    settle(&l, 31 * 24 * HOUR_MS, &r, 1, 0);
    cr_expect(m.spent.nano_usd[KEY_DAY] == 1 && m.spent.nano_usd[KEY_MONTH] == 1);
    cr_expect_eq(m.spent.nano_usd[KEY_TOTAL], 13);
}

Test(key_meter, a_clock_set_back_a_little_opens_no_budget)
{
    struct key_spent s = {0};
    key_spent_roll(&s, NOON);
    s.nano_usd[KEY_DAY] = s.nano_usd[KEY_MONTH] = 9;
    key_spent_roll(&s, NOON - 13 * HOUR_MS);
    cr_expect(s.nano_usd[KEY_DAY] == 9 && s.nano_usd[KEY_MONTH] == 9);
    key_spent_roll(&s, NOON - 24 * 40 * HOUR_MS);
    cr_expect(s.nano_usd[KEY_DAY] == 0 && s.nano_usd[KEY_MONTH] == 0, "it was far off");
}

Test(key_meter, ends_of_periods)
{
    cr_expect_eq(key_period_end_ms(KEY_DAY, NOON), NOON + 12 * HOUR_MS);
    cr_expect_eq(key_period_end_ms(KEY_MONTH, NOON), INT64_C(1767225600000)); /* 2026-01-01 */
    cr_expect_eq(key_period_end_ms(KEY_TOTAL, NOON), 0);
}

Test(key_meter, a_limit_given_later_begins_full)
{
    struct key_limits l = UNLIMITED;
    for (int i = 0; i < 100; i++)
        cr_assert(key_meter_admit(&m, &l, at(0), &why));
    l.requests_per_minute = 2;
    cr_expect(key_meter_admit(&m, &l, at(1), &why));
    cr_expect(key_meter_admit(&m, &l, at(1), &why));
    cr_expect_not(key_meter_admit(&m, &l, at(1), &why));
    l.requests_per_minute = 6000;
    cr_expect(key_meter_admit(&m, &l, at(1), &why), "a higher limit counts at once");
}
