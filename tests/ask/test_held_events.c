/* Answers held back: event by event as they came, and the text in them. */
#include "ask/held_events.h"

#include <criterion/criterion.h>
#include <string.h>

#define DELTA(text)                                                                                \
    "{\"choices\":[{\"delta\":{\"content\":\"" text "\"}},{\"delta\":{\"content\":\"no\"}}]}"

static void expect_text(const struct held_events *k, const char *want)
{
    struct buf text;
    struct error err = {0};
    buf_init(&text, 4096);
    cr_assert_eq(held_events_text(k, &text, &err), OK, "%s", err.text);
    cr_expect_eq(text.len, strlen(want), "%zu bytes", text.len);
    cr_expect(str_equal(buf_str(&text), str_from(want)), "'%.*s'", STR_FMT(buf_str(&text)));
    buf_done(&text);
}

/* As expert/call.c tells it. */
static void add(struct held_events *h, const char *data, bool native)
{
    struct openai_reply reply = {0};
    struct expert_event event = {.name = native ? STR("message") : STR(""), .data = str_from(data)};
    event.done = strcmp(data, "[DONE]") == 0;
    if (openai_reply_read(event.data, &reply, NULL) == OK)
        event.reply = &reply;
    reply.has_content = native || reply.has_content;
    held_events_add(h, &event, native);
}

Test(held_events, events_come_back_as_they_were)
{
    static const char *const events[] = {DELTA("The \\u00e9"),
                                         "",
                                         "no JSON\nat all",
                                         DELTA("nd"),
                                         "{\"choices\":[]}",
                                         "{\"choices\":[{\"delta\":{}}]}",
                                         "[DONE]"};
    const size_t count = sizeof(events) / sizeof(events[0]);
    struct held_events k;
    struct openai_reply reply;
    struct expert_event event;
    size_t at = 0, seen = 0;
    held_events_init(&k, 4096);
    for (int round = 0; round < 2; round++) {
        held_events_clear(&k);
        for (size_t i = 0; i < count; i++)
            add(&k, events[i], false);
    }
    cr_assert_eq(k.bytes.status, OK);
    cr_expect(k.streamed);
    for (; held_events_next(&k, &at, &event, &reply); seen++) {
        cr_expect(str_equal(event.data, str_from(events[seen])), "'%.*s'", STR_FMT(event.data));
        cr_expect_eq(event.name.len, 0);
        cr_expect_eq(!event.reply, events[seen][0] != '{', "event %zu", seen);
        cr_expect_eq(event.done, seen == count - 1);
    }
    cr_expect_eq(seen, count);
    expect_text(&k, "The énd");
    held_events_done(&k);
}

Test(held_events, the_text_of_a_whole_answer)
{
    static const char *const rows[][2] = {
        {"{\"choices\":[{\"message\":{\"content\":\"a\\nb\"}},{\"message\":{\"content\":\"c\"}}]}",
         "a\nb"},
        {"{\"choices\":[{\"message\":{\"content\":[{\"type\":\"thinking\",\"thinking\":[]},"
         "{\"type\":\"text\",\"text\":\"It is B.\"}]}}]}",
         "It is B."},
        {"{\"choices\":[{\"message\":{\"content\":[{\"type\":\"thinking\",\"thinking\":[]}]}}]}",
         ""},
        {"{\"choices\":[{\"message\":{\"content\":null,\"tool_calls\":[{}]}}]}", ""},
        {"{\"choices\":[{\"message\":{\"content\":[{\"text\":\"x\"}]}}]}", ""},
        {"{\"choices\":[]}", ""},
        {"{\"choices\":7}", ""},
        {"{}", ""},
    };
    struct held_events k;
    held_events_init(&k, 4096);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        held_events_clear(&k);
        held_events_add_body(&k, str_from(rows[i][0]));
        cr_expect_not(k.streamed);
        expect_text(&k, rows[i][1]);
    }
    held_events_done(&k);
}

Test(held_events, too_much_is_noticed)
{
    struct held_events k;
    held_events_init(&k, 64);
    for (int i = 0; i < 10; i++)
        add(&k, "12345678", false);
    cr_expect_neq(buf_status(&k.bytes, NULL), OK);
    held_events_clear(&k);
    cr_expect_eq(buf_status(&k.bytes, NULL), OK);
    held_events_done(&k);
}

/* Its data does not say what it holds, so that is kept beside it; what points into the text points into the copy. */
Test(held_events, what_a_native_event_holds_is_kept)
{
    struct held_events k;
    struct openai_reply reply;
    struct expert_event event;
    size_t at = 0;
    held_events_init(&k, 4096);
    add(&k, "{\"type\":\"content_block_delta\",\"usage\":{\"a\":1}}", true);
    cr_assert(held_events_next(&k, &at, &event, &reply));
    cr_expect(str_equal(event.name, STR("message")));
    cr_assert_eq(event.reply, &reply);
    cr_expect(reply.has_content);
    cr_expect(reply.root.raw.ptr == event.data.ptr && reply.root.raw.len == event.data.len);
    cr_expect(str_equal(json_get(reply.root, "usage").raw, STR("{\"a\":1}")));
    cr_expect_not(held_events_next(&k, &at, &event, &reply));
    held_events_done(&k);
}

Test(held_events, what_was_read_is_found_wherever_it_stands_in_the_data)
{
    static const char data[] = " [{\"error\":{\"message\":\"no\"}}, 1]";
    struct held_events k;
    struct openai_reply reply;
    struct expert_event event;
    size_t at = 0;
    held_events_init(&k, 4096);
    add(&k, DELTA("The"), false);
    add(&k, data, true);
    cr_assert(held_events_next(&k, &at, &event, &reply));
    cr_assert(held_events_next(&k, &at, &event, &reply));
    cr_assert_eq(event.reply, &reply);
    cr_expect(reply.is_error);
    cr_expect_eq(reply.root.raw.ptr, event.data.ptr + 2);
    cr_expect(str_equal(reply.root.raw, STR("{\"error\":{\"message\":\"no\"}}")));
    held_events_done(&k);
}
