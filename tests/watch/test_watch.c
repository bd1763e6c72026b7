/* Records told without a gateway: with a ledger and the log alone, as by whatever asks experts for itself. */
#include "watch/watch.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "watch/metrics_count.h"
#include "watch/metrics_write.h"
#include "watch_test.h"

TestSuite(watch, .init = watch_test_begin, .fini = watch_test_end, .timeout = 60);

static struct record question(const char *id, const char *expert, const char *plan)
{
    return (struct record){.id = id,
                           .begin_wall_ms = 1790000000000,
                           .front = STR("play"),
                           .model = STR("leeroo"),
                           .policy = STR("best"),
                           .expert = str_from(expert),
                           .plan = str_from(plan),
                           .quality = 0.5,
                           .predicted_nano_usd = 900,
                           .reference_nano_usd = 4000,
                           .first_token_ms = -1};
}

static void tell(const struct watch *w, struct record *r, const struct record_call *calls,
                 size_t count)
{
    watch_begin(w, r);
    r->outcome = REQUEST_ANSWERED;
    r->http_status = 200;
    r->calls = calls;
    r->call_count = count;
    r->attempts = (unsigned)count;
    r->total_ms = 70;
    for (size_t i = 0; i < count; i++)
        cost_add(&r->cost, &calls[i].cost);
    watch_end(w, r);
}

static void has_second_call(const struct ledger_found *found)
{
    struct json_value list, first, second, none;
    cr_assert_eq(json_parse(found->calls, "calls", 1, &list, NULL), OK);
    struct json_iter it = json_iter_begin(list);
    cr_assert(json_array_next(&it, &first));
    cr_expect(json_string_equal(json_get(first, "expert"), STR("cheap")));
    cr_expect(json_string_equal(json_get(first, "outcome"), STR("failed")));
    cr_assert(json_array_next(&it, &second));
    cr_expect(json_string_equal(json_get(second, "expert"), STR("dear")));
    cr_expect(str_equal(json_get(second, "cost_nano_usd").raw, STR("2000")));
    cr_expect(str_equal(json_get(second, "input_tokens").raw, STR("20")));
    cr_expect_not(json_array_next(&it, &none));
}

Test(watch, a_ledger_alone_gets_rows_calls_and_spending)
{
    const struct record_call one[] = {
        {.expert = STR("cheap"),
         .outcome = CALL_ANSWERED,
         .cost = {.basis = COST_USAGE, .nano_usd = 500, .tokens = {.input = 10, .output = 5}}}};
    const struct record_call two[] = {
        {.expert = STR("cheap"),
         .outcome = CALL_FAILED,
         .cost = {.basis = COST_ESTIMATED, .nano_usd = 7, .tokens = {.input = 20}}},
        {.expert = STR("dear"),
         .outcome = CALL_ANSWERED,
         .begin_ms = 30,
         .cost = {.basis = COST_USAGE, .nano_usd = 2000, .tokens = {.input = 20, .output = 9}}}};
    const struct watch w = {.ledger = watch_test_ledger};
    struct record a = question("req_a", "cheap", "single");
    struct record b = question("req_b", "dear", "cascade(cheap->dear)");
    struct ledger_found found;
    tell(&w, &a, one, 1);
    tell(&w, &b, two, 2);
    cr_assert_eq(watch_test_read("req_a", &found), OK);
    cr_expect(str_equal(found.front, STR("play")));
    cr_expect(str_equal(found.outcome, STR("answered")));
    cr_expect_eq(found.cost_nano_usd, 500);
    cr_expect_eq(found.calls.len, 0);
    cr_assert_eq(watch_test_read("req_b", &found), OK);
    cr_expect(str_equal(found.expert, STR("dear")));
    cr_expect(str_equal(found.basis, STR("estimated")), "the weaker basis of the two");
    cr_expect_eq(found.cost_nano_usd, 2007);
    has_second_call(&found);
    struct spend sum = watch_test_spend();
    cr_expect_eq(sum.requests, 2);
    cr_expect_eq(sum.open, 0);
    cr_expect_eq(sum.cost_nano_usd, 2507);
    cr_expect_eq(sum.reference_nano_usd, 8000);
}

Test(watch, nobody_need_be_told)
{
    const struct watch w = {0};
    struct record r = question("req_a", "cheap", "single");
    tell(&w, &r, NULL, 0);
    watch_retried(&w, STR("cheap"), true);
    watch_rejected(&w, 401);
}

Test(watch, metrics_hear_of_decisions_and_ends)
{
    struct metrics *m = metrics_create();
    const struct watch w = {.metrics = m};
    struct record r = question("req_a", "cheap", "single");
    struct buf page;
    buf_init(&page, 1u << 20);
    tell(&w, &r, NULL, 0);
    watch_retried(&w, STR("cheap"), false);
    watch_rejected(&w, 401);
    cr_assert_eq(metrics_write((const struct metrics *const[]){m}, 1, &page), OK);
    static const char *const lines[] = {
        "\nleeroo_decisions_total{policy=\"best\",expert=\"cheap\",plan=\"single\"} 1\n",
        ("\nleeroo_requests_total{policy=\"best\",expert=\"cheap\",plan=\"single\",front=\"play\","
         "outcome=\"answered\",code=\"200\"} 1\n"),
        "\nleeroo_failovers_total{expert=\"cheap\"} 1\n",
        "\nleeroo_rejected_requests_total{code=\"401\"} 1\n"};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        cr_expect(strstr(page.ptr, lines[i]), "%s", lines[i]);
    buf_done(&page);
    metrics_free(m);
}
