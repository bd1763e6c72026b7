/* Texts without their thoughts. */
#include "judge/thought.h"

#include <criterion/criterion.h>

static void leaves(const char *text, const char *wanted)
{
    struct str got = judge_behind_thought(str_from(text));
    cr_expect(str_equal(got, str_from(wanted)), "'%.*s' of: %s", STR_FMT(got), text);
}

Test(thought, what_is_behind_counts)
{
    leaves("<think>a</think>b", "b");
    leaves("a</think>b", "b");
    leaves("<think>a</think>b<think>c</think>d", "d");
    leaves("<Thinking>a</THINKING>b", "b");
    leaves("[THINK]a[/THINK]b", "b");
    leaves("<|channel|>analysis<|message|>a<|end|><|channel|>final<|message|>b", "b");
    leaves("\u25c1think\u25b7a\u25c1/think\u25b7b", "b");
}

Test(thought, what_was_cut_off_says_nothing)
{
    leaves("<think>a", "");
    leaves("  <think>a", "  ");
    leaves("<think>a</think>b\n<think>c", "b\n");
}

Test(thought, marks_that_are_shown_are_none)
{
    leaves("```\n<think>\n```\nb", "```\n<think>\n```\nb");
    leaves("b\n```\n<think>a</think>\n```\n", "b\n```\n<think>a</think>\n```\n");
    leaves("b, without `</think>`.", "b, without `</think>`.");
    leaves("<think>a `</think>` a</think>b", "b");
    leaves("<think>```c\na</think>b", "b");
    leaves("<think>`a`</think>`b`", "`b`");
}

Test(thought, texts_without_any_are_as_they_were)
{
    leaves("", "");
    leaves("a < b", "a < b");
    leaves("Write <think> in front of it.", "Write <think> in front of it.");
    leaves("a <thinker> b", "a <thinker> b");
}
