/* Other names for models. */
#include <criterion/criterion.h>

#include "route/model_alias.h"

static const struct model_alias aliases[] = {
    {STR_INIT("*"), 0, SIZE_MAX},
    {STR_INIT("claude-*"), 1, SIZE_MAX},
    {STR_INIT("claude-opus-*"), 2, SIZE_MAX},
    {STR_INIT("claude-opus-4-8"), SIZE_MAX, 3},
    {STR_INIT("*-mini"), 4, SIZE_MAX},
    {STR_INIT("gpt-*-2*-mini"), 5, SIZE_MAX},
    {STR_INIT("a*b*a"), 6, SIZE_MAX},
};

static void expect_found(const char *name, size_t index)
{
    const struct model_alias *a =
        model_alias_find(aliases, sizeof(aliases) / sizeof(aliases[0]), str_from(name));
    cr_assert(a);
    cr_expect_eq((size_t)(a - aliases), index, "%s is %.*s", name, STR_FMT(a->pattern));
}

Test(model_alias, the_most_specific_wins)
{
    expect_found("claude-opus-4-8", 3);
    expect_found("claude-opus-4-8-20260101", 2);
    expect_found("claude-opus-", 2);
    expect_found("claude-opus", 1);
    expect_found("claude-haiku-4-5", 1);
    expect_found("claude-mini", 1); /* more letters than *-mini */
    expect_found("gpt-5-mini", 4);
    expect_found("gpt-5-2026-mini", 5);
    expect_found("gpt-5", 0);
    expect_found("", 0);
}

Test(model_alias, a_star_may_stand_for_much_or_nothing)
{
    expect_found("aba", 6);
    expect_found("aaabbbabaXa", 6);
    expect_found("aab", 0);
    expect_found("*", 0);
}

Test(model_alias, none)
{
    cr_assert_null(model_alias_find(aliases + 1, 2, STR("gpt-5")));
    cr_assert_null(model_alias_find(NULL, 0, STR("gpt-5")));
}
