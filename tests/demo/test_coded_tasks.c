/* What --verify tells keeps to 80 columns. */
#include "demo/coded.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void expect_wrapped(const char *text, int indent, const char *wanted)
{
    char *told = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&told, &len);
    cr_assert_not_null(out);
    coded_wrap(out, indent, str_from(text));
    fclose(out);
    cr_expect_str_eq(told, wanted);
    free(told);
}

Test(coded_tasks, lines_are_wrapped_between_words)
{
    expect_wrapped("", 4, "\n");
    expect_wrapped("one two", 4, "    one two\n");
    expect_wrapped("one two three", 72,
                   "                                                          "
                   "              one two\n"
                   "                                                          "
                   "              three\n");
}

Test(coded_tasks, a_word_that_is_too_long_is_cut)
{
    expect_wrapped("12345678abc", 72,
                   "                                                            "
                   "            12345678\n"
                   "                                                            "
                   "            abc\n");
}
