/* Kin by name. */
#include "judge/family.h"

#include <criterion/criterion.h>

static bool kin(const char *a, const char *b)
{
    return judge_same_family(str_from(a), str_from(b));
}

Test(family, a_provider_and_a_version_do_not_part_kin)
{
    cr_expect(kin("openai/gpt-4o", "gpt-4.1-mini"));
    cr_expect(kin("azure/openai/GPT-4o", "o3-mini"));
    cr_expect(kin("mixtral-8x7b", "mathstral-7b"));
    cr_expect(kin("meta/llama-3.1-8b", "llama3"));
    cr_expect(kin("gemini-1.5-flash", "gemma-7b"));
}

Test(family, strangers_are_none)
{
    cr_expect_not(kin("gpt-4o", "claude-sonnet-4"));
    cr_expect_not(kin("qwen1.5-72b", "yi-34b"));
    cr_expect_not(kin("7b", "13b"));
    cr_expect_not(kin("", "gpt"));
}
