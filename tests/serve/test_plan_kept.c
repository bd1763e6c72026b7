/* Answers held back: event by event as they came, and the text in them. */
#include "serve/plan_kept.h"

#include <criterion/criterion.h>
#include <string.h>

#define DELTA(text)                                                                                \
    "{\"choices\":[{\"delta\":{\"content\":\"" text "\"}},{\"delta\":{\"content\":\"no\"}}]}"

static void expect_text(const struct plan_kept *k, const char *want)
{
    struct buf text;
    struct error err = {0};
    buf_init(&text, 4096);
    cr_assert_eq(plan_kept_text(k, &text, &err), OK, "%s", err.text);
    cr_expect_eq(text.len, strlen(want), "%zu bytes", text.len);
    cr_expect(str_equal(buf_str(&text), str_from(want)), "'%.*s'", STR_FMT(buf_str(&text)));
    buf_done(&text);
}

Test(plan_kept, events_come_back_as_they_were)
{
    static const char *const events[] = {DELTA("The \\u00e9"),
                                         "",
                                         "no JSON\nat all",
                                         DELTA("nd"),
                                         "{\"choices\":[]}",
                                         "{\"choices\":[{\"delta\":{}}]}",
                                         "[DONE]"};
    const size_t count = sizeof(events) / sizeof(events[0]);
    struct plan_kept k;
    struct str data;
    size_t at = 0, seen = 0;
    plan_kept_init(&k, 4096);
    for (int round = 0; round < 2; round++) {
        plan_kept_clear(&k);
        for (size_t i = 0; i < count; i++)
            plan_kept_add_event(&k, str_from(events[i]));
    }
    cr_assert_eq(k.bytes.status, OK);
    cr_expect(k.streamed);
    for (; plan_kept_next_event(&k, &at, &data); seen++)
        cr_expect(str_equal(data, str_from(events[seen])), "'%.*s'", STR_FMT(data));
    cr_expect_eq(seen, count);
    expect_text(&k, "The énd");
    plan_kept_done(&k);
}

Test(plan_kept, the_text_of_a_whole_answer)
{
    static const char *const rows[][2] = {
        {"{\"choices\":[{\"message\":{\"content\":\"a\\nb\"}},{\"message\":{\"content\":\"c\"}}]}",
         "a\nb"},
        {"{\"choices\":[{\"message\":{\"content\":null,\"tool_calls\":[{}]}}]}", ""},
        {"{\"choices\":[{\"message\":{\"content\":[{\"text\":\"x\"}]}}]}", ""},
        {"{\"choices\":[]}", ""},
        {"{\"choices\":7}", ""},
        {"{}", ""},
    };
    struct plan_kept k;
    plan_kept_init(&k, 4096);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        plan_kept_clear(&k);
        plan_kept_add_body(&k, str_from(rows[i][0]));
        cr_expect_not(k.streamed);
        expect_text(&k, rows[i][1]);
    }
    plan_kept_done(&k);
}

Test(plan_kept, too_much_is_noticed)
{
    struct plan_kept k;
    plan_kept_init(&k, 64);
    for (int i = 0; i < 10; i++)
        plan_kept_add_event(&k, STR("12345678"));
    cr_expect_neq(buf_status(&k.bytes, NULL), OK);
    plan_kept_clear(&k);
    cr_expect_eq(buf_status(&k.bytes, NULL), OK);
    plan_kept_done(&k);
}
