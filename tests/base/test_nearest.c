/* Which word may have been meant, and when none is near enough. */
#include "base/nearest.h"

#include <criterion/criterion.h>

static const char *const names[] = {"lambda", "budget", "max_cost", "eval"};

static const char *nearest(const char *word)
{
    const char *found = str_nearest(str_from(word), names, sizeof(names) / sizeof(names[0]));
    return found ? found : "";
}

Test(nearest, within_two_edits)
{
    cr_expect_str_eq(nearest("lamda"), "lambda");
    cr_expect_str_eq(nearest("bugdet"), "budget");
    cr_expect_str_eq(nearest("maxcost"), "max_cost");
    cr_expect_str_eq(nearest("evla"), "eval");
    cr_expect_str_eq(nearest("route"), "");
    cr_expect_str_eq(nearest(""), "");
}

Test(nearest, words_too_long_have_none)
{
    char word[500];
    memset(word, 'x', sizeof(word));
    cr_expect_null(str_nearest((struct str){word, sizeof(word)}, names, 4));
}
