/* A record's rows: every figure lands in its column, calls are listed where they say more than the row. */
#include "watch/record_ledger.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/json.h"
#include "watch/trace_context.h"
#include "watch_test.h"

TestSuite(record_ledger, .init = watch_test_begin, .fini = watch_test_end, .timeout = 60);

static struct record sample(const char *id)
{
    return (struct record){
        .id = id,
        .begin_wall_ms = 77,
        .front = STR("messages"),
        .model = STR("leeroo/thrift"),
        .policy = STR("thrift"),
        .expert = STR("cheap"),
        .plan = STR("single"),
        .stream = true,
        .quality = 0.5,
        .lambda = 3,
        .predicted_nano_usd = 11,
        .reference_nano_usd = 12,
        .decision = STR("{}"),
        .outcome = REQUEST_FAILED,
        .http_status = 502,
        .cost = {.basis = COST_ESTIMATED, .nano_usd = 13, .tokens = {14, 15, 16, 0, 17, 18}},
        .attempts = 2,
        .first_token_ms = 19,
        .total_ms = 20,
        .problem = "no"};
}

static struct ledger_found written(const struct record *r)
{
    struct ledger_found found = {0};
    record_ledger_begin(watch_test_ledger, r);
    record_ledger_end(watch_test_ledger, r);
    cr_assert_eq(watch_test_read(r->id, &found), OK);
    return found;
}

Test(record_ledger, a_traced_request_is_found_by_its_trace)
{
    const struct trace trace = {.on = true, .id_high = 0xab, .id_low = 1, .span = 2}, off = {0};
    char big[LEDGER_DECISION_BYTES_MAX];
    struct record r = sample("req_a");
    r.trace = &trace;
    cr_expect(str_equal(written(&r).decision,
                        STR("{\"trace_id\":\"00000000000000ab0000000000000001\"}")));
    r.id = "req_b";
    r.decision = STR("{\"quality\":1}");
    cr_expect(str_equal(written(&r).decision, STR("{\"quality\":1,\"trace_id\":"
                                                  "\"00000000000000ab0000000000000001\"}")));
    r.id = "req_c";
    r.trace = &off;
    cr_expect(str_equal(written(&r).decision, STR("{\"quality\":1}")));
    r.id = "req_d"; /* there is no room for it */
    r.trace = &trace;
    memset(big, ' ', sizeof(big));
    big[0] = '{';
    big[sizeof(big) - 1] = '}';
    r.decision = (struct str){big, sizeof(big)};
    cr_expect(str_equal(written(&r).decision, r.decision));
}

Test(record_ledger, every_figure_has_its_column)
{
    const struct record_call call = {.expert = STR("cheap"),
                                     .cost = {.basis = COST_ESTIMATED, .nano_usd = 13}};
    struct record r = sample("req_a");
    r.calls = &call;
    r.call_count = 1;
    struct ledger_found f = written(&r);
    cr_expect(str_equal(f.front, STR("messages")));
    cr_expect(str_equal(f.outcome, STR("failed")));
    cr_expect(str_equal(f.basis, STR("estimated")));
    cr_expect(str_equal(f.policy, STR("thrift")));
    cr_expect(str_equal(f.problem, STR("no")));
    cr_expect(str_equal(f.decision, STR("{}")));
    cr_expect(f.begin_ms == 77 && f.predicted_nano_usd == 11 && f.reference_nano_usd == 12);
    cr_expect(f.cost_nano_usd == 13 && f.input_tokens == 14 && f.cached_tokens == 15);
    cr_expect(f.cache_write_tokens == 16 && f.output_tokens == 17 && f.reasoning_tokens == 18);
    cr_expect(f.attempts == 2 && f.first_token_ms == 19 && f.total_ms == 20 && f.stream);
    cr_expect_eq(f.calls.len, 0, "one call, and the row says all of it");
}

Test(record_ledger, several_calls_are_listed)
{
    const struct record_call calls[] = {
        {.expert = STR("a"),
         .outcome = CALL_CANCELLED,
         .cost = {.basis = COST_ESTIMATED, .nano_usd = 6, .tokens = {1, 2, 3, 0, 4, 5}},
         .latency_ms = 9,
         .hedge = true},
        {.expert = STR("cheap"),
         .outcome = CALL_ANSWERED,
         .cost = {.basis = COST_USAGE, .nano_usd = 7},
         .begin_ms = 3,
         .latency_ms = 8}};
    struct record r = sample("req_b");
    struct json_value list, item;
    r.calls = calls;
    r.call_count = 2;
    struct ledger_found f = written(&r);
    cr_assert_eq(json_parse(f.calls, "calls", 1, &list, NULL), OK);
    struct json_iter it = json_iter_begin(list);
    cr_assert(json_array_next(&it, &item));
    cr_expect(str_equal(json_get(item, "cost_nano_usd").raw, STR("6")));
    cr_expect(str_equal(json_get(item, "reasoning_tokens").raw, STR("5")));
    cr_expect(str_equal(json_get(item, "hedge").raw, STR("true")));
    cr_expect(json_string_equal(json_get(item, "outcome"), STR("cancelled")));
    cr_assert(json_array_next(&it, &item));
    cr_expect(json_string_equal(json_get(item, "basis"), STR("usage")));
    cr_expect_not(json_array_next(&it, &item));
}

Test(record_ledger, nobody_chosen_is_no_row)
{
    struct record r = sample("req_c");
    struct ledger_found found;
    r.expert = STR("");
    record_ledger_begin(watch_test_ledger, &r);
    record_ledger_end(watch_test_ledger, &r);
    cr_assert_eq(watch_test_read("req_c", &found), ERR_NOT_FOUND);
}

/* Eight members and as many checks, each with all that it may say: the words go, the money stays. */
Test(record_ledger, long_reasons_do_not_cost_the_list_its_sums)
{
    static char why[201];
    struct record_call calls[16];
    struct json_value list, call;
    int64_t sum = 0, cost;
    memset(why, '"', sizeof(why) - 1); /* each two bytes in JSON */
    for (size_t i = 0; i < 16; i++) {
        bool check = i % 2;
        calls[i] = (struct record_call){.expert = STR("an-expert-with-a-name-of-some-length"),
                                        .cost = {.basis = COST_USAGE, .nano_usd = 7},
                                        .verdict = check ? "rejected" : NULL,
                                        .checked = STR("an-expert-with-a-name-of-some-length"),
                                        .why = str_from(why)};
    }
    struct record r = sample("req_long");
    r.calls = calls;
    r.call_count = 16;
    struct ledger_found f = written(&r);
    cr_assert_eq(json_parse(f.calls, "calls", 1, &list, NULL), OK);
    struct json_iter it = json_iter_begin(list);
    while (json_array_next(&it, &call)) {
        cr_assert_eq(json_to_int64(json_get(call, "cost_nano_usd"), &cost), OK);
        sum += cost;
    }
    cr_expect_eq(sum, 16 * 7);
    r.id = "req_short";
    r.call_count = 2;
    f = written(&r);
    cr_expect_neq(str_find(f.calls, STR("\\\"\\\""), 0), SIZE_MAX);
}
