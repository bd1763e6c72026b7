/* Options as rows: every type, every way to write one, and what is refused. Complaints go to standard error; their text
 * is in tests/e2e. */
#include "cli/options.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

struct settings {
    bool quiet, given;
    const char *name;
    double share;
    size_t count;
    uint64_t seed;
};

static enum status parse(struct settings *s, int argc, char **argv, int *ret_count)
{
    const struct option_row rows[] = {
        {.name = "--quiet", .letter = 'q', .type = OPTION_FLAG, .into = &s->quiet},
        {.name = "--name",
         .letter = 'n',
         .argument = "NAME",
         .type = OPTION_STRING,
         .into = &s->name},
        {.name = "--share", .argument = "X", .type = OPTION_DOUBLE, .into = &s->share, .max = 1},
        {.name = "--count",
         .argument = "N",
         .type = OPTION_COUNT,
         .into = &s->count,
         .min = 2,
         .max = INFINITY,
         .given = &s->given},
        {.name = "--seed", .argument = "N", .type = OPTION_SEED, .into = &s->seed},
    };
    const struct usage usage = {.synopsis = "try", .text = "", .rows = rows, .row_count = 5};
    return options_parse(&usage, argc, argv, ret_count);
}

#define ARGC(argv) ((int)(sizeof(argv) / sizeof((argv)[0])) - 1)

Test(cli_options, come_in_any_order_and_either_form)
{
    struct settings s = {0};
    int count = -1;
    char *argv[] = {"try", "one",    "--share=0.5",          "-n", "x=y", "two", "--count", "7",
                    "-q",  "--seed", "18446744073709551615", "--", "-n",  NULL};
    cr_assert_eq(parse(&s, ARGC(argv), argv, &count), OK);
    cr_expect(s.quiet && s.given);
    cr_expect_str_eq(s.name, "x=y");
    cr_expect_eq(s.share, 0.5);
    cr_expect_eq(s.count, 7);
    cr_expect_eq(s.seed, UINT64_MAX);
    cr_assert_eq(count, 3);
    cr_expect_str_eq(argv[0], "one");
    cr_expect_str_eq(argv[1], "two");
    cr_expect_str_eq(argv[2], "-n");
    cr_expect_str_eq(argv[3], "try");
}

Test(cli_options, a_dash_alone_is_no_option)
{
    struct settings s = {0};
    int count = -1;
    char *argv[] = {"try", "-", NULL};
    cr_assert_eq(parse(&s, ARGC(argv), argv, &count), OK);
    cr_expect_eq(count, 1);
    cr_expect_str_eq(argv[0], "-");
    cr_expect_not(s.given);
}

Test(cli_options, a_command_may_have_options_alone)
{
    bool quiet = false;
    const struct option_row row = {"--quiet", 'q', NULL, "no output", OPTION_FLAG,
                                   &quiet,    0,   0,    NULL};
    const struct usage usage = {"try [options]", "Tries.\n", &row, 1};
    char *alone[] = {"try", "-q", NULL}, *more[] = {"try", "x", NULL};
    cr_expect_eq(options_parse_alone(&usage, NULL, 2, alone), OK);
    cr_expect(quiet);
    cr_expect_eq(options_parse_alone(&usage, "it is given with -x", 2, more), ERR_USAGE);
}

Test(cli_options, what_is_wrong_is_refused_and_sets_nothing)
{
    static char *const wrong[][2] = {
        {"--nope", NULL},    {"-x", NULL},       {"--quiet=1", NULL},
        {"--name", NULL},    {"--share", "1.5"}, {"--share", "half"},
        {"--share", "nan"},  {"--count", "1"},   {"--count", "-3"},
        {"--count", "2.5"},  {"--seed", "-1"},   {"--seed", "18446744073709551616"},
        {"--nam", "prefix"}, {"--count=", NULL},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct settings s = {.share = 0.25, .count = 9, .seed = 3};
        char *argv[] = {"try", wrong[i][0], wrong[i][1], NULL};
        int count = -1;
        cr_expect_eq(parse(&s, wrong[i][1] ? 3 : 2, argv, &count), ERR_USAGE, "%s", wrong[i][0]);
        cr_expect_eq(count, -1, "%s", wrong[i][0]);
        cr_expect(s.share == 0.25 && s.count == 9 && s.seed == 3 && !s.quiet && !s.name, "%s",
                  wrong[i][0]);
    }
}

Test(cli_options, a_wrong_usage_exits_with_2_and_all_else_with_1)
{
    struct error usage = {.status = ERR_USAGE}, other = {.status = ERR_IO};
    cr_expect_eq(cli_fail("try", &usage), 2);
    cr_expect_eq(cli_fail("try", &other), 1);
}
