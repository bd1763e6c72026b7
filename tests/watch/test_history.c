/* Rings on a clock of their own: over their ends, over midnight, empty, with as many experts as there may be. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/name.h"
#include "watch/history.h"

#define DAY_MS INT64_C(86400000)
#define START  (INT64_C(20000) * DAY_MS + 7 * 3600000) /* 2024-10-04, 07:00 */

static struct history *h;
static struct metrics *m;
static struct arena *a;
static uint64_t now_ms;
static int64_t wall_ms;
static struct str names[HISTORY_EXPERTS_MAX];
static size_t name_count;

static void begin(void)
{
    h = history_create();
    m = metrics_create();
    a = arena_create(64u << 20);
    cr_assert(h && m && a);
    now_ms = 500;
    wall_ms = START;
    names[0] = STR("a");
    names[1] = STR("b");
    name_count = 2;
}

static void end(void)
{
    history_free(h);
    metrics_free(m);
    arena_free(a);
}

TestSuite(history, .init = begin, .fini = end);

static void take(void)
{
    history_take(h, (const struct metrics *const[]){m}, 1, names, name_count, now_ms, wall_ms);
}

static void pass(uint64_t ms)
{
    now_ms += ms;
    wall_ms += (int64_t)ms;
    take();
}

/* Answered in `total_ms` for 1,000 nano-USD, where the reference would have cost 3,000. */
static void answer(const char *expert, unsigned times, uint64_t total_ms)
{
    const struct record_call call = {
        .expert = str_from(expert),
        .outcome = CALL_ANSWERED,
        .latency_ms = total_ms,
        .cost = {.nano_usd = 1000, .tokens = {.input = 6, .output = 4}}};
    const struct record r = {.id = "req_1",
                             .front = STR("chat"),
                             .policy = STR("p"),
                             .expert = call.expert,
                             .plan = STR("single"),
                             .outcome = REQUEST_ANSWERED,
                             .http_status = 200,
                             .cost = call.cost,
                             .reference_nano_usd = 3000,
                             .first_token_ms = (int64_t)total_ms / 2,
                             .total_ms = total_ms,
                             .calls = &call,
                             .call_count = 1};
    for (unsigned i = 0; i < times; i++)
        metrics_ended(m, &r);
}

static struct history_rows rows(unsigned step_s, size_t points)
{
    struct history_rows ret;
    struct error err = {0};
    cr_assert_eq(history_copy(h, step_s, points, a, &ret, &err), OK, "%s", err.text);
    return ret;
}

static struct history_now read_now(struct history_expert experts[2])
{
    struct history_now now;
    history_read(h, names, 2, &now, experts);
    return now;
}

Test(history, before_the_first_sample_is_empty)
{
    struct history_expert experts[2];
    struct history_now now = read_now(experts);
    cr_assert_eq(now.at_ms, 0);
    cr_assert_eq(experts[0].p50_ms, HISTORY_MS_UNKNOWN);
    cr_assert_eq(rows(HISTORY_SHORT_S, 100).count, 0);
    take();
    now = read_now(experts);
    cr_assert_eq(now.at_ms, START);
    cr_assert_eq(now.requests_per_s, 0);
    cr_assert_eq(now.total.p50, HISTORY_MS_UNKNOWN);
    cr_assert_eq(now.period[HISTORY_DAY].requests, 0);
    cr_assert_eq(rows(HISTORY_LONG_S, 100).count, 0);
}

Test(history, steps_hold_what_was_counted_in_them)
{
    take();
    for (int i = 0; i < 12; i++) {
        answer("a", 1, 40);
        answer("b", i < 5 ? 2 : 0, 400);
        pass(1000);
    }
    struct history_rows r = rows(HISTORY_SHORT_S, 100);
    cr_assert_eq(r.count, 2);
    cr_assert_eq(r.from_ms, START);
    cr_assert_eq(r.steps[0].requests, 15);
    cr_assert_eq(r.steps[1].requests, 5);
    cr_assert_eq(r.steps[0].nano_usd, 15000);
    cr_assert_eq(r.steps[0].reference_nano_usd, 45000);
    cr_assert_eq(r.steps[0].failed, 0);
    cr_assert_eq(r.expert_count, 2);
    cr_assert_str_eq(r.names[0], "a");
    cr_assert_eq(r.answered[0][0], 5);
    cr_assert_eq(r.answered[1][0], 10);
    cr_assert_eq(r.answered[1][1], 0);
    cr_assert(r.steps[0].p50_ms > 250 && r.steps[0].p50_ms <= 500);
    cr_assert_leq(r.steps[1].p95_ms, 50);
    r = rows(HISTORY_SHORT_S, 1);
    cr_assert_eq(r.count, 1);
    cr_assert_eq(r.from_ms, START + 5000);
    cr_assert_eq(r.steps[0].requests, 5);
    cr_assert_eq(r.expert_count, 1); /* who has answered nothing is left out */
    cr_assert_eq(rows(HISTORY_LONG_S, 9).count, 0);
}

Test(history, rates_are_of_the_last_seconds)
{
    struct history_expert experts[2];
    take();
    for (int i = 0; i < 30; i++) {
        answer("a", i < 15 ? 7 : 3, 40);
        pass(1000);
    }
    struct history_now now = read_now(experts);
    cr_assert_float_eq(now.requests_per_s, 3, 1e-9);
    cr_assert_float_eq(now.tokens_per_s, 30, 1e-9);
    cr_assert_float_eq(now.usd_per_hour, 3000 * 3600 / 1e9, 1e-12);
    cr_assert_float_eq(experts[0].calls_per_s, 3, 1e-9);
    cr_assert_eq(experts[1].calls_per_s, 0);
    cr_assert_eq(experts[0].answered, 15 * 10);
    cr_assert_leq(experts[0].p50_ms, 50);
    for (int i = 0; i < HISTORY_RATE_S; i++)
        pass(1000);
    cr_assert_eq(read_now(experts).requests_per_s, 0);
    cr_assert_leq(read_now(experts).total.p99, 50);
    for (int i = 0; i < HISTORY_LATENCY_S + 35; i++)
        pass(1000);
    cr_assert_eq(read_now(experts).total.p50, HISTORY_MS_UNKNOWN);
    cr_assert_eq(read_now(experts).first_token.p95, HISTORY_MS_UNKNOWN);
    cr_assert_eq(read_now(experts).period[HISTORY_DAY].requests, 15 * 10);
    cr_assert_eq(experts[0].answered, 15 * 10);
}

/* Over the end of both rings: the last steps are there, in order, and nothing of before. */
Test(history, rings_go_round)
{
    unsigned minutes = HISTORY_LONG_STEPS + 17;
    take();
    for (unsigned i = 0; i < minutes * 12; i++) {
        answer("a", i / 12 == minutes - 1 ? 2 : 1, 40);
        pass(5000);
    }
    struct history_rows r = rows(HISTORY_LONG_S, 100000);
    cr_assert_eq(r.count, HISTORY_LONG_STEPS);
    cr_assert_eq(r.from_ms, wall_ms - HISTORY_LONG_STEPS * INT64_C(60000));
    for (size_t i = 0; i < r.count; i++)
        cr_assert_eq(r.answered[0][i], i + 1 == r.count ? 24 : 12, "step %zu", i);
    r = rows(HISTORY_SHORT_S, 100000);
    cr_assert_eq(r.count, HISTORY_SHORT_STEPS);
    cr_assert_eq(r.from_ms, wall_ms - HISTORY_SHORT_STEPS * INT64_C(5000));
    for (size_t i = 0; i < r.count; i++)
        cr_assert_eq(r.steps[i].requests, i + 12 >= r.count ? 2 : 1, "step %zu", i);
}

/* A loop that stood still, and one that did so for longer than the ring remembers. */
Test(history, a_standstill_is_steps_without_requests)
{
    take();
    answer("a", 3, 40);
    pass(23000);
    struct history_rows r = rows(HISTORY_SHORT_S, 100);
    cr_assert_eq(r.count, 4);
    cr_assert_eq(r.from_ms, START);
    cr_assert_eq(r.steps[0].requests, 3);
    for (size_t i = 1; i < 4; i++)
        cr_assert_eq(r.steps[i].requests + r.answered[0][i], 0);
    answer("a", 1, 40);
    pass(UINT64_C(400) * 86400000);
    r = rows(HISTORY_SHORT_S, HISTORY_SHORT_STEPS);
    cr_assert_eq(r.count, HISTORY_SHORT_STEPS);
    cr_assert_eq(r.steps[0].requests, 1);
    cr_assert_eq(r.steps[1].requests, 0);
    cr_assert(wall_ms - r.from_ms - HISTORY_SHORT_STEPS * INT64_C(5000) < 5000);
}

/* Days and months */

Test(history, periods_begin_at_midnight_utc)
{
    cr_assert_eq(history_period_begin(HISTORY_DAY, START), INT64_C(20000) * DAY_MS);
    cr_assert_eq(history_period_begin(HISTORY_DAY, START - 7 * 3600000), INT64_C(20000) * DAY_MS);
    cr_assert_eq(history_period_begin(HISTORY_DAY, START - 7 * 3600000 - 1),
                 INT64_C(19999) * DAY_MS);
    cr_assert_eq(history_period_begin(HISTORY_MONTH, START), INT64_C(19997) * DAY_MS);
    cr_assert_eq(history_period_begin(HISTORY_MONTH, INT64_C(1772323199999)), /* 2026-02-28 */
                 INT64_C(1769904000000));
    cr_assert_eq(history_period_begin(HISTORY_MONTH, INT64_C(1772323200000)),
                 INT64_C(1772323200000));
    cr_assert_eq(history_period_begin(HISTORY_DAY, -1), -DAY_MS);
}

Test(history, a_day_begins_anew_and_a_month_goes_on)
{
    const struct history_sum before = {
        .requests = 100, .failed = 7, .nano_usd = 5000, .reference_nano_usd = 9000};
    struct history_expert experts[2];
    take();
    answer("a", 2, 40);
    pass(1000);
    history_add_ledger(h, HISTORY_DAY, INT64_C(20000) * DAY_MS, &before);
    history_add_ledger(h, HISTORY_MONTH, INT64_C(19997) * DAY_MS, &before);
    history_add_ledger(h, HISTORY_MONTH, INT64_C(19997) * DAY_MS, &before); /* once is enough */
    struct history_now now = read_now(experts);
    cr_assert_eq(now.period[HISTORY_DAY].requests, 102);
    cr_assert_eq(now.period[HISTORY_DAY].failed, 7);
    cr_assert_eq(now.period[HISTORY_DAY].nano_usd, 7000);
    cr_assert_eq(now.period[HISTORY_MONTH].reference_nano_usd, 15000);
    cr_assert(now.has_ledger[HISTORY_DAY] && now.has_ledger[HISTORY_MONTH]);
    pass(17 * 3600000); /* past midnight */
    answer("a", 1, 40);
    pass(1000);
    now = read_now(experts);
    cr_assert_eq(now.period[HISTORY_DAY].requests, 1);
    cr_assert_eq(now.period[HISTORY_DAY].nano_usd, 1000);
    cr_assert_eq(now.period[HISTORY_MONTH].requests, 103);
    wall_ms -= DAY_MS; /* the clock is set back: the day does not begin again */
    pass(1000);
    cr_assert_eq(read_now(experts).period[HISTORY_DAY].requests, 1);
    wall_ms += 30 * DAY_MS;
    pass(1000);
    now = read_now(experts);
    cr_assert_eq(now.period[HISTORY_DAY].requests + now.period[HISTORY_MONTH].requests, 0);
    cr_assert(now.has_ledger[HISTORY_MONTH]);
}

/* The ledger says what it had of a day that is over meanwhile. */
Test(history, sums_of_an_earlier_day_come_too_late)
{
    const struct history_sum before = {.requests = 100};
    struct history_expert experts[2];
    take();
    cr_assert_not(read_now(experts).has_ledger[HISTORY_DAY]);
    pass(18 * 3600000);
    history_add_ledger(h, HISTORY_DAY, INT64_C(20000) * DAY_MS, &before);
    history_add_ledger(h, HISTORY_MONTH, INT64_C(19997) * DAY_MS, &before);
    struct history_now now = read_now(experts);
    cr_assert_eq(now.period[HISTORY_DAY].requests, 0);
    cr_assert_eq(now.period[HISTORY_MONTH].requests, 100);
}

/* Experts */

static char many[HISTORY_EXPERTS_MAX][NAME_BYTES_MAX + 1];

static void name_many(const char *prefix)
{
    name_count = HISTORY_EXPERTS_MAX;
    for (unsigned i = 0; i < HISTORY_EXPERTS_MAX; i++) {
        snprintf(many[i], sizeof(many[i]), "%s%0100u", prefix, i);
        names[i] = str_from(many[i]);
    }
}

static void check_many(const char *prefix, unsigned rounds)
{
    name_many(prefix);
    take();
    for (unsigned i = 0; i < HISTORY_EXPERTS_MAX; i++)
        answer(many[i], i % 7 + 1, 40);
    for (unsigned i = 0; i < rounds; i++)
        pass(1000);
    struct history_rows r = rows(HISTORY_SHORT_S, 1);
    cr_assert_eq(r.expert_count, HISTORY_EXPERTS_MAX);
    for (unsigned i = 0; i < HISTORY_EXPERTS_MAX; i++) {
        unsigned number = HISTORY_EXPERTS_MAX;
        cr_assert_eq(sscanf(r.names[i] + strlen(prefix), "%u", &number), 1);
        cr_assert_eq(r.answered[i][0], number % 7 + 1);
    }
}

/* Those of another configuration take the places of those that are gone, and bring nothing of theirs. */
Test(history, has_room_for_as_many_experts_as_there_may_be)
{
    struct history_expert experts[2];
    take();
    answer("a", 5, 40);
    pass(1000);
    check_many("one-", 4);
    check_many("two-", 5);
    check_many("one-", 5);
    names[0] = STR("a");
    names[1] = STR("b");
    name_count = 2;
    answer("a", 5, 40);
    pass(1000); /* it has its place again, and begins there */
    answer("a", 2, 40);
    pass(1000);
    read_now(experts);
    cr_assert_eq(experts[0].answered, 2);
    cr_assert(experts[0].calls_per_s > 0.19 && experts[0].calls_per_s < 0.3);
}

/* Percentiles */

Test(history, quantiles_lie_between_the_bounds_of_their_bucket)
{
    uint64_t counts[METRICS_SUMS_BUCKETS] = {0};
    cr_assert_eq(history_quantile(METRICS_SUMS_TOTAL, counts, 0.5), HISTORY_MS_UNKNOWN);
    counts[1] = 100; /* 50 to 100 ms */
    cr_assert_eq(history_quantile(METRICS_SUMS_TOTAL, counts, 0.5), 75);
    cr_assert_eq(history_quantile(METRICS_SUMS_TOTAL, counts, 1), 100);
    cr_assert_eq(history_quantile(METRICS_SUMS_TOTAL, counts, 0.01), 51);
    counts[3] = 100; /* 250 to 500 ms */
    cr_assert_eq(history_quantile(METRICS_SUMS_TOTAL, counts, 0.5), 100);
    cr_assert_eq(history_quantile(METRICS_SUMS_TOTAL, counts, 0.75), 375);
    size_t last = 0;
    while (metrics_sums_bound(METRICS_SUMS_TOTAL, last))
        last++;
    counts[last] = 1000; /* longer than the longest bound */
    cr_assert_eq(history_quantile(METRICS_SUMS_TOTAL, counts, 0.99),
                 metrics_sums_bound(METRICS_SUMS_TOTAL, last - 1));
}
