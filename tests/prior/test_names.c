/* Which names of models are taken for the same model. */
#include "prior/names.h"

#include <criterion/criterion.h>

static int agreement(const char *a, const char *b)
{
    struct arena *arena = arena_create(1 << 16);
    int agreed =
        name_agreement(name_canonical(arena, str_from(a)), name_canonical(arena, str_from(b)));
    arena_free(arena);
    return agreed;
}

Test(names, are_the_same_whatever_stands_around_them)
{
    cr_assert_eq(agreement("openai/GPT-4o-2024-05-13", "gpt-4o-2024-05-13"), 3);
    cr_assert_eq(agreement("gpt-4o-2024-05-13-FC", "gpt-4o-2024-05-13"), 3);
    cr_assert_eq(agreement("claude-3-5-sonnet-20240620", "claude-3.5-sonnet-20240620"), 3);
    cr_assert_eq(agreement("open-mixtral-8x7b", "mistralai/Mixtral_8x7B"), 3);
    cr_assert_eq(agreement("gemini-pro-1.5-002", "gemini-1.5-pro-002"), 3);
}

Test(names, agree_but_for_a_date)
{
    cr_assert_eq(agreement("gpt-4o", "gpt-4o-2024-05-13"), 2);
    cr_assert_eq(agreement("claude-3-haiku", "claude-3-haiku-20240307"), 2);
    cr_assert_eq(agreement("gpt-4-0613", "gpt-4-1106-preview"), 2);
    cr_assert_eq(agreement("gemini-1.5-flash-latest", "gemini-1.5-flash-002"), 2);
}

Test(names, agree_but_for_being_taught_to_chat)
{
    cr_assert_eq(agreement("llama-3-8b", "meta-llama/Llama-3-8B-Instruct"), 1);
    cr_assert_eq(agreement("qwen1.5-72b-chat", "Qwen1.5-72B"), 1);
}

Test(names, of_other_models_do_not_agree)
{
    cr_assert_eq(agreement("gpt-4o", "gpt-4o-mini"), 0);
    cr_assert_eq(agreement("llama-3-8b", "llama-3-70b"), 0);
    cr_assert_eq(agreement("llama-3-70b", "llama-3.1-70b"), 0);
    cr_assert_eq(agreement("o1-mini", "o1-preview-2024-09-12"), 0);
    cr_assert_eq(agreement("mixtral-8x7b", "mixtral-8x22b"), 0);
}
