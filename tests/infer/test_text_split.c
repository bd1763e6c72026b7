/* Texts in pieces, of every way to cut them: what is told never holds a stop string, a mark or half a character. */
#include "infer/text_split.h"

#include <criterion/criterion.h>
#include <string.h>

struct told {
    struct buf text, calls;
};

static void on_text(void *user, struct str text)
{
    struct told *t = user;
    cr_expect(utf8_valid(text), "half a character: %.*s", STR_FMT(text));
    cr_expect_gt(text.len, 0);
    buf_add(&t->text, text);
}

static void on_call(void *user, struct str call)
{
    struct told *t = user;
    buf_add_char(&t->calls, '[');
    buf_add(&t->calls, call);
    buf_add_char(&t->calls, ']');
}

/* In pieces of `size` bytes. Returns whether it was stopped. */
static bool split(const char *whole, size_t size, bool calls, struct told *t, const char *stop)
{
    struct text_split s = {.calls = calls, .user = t, .on_text = on_text, .on_call = on_call};
    struct str all = str_from(whole);
    bool stopped = false;
    buf_init(&t->text, 10000);
    buf_init(&t->calls, 10000);
    if (stop)
        s.stops[s.stop_count++] = str_from(stop);
    s.stops[s.stop_count++] = STR("###");
    text_split_init(&s);
    for (size_t at = 0; at < all.len && !stopped; at += size)
        stopped = text_split_add(&s, str_slice(all, at, at + size));
    text_split_end(&s);
    text_split_done(&s);
    return stopped;
}

static void expect(const char *whole, bool calls, const char *stop, const char *text,
                   const char *called, bool stopped)
{
    for (size_t size = 1; size <= strlen(whole) + 1; size++) {
        struct told t;
        cr_expect_eq(split(whole, size, calls, &t, stop), stopped, "%s by %zu", whole, size);
        cr_expect(str_equal(buf_str(&t.text), str_from(text)), "%s by %zu: %.*s", whole, size,
                  STR_FMT(buf_str(&t.text)));
        cr_expect(str_equal(buf_str(&t.calls), str_from(called)), "%s by %zu: %.*s", whole, size,
                  STR_FMT(buf_str(&t.calls)));
        buf_done(&t.text);
        buf_done(&t.calls);
    }
}

Test(text_split, text_passes_as_it_is)
{
    expect("Grüße, 世界 😀!", false, NULL, "Grüße, 世界 😀!", "", false);
    expect("a # b ## c", false, NULL, "a # b ## c", "", false);
}

Test(text_split, nothing_of_a_stop_string_is_told)
{
    expect("one\n\ntwo", false, "\n\n", "one", "", true);
    expect("ab#abc", false, "abc", "ab#", "", true);
    expect("aaab", false, "aab", "a", "", true);
    expect("stop###here", false, "here", "stop", "", true);
    expect("###", false, NULL, "", "", true);
}

Test(text_split, calls_are_told_apart_from_text)
{
    expect("Well.<tool_call>\n{1}\n</tool_call>\n<tool_call>{2}</tool_call>", true, NULL, "Well.",
           "[\n{1}\n][{2}]", false);
    expect("<tool_call>x</tool_call> and", true, NULL, "and", "[x]", false);
    expect("a<tool_call>{1}</tool_call>", false, NULL, "a<tool_call>{1}</tool_call>", "", false);
}

Test(text_split, a_call_without_end_is_a_text)
{
    expect("a<tool_call>{1}</tool", true, NULL, "a<tool_call>{1}</tool", "", false);
    expect("a<tool_", true, NULL, "a<tool_", "", false);
}

Test(text_split, stop_strings_do_not_end_calls)
{
    expect("<tool_call>###</tool_call>", true, NULL, "", "[###]", false);
}

Test(text_split, what_stands_behind_a_mark_is_taken_back)
{
    struct told t;
    struct text_split s = {.calls = true, .user = &t, .on_text = on_text, .on_call = on_call};
    buf_init(&t.text, 100);
    buf_init(&t.calls, 100);
    text_split_init(&s);
    cr_expect(!text_split_add(&s, STR("Hm<tool_ca")));
    cr_expect(!s.in_call);
    cr_expect(!text_split_add(&s, STR("ll>\n{")));
    cr_assert(s.in_call);
    cr_assert_eq(text_split_behind_mark(&s), 2);
    text_split_take_back(&s, 2);
    cr_expect_eq(text_split_behind_mark(&s), 0);
    cr_expect(!text_split_add(&s, STR("{}</tool_call>")));
    cr_expect_str_eq(t.text.ptr, "Hm");
    cr_expect_str_eq(t.calls.ptr, "[{}]");
    text_split_done(&s);
    buf_done(&t.text);
    buf_done(&t.calls);
}
