/* What the demo tells goes to the stream that it is given, and its files to the folder. */
#include "demo/demo.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(demo, a_heading_is_told_in_colour_only_where_there_is_some)
{
    char *text = NULL;
    size_t len = 0;
    struct demo d = {.out = open_memstream(&text, &len)};
    cr_assert_not_null(d.out);
    demo_heading(&d, 2, "An exam");
    cr_expect_str_eq(text, "\n2  An exam\n\n");
    d.bold = true;
    demo_heading(&d, 3, "Play");
    cr_expect_not_null(strstr(text, "\033[1;36m3  Play\033[0m"));
    fclose(d.out);
    free(text);
}

Test(demo, a_path_is_in_the_folder_and_has_an_end)
{
    char path[DEMO_PATH_BYTES], longest[DEMO_PATH_BYTES];
    struct error err = {0};
    struct demo d = {.dir = "here"};
    cr_assert_eq(demo_path(&d, "exam", path, &err), OK);
    cr_expect_str_eq(path, "here/exam");
    memset(longest, 'x', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    d.dir = longest;
    cr_expect_eq(demo_path(&d, "exam", path, &err), ERR_TOO_LARGE);
    cr_expect_not_null(strstr(err.text, "--dir"));
}
