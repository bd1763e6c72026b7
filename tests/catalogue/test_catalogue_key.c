/* Spelling that does not matter, and what is cut off. */
#include <criterion/criterion.h>
#include <string.h>

#include "catalogue/catalogue_int.h"

static void key_is(const char *name, const char *expected)
{
    char key[CATALOGUE_KEY_BYTES];
    cr_assert(catalogue_key(key, str_from(name)), "%s", name);
    cr_expect_str_eq(key, expected, "%s gave %s", name, key);
}

Test(catalogue_key, spelling)
{
    key_is("GPT-4o", "gpt4o");
    key_is("openai/gpt-4.1", "gpt4.1");
    key_is("claude-3-5-sonnet", "claude3.5sonnet");
    key_is("claude-3.5-sonnet", "claude3.5sonnet");
    key_is("llama3.1:8b", "llama3.1.8b");
    key_is("Meta-Llama-3.1-8B", "llama3.1.8b");
    key_is("accounts/fireworks/models/llama-v3p1-8b", "llama3.1.8b");
    key_is("C:\\models\\phi-4", "phi4");
    key_is("mistral-7b-v0.1", "mistral7b0.1");
}

/* "3.18b" and "3.1-8b" are not the same, and neither are "41" and "4.1". */
Test(catalogue_key, digits_stay_apart)
{
    key_is("llama-3.18b", "llama3.18b");
    key_is("gpt-41", "gpt41");
}

Test(catalogue_key, refused)
{
    char key[CATALOGUE_KEY_BYTES], longest[CATALOGUE_NAME_BYTES_MAX + 2];
    memset(longest, 'a', sizeof(longest));
    cr_expect_not(catalogue_key(key, STR("")));
    cr_expect_not(catalogue_key(key, STR("---")));
    cr_expect_not(catalogue_key(key, STR("gpt-4o\n")));
    cr_expect_not(catalogue_key(key, STR("gpt-4\xc3\xb6")));
    cr_expect_not(catalogue_key(key, (struct str){longest, CATALOGUE_NAME_BYTES_MAX + 1}));
    cr_expect(catalogue_key(key, (struct str){longest, CATALOGUE_NAME_BYTES_MAX}));
}

static void stripped_is(const char *name, const char *expected)
{
    struct str s = str_from(name);
    for (unsigned step = 0; catalogue_name_strip(&s, step); step++)
        ;
    cr_expect(str_equal(s, str_from(expected)), "%s gave %.*s", name, STR_FMT(s));
}

Test(catalogue_key, stripped)
{
    stripped_is("gpt-4o-2024-08-06", "gpt-4o");
    stripped_is("claude-3-5-sonnet@20241022", "claude-3-5-sonnet");
    stripped_is("claude-3-5-sonnet-latest", "claude-3-5-sonnet");
    stripped_is("llama3:latest", "llama3");
    stripped_is("anthropic.claude-3-haiku-20240307-v1:0", "claude-3-haiku");
    stripped_is("global.anthropic.claude-opus-5", "claude-opus-5");
    stripped_is("phi-4-Q4_K_M.gguf", "phi-4");
    stripped_is("llama3.1:8b-instruct-q4_K_M", "llama3.1:8b-instruct");
    stripped_is("Qwen2.5-7B-Instruct-UD-IQ3_XXS.gguf", "Qwen2.5-7B-Instruct");
    stripped_is("Mixtral-8x7B-Instruct.Q8_0-00001-of-00002.gguf", "Mixtral-8x7B-Instruct");
}

/* What may cost something else stays. */
Test(catalogue_key, kept)
{
    stripped_is("gpt-4-1106-preview", "gpt-4-1106-preview");
    stripped_is("us.anthropic.claude-opus-5", "us.anthropic.claude-opus-5");
    stripped_is("gpt-4o:free", "gpt-4o:free");
    stripped_is("2024-08-06", "2024-08-06");
    stripped_is("q4", "q4");
    stripped_is(".gguf", ".gguf");
    stripped_is("", "");
}
