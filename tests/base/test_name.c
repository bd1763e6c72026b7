/* Names: one rule for data sets and configurations. */
#include "base/name.h"

#include <criterion/criterion.h>
#include <string.h>

Test(name, of_an_expert)
{
    static const char *const right[] = {"a", "gpt-4o-2024-05-13", "org/model:free", "x+y@z_1.0",
                                        "v1..2"};
    static const char *const wrong[] = {"",       "GPT 4",    "a,b",  "caf\xc3\xa9", "a\n",
                                        "leeroo", "leeroo/x", "../a", "a/../b"};
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++)
        cr_expect_null(expert_name_mistake(str_from(right[i])), "%s", right[i]);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        cr_expect_not_null(expert_name_mistake(str_from(wrong[i])), "%s", wrong[i]);
}

Test(name, is_as_long_as_it_may_be)
{
    char text[NAME_BYTES_MAX + 1];
    memset(text, 'a', sizeof(text));
    cr_expect(name_is_plain((struct str){text, NAME_BYTES_MAX}, false));
    cr_expect_not(name_is_plain((struct str){text, NAME_BYTES_MAX + 1}, false));
}

Test(name, with_a_slash_only_where_it_may)
{
    cr_expect(name_is_plain(STR("a/b"), true));
    cr_expect_not(name_is_plain(STR("a/b"), false));
}
