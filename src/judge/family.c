/* Kin by name: see family.h. */
#include "judge/family.h"

/* Names under which one house has its models. */
static const struct {
    struct str stem, family;
} houses[] = {
    {STR_INIT("chatgpt"), STR_INIT("gpt")},       {STR_INIT("o"), STR_INIT("gpt")},
    {STR_INIT("davinci"), STR_INIT("gpt")},       {STR_INIT("codex"), STR_INIT("gpt")},
    {STR_INIT("gemma"), STR_INIT("gemini")},      {STR_INIT("codegemma"), STR_INIT("gemini")},
    {STR_INIT("palm"), STR_INIT("gemini")},       {STR_INIT("codellama"), STR_INIT("llama")},
    {STR_INIT("meta"), STR_INIT("llama")},        {STR_INIT("mixtral"), STR_INIT("mistral")},
    {STR_INIT("mathstral"), STR_INIT("mistral")}, {STR_INIT("codestral"), STR_INIT("mistral")},
    {STR_INIT("ministral"), STR_INIT("mistral")}, {STR_INIT("magistral"), STR_INIT("mistral")},
    {STR_INIT("devstral"), STR_INIT("mistral")},  {STR_INIT("pixtral"), STR_INIT("mistral")},
    {STR_INIT("open"), STR_INIT("mistral")},      {STR_INIT("qwq"), STR_INIT("qwen")},
    {STR_INIT("codeqwen"), STR_INIT("qwen")},     {STR_INIT("c"), STR_INIT("command")},
    {STR_INIT("sonnet"), STR_INIT("claude")},     {STR_INIT("haiku"), STR_INIT("claude")},
    {STR_INIT("opus"), STR_INIT("claude")},
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

struct str judge_family(struct str name)
{
    size_t from = name.len, to;
    while (from > 0 && name.ptr[from - 1] != '/')
        from--;
    for (to = from; to < name.len && is_letter(name.ptr[to]);)
        to++;
    const struct str stem = to > from ? str_slice(name, from, to) : str_slice(name, from, name.len);
    for (size_t i = 0; i < sizeof(houses) / sizeof(*houses); i++)
        if (str_equal_nocase(stem, houses[i].stem))
            return houses[i].family;
    return stem;
}

bool judge_same_family(struct str a, struct str b)
{
    return str_equal_nocase(judge_family(a), judge_family(b));
}
