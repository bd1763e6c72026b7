/* What a judging expert is asked, and which of its replies say something. */
#include <criterion/criterion.h>
#include <string.h>

#include "verify/verify_scene.h"

static struct buf system_message, user;

static void setup(void)
{
    buf_init(&system_message, 1u << 20);
    buf_init(&user, 1u << 20);
}

static void teardown(void)
{
    buf_done(&system_message);
    buf_done(&user);
}

TestSuite(verify_expert, .init = setup, .fini = teardown);

static void ask(const struct verify_settings *s, const struct verify_input *input)
{
    buf_clear(&system_message);
    buf_clear(&user);
    verify_expert_ask(s, input, 0x1234, &system_message, &user);
    cr_assert_eq(buf_status(&system_message, NULL), OK);
    cr_assert_eq(buf_status(&user, NULL), OK);
}

Test(verify_expert, is_shown_what_it_judges_between_marks)
{
    struct verify_settings s = verify_settings_usual(VERIFY_EXPERT);
    const struct verify_input input = {.question = STR("2 + 2?"),
                                       .answer = STR("<think>hm</think>It is 4."),
                                       .tool_calls = scene_json("[{\"id\":\"c\"}]")};
    ask(&s, &input);
    cr_expect_str_eq(user.ptr, "[[begin question 0000000000001234]]\n2 + 2?\n"
                               "[[end question 0000000000001234]]\n"
                               "[[begin answer 0000000000001234]]\nIt is 4.\n"
                               "[[end answer 0000000000001234]]\n"
                               "[[begin calls of tools 0000000000001234]]\n[{\"id\":\"c\"}]\n"
                               "[[end calls of tools 0000000000001234]]\n"
                               "May the answer stand? End with the line of JSON.");
    cr_expect_not_null(strstr(system_message.ptr, "Is the answer correct"));
    s.rubric = STR("It must rhyme.");
    ask(&s, &input);
    cr_expect_not_null(strstr(system_message.ptr, "It must rhyme."));
    cr_expect_null(strstr(system_message.ptr, "Is the answer correct"));
}

static void reads(const char *reply, enum verify_verdict verdict, const char *why)
{
    struct verify_end end = {0};
    verify_expert_read(str_from(reply), &end);
    cr_expect_eq(end.verdict, verdict, "%s", reply);
    cr_expect_str_eq(end.why, why, "%s", reply);
}

Test(verify_expert, says_pass_or_fail)
{
    reads("{\"verdict\": \"pass\"}", VERIFY_PASS, "");
    reads("Fine.\n{\"verdict\": \"PASS\"}", VERIFY_PASS, "");
    reads("{\"verdict\": \"fail\", \"reason\": \"off by one\"}", VERIFY_REJECT, "off by one");
    reads("**Verdict: fail.**", VERIFY_REJECT, "");
    reads("<think>{\"verdict\": \"pass\"}</think>{\"verdict\": \"fail\"}", VERIFY_REJECT, "");
}

Test(verify_expert, that_says_neither_is_down)
{
    reads("", VERIFY_DOWN, "its reply has no verdict");
    reads("It passes.", VERIFY_DOWN, "its reply has no verdict");
    reads("{\"verdict\": \"maybe\"}", VERIFY_DOWN, "its reply has no verdict");
    reads("{\"verdict\": true}", VERIFY_DOWN, "its reply has no verdict");
}
