/* What a sampler reads of the counters: sums over workers, experts by their places, and nothing of others. */
#include <criterion/criterion.h>
#include <string.h>

#include "watch/metrics_sums.h"

static struct record record_of(const char *expert, enum request_outcome outcome, uint64_t total_ms)
{
    return (struct record){.id = "req_1",
                           .front = STR("chat"),
                           .policy = STR("p"),
                           .expert = str_from(expert),
                           .plan = STR("single"),
                           .outcome = outcome,
                           .http_status = outcome == REQUEST_ANSWERED ? 200 : 502,
                           .reference_nano_usd = 900,
                           .first_token_ms = outcome == REQUEST_ANSWERED ? 40 : -1,
                           .total_ms = total_ms};
}

static void count(struct metrics *m, const char *expert, enum request_outcome outcome,
                  uint64_t total_ms, int64_t nano_usd)
{
    struct record r = record_of(expert, outcome, total_ms);
    const struct record_call call = {
        .expert = r.expert,
        .outcome = outcome == REQUEST_ANSWERED ? CALL_ANSWERED : CALL_FAILED,
        .latency_ms = total_ms,
        .cost = {.nano_usd = nano_usd, .tokens = {.input = 10, .cached = 4, .output = 5}}};
    r.cost = call.cost;
    r.calls = &call;
    r.call_count = r.expert.len > 0;
    metrics_ended(m, &r);
}

Test(metrics_sums, add_up_over_workers)
{
    struct metrics *m[2] = {metrics_create(), metrics_create()};
    struct map *names = map_create(4);
    struct metrics_sums sums;
    struct metrics_expert_sums experts[2];
    cr_assert_eq(map_put(names, STR("a"), 1), OK);
    cr_assert_eq(map_put(names, STR("far"), 7), OK); /* no place for it */
    count(m[0], "a", REQUEST_ANSWERED, 60, 100);
    count(m[1], "a", REQUEST_ANSWERED, 999999999, 200);
    count(m[1], "a", REQUEST_FAILED, 10, 7);
    count(m[0], "far", REQUEST_ANSWERED, 10, 1);
    count(m[0], "unknown", REQUEST_CANCELLED, 10, 1);
    count(m[0], "", REQUEST_FAILED, 1, 0);
    metrics_rejected(m[1], 401);
    metrics_retried(m[0], STR("a"), true);
    metrics_retried(m[0], STR("a"), false);
    metrics_sum((const struct metrics *const *)m, 2, names, &sums, experts, 2);
    cr_assert_eq(sums.requests, 5);
    cr_assert_eq(sums.failed, 1);
    cr_assert_eq(sums.rejected, 2);
    cr_assert_eq(sums.retries, 2);
    cr_assert_eq(sums.tokens, 5 * 15);
    cr_assert_eq(sums.nano_usd, 309);
    cr_assert_eq(sums.saved_nano, 3 * 900 - 301);
    cr_assert_eq(experts[1].answered, 2);
    cr_assert_eq(experts[1].calls, 3);
    cr_assert_eq(experts[1].failed, 1);
    cr_assert_eq(experts[0].calls, 0);
    cr_assert_eq(sums.total[0], 3); /* up to 50 ms */
    cr_assert_eq(sums.total[1], 1);
    cr_assert_eq(sums.first_token[0], 3);
    size_t last = 0;
    while (metrics_sums_bound(METRICS_SUMS_TOTAL, last))
        last++;
    cr_assert_lt(last, METRICS_SUMS_BUCKETS);
    cr_assert_eq(sums.total[last], 1);
    cr_assert_eq(experts[1].call[last], 1);
    map_free(names);
    metrics_free(m[0]);
    metrics_free(m[1]);
}

Test(metrics_sums, of_nothing_are_nothing)
{
    struct metrics *m = metrics_create();
    struct map *names = map_create(1);
    struct metrics_sums sums, none = {0};
    metrics_sum((const struct metrics *const[]){m}, 1, names, &sums, NULL, 0);
    cr_assert_eq(memcmp(&sums, &none, sizeof(sums)), 0);
    map_free(names);
    metrics_free(m);
}
