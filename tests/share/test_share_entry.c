/* Entries of streams: what is written is read alike, and what is none of ours is refused by name. */
#include "share/share_entry.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct share_call call = {.key = STR_INIT("cell/q 1/gpt"),
                                       .expert = STR_INIT("gpt"),
                                       .asked = UINT64_C(0xfedcba9876543210),
                                       .system = STR_INIT(""),
                                       .user = STR_INIT("What is\n3 + 4?"),
                                       .output_tokens = SHARE_NO_LIMIT,
                                       .most_nano_usd = 12};
static const struct share_result result = {.key = STR_INIT("cell/q 1/gpt"),
                                           .expert = STR_INIT("gpt"),
                                           .asked = 7,
                                           .paid = STR_INIT("req_1"),
                                           .end = SHARE_TOO_DEAR,
                                           .text = STR_INIT("sev\xc3\xa9n"),
                                           .http_status = 429,
                                           .basis = COST_ESTIMATED,
                                           .input_tokens = 1,
                                           .output_tokens = 2,
                                           .cost_nano_usd = INT64_MAX,
                                           .latency_ms = 4,
                                           .certainty = {true, 2.25f, 1.0f / 3, 9}};

Test(share_entry, a_call_comes_back)
{
    struct share_words w;
    struct share_call c;
    share_call_write(&call, &w);
    cr_assert_eq(share_call_parse(w.words, w.count, &c, NULL), OK);
    cr_assert(str_equal(c.key, call.key) && str_equal(c.expert, call.expert));
    cr_assert(c.asked == call.asked && c.system.len == 0 && str_equal(c.user, call.user));
    cr_assert(c.output_tokens == SHARE_NO_LIMIT && c.most_nano_usd == 12);
}

Test(share_entry, a_result_comes_back)
{
    struct share_words w;
    struct share_result r;
    share_result_write(&result, &w);
    cr_assert_eq(share_result_parse(w.words, w.count, &r, NULL), OK);
    cr_assert(str_equal(r.key, result.key) && str_equal(r.paid, result.paid));
    cr_assert(str_equal(r.text, result.text) && r.end == SHARE_TOO_DEAR && r.http_status == 429);
    cr_assert(r.basis == COST_ESTIMATED && r.cost_nano_usd == INT64_MAX && r.latency_ms == 4);
    cr_assert(r.input_tokens == 1 && r.output_tokens == 2 && r.asked == 7);
    cr_assert(r.certainty.known && r.certainty.mean == 2.25f && r.certainty.least == 1.0f / 3);
    struct share_result unknown = result;
    unknown.certainty = (struct certainty){0};
    share_result_write(&unknown, &w);
    cr_assert_eq(share_result_parse(w.words, w.count, &r, NULL), OK);
    cr_assert_not(r.certainty.known);
}

/* With the value of one name changed, or without it where `value` is NULL. */
static void refused(const char *name, const char *value)
{
    struct share_words w;
    struct share_result r = {.asked = 99};
    struct error err = {0};
    share_result_write(&result, &w);
    for (size_t i = 0; i < w.count; i += 2)
        if (str_equal(w.words[i], str_from(name)))
            w.words[value ? i + 1 : i] = str_from(value ? value : "other");
    cr_expect_eq(share_result_parse(w.words, w.count, &r, &err), ERR_INPUT, "%s=%s", name, value);
    cr_expect(strstr(err.text, name), "%s", err.text);
    cr_expect_eq(r.asked, 99u);
}

Test(share_entry, what_is_missing_or_malformed_is_said)
{
    static const char *const names[] = {
        "key",         "expert", "asked",        "paid",          "end",           "text",
        "http_status", "basis",  "input_tokens", "output_tokens", "cost_nano_usd", "latency_ms"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        refused(names[i], NULL);
    refused("certainty", "[1,2]");
    refused("certainty", "x");
    refused("asked", "7");
    refused("asked", "000000000000000G");
    refused("cost_nano_usd", "-1");
    refused("cost_nano_usd", "1e3");
    refused("http_status", "1000");
    refused("end", "done");
    refused("basis", "guess");
    refused("paid", "a\nb");
    refused("text", "\xff");
    refused("paid", "0123456789012345678901234567890123456789012345678");
}

Test(share_entry, names_of_runs)
{
    cr_assert(share_run_valid(STR("run-play.2026_1-0a")));
    cr_assert(!share_run_valid(STR("")) && !share_run_valid(STR(".a")));
    cr_assert(!share_run_valid(STR("a}b")) && !share_run_valid(STR("a b")));
}
