/* Options without a command line around them; more of how they are written is in tests/cli/test_options.c. */
#include "options/option_rows.h"

#include <criterion/criterion.h>

static bool quiet;
static double share;
static const struct option_row rows[] = {
    {.name = "--quiet", .letter = 'q', .help = "no output", .type = OPTION_FLAG, .into = &quiet},
    {.name = "--share",
     .argument = "X",
     .help = "of all",
     .type = OPTION_DOUBLE,
     .into = &share,
     .max = 1},
};
static const struct usage usage = {"try [options]", "Tries.\n", rows, 2};

static const char *complaint(char *option, char *value)
{
    static struct error err;
    char *argv[] = {"try", option, value, NULL};
    int count = 0;
    err = (struct error){0};
    cr_expect_eq(options_read(&usage, value ? 3 : 2, argv, &count, &err), ERR_USAGE);
    return err.text;
}

Test(option_rows, what_is_wrong_is_said_in_words)
{
    cr_expect_str_eq(complaint("--quite", NULL), "no option '--quite', did you mean '--quiet'?");
    cr_expect_str_eq(complaint("--hlep=1", NULL), "no option '--hlep=1', did you mean '--help'?");
    cr_expect_str_eq(complaint("--else", NULL), "no option '--else'");
    cr_expect_str_eq(complaint("-x", NULL), "no option '-x'");
    cr_expect_str_eq(complaint("--share", NULL), "--share wants X");
    cr_expect_str_eq(complaint("--share", "2"), "--share '2': expected a number from 0 to 1");
    cr_expect_str_eq(complaint("--quiet=1", NULL), "--quiet takes no value");
}

Test(option_rows, help_is_asked_for)
{
    char *argv[] = {"try", "x", "-h", NULL};
    int count = 0;
    struct error err = {0};
    cr_expect_eq(options_read(&usage, 3, argv, &count, &err), CLOSED);
}

Test(option_rows, usage_has_every_row)
{
    struct buf text;
    buf_init(&text, 4096);
    options_usage_write(&usage, 80, &text);
    buf_add_char(&text, '\0');
    cr_expect_str_eq(text.ptr, "usage: leeroo try [options]\n\nTries.\n\noptions:\n"
                               "  -q, --quiet                no output\n"
                               "  --share X                  of all\n"
                               "  -h, --help                 this text\n");
    buf_done(&text);
}
