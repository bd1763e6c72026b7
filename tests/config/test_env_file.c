/* env_file.h: lines NAME=VALUE, read strictly; whatever is wrong is told with its place and without the value. */
#include "config/env_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

static struct problems all;
static struct env_file found;

static enum status parse(struct str text)
{
    static struct arena *a;
    struct error err = {0};
    arena_free(a);
    a = arena_create(1u << 20);
    all.count = all.more = 0;
    enum status status = env_file_parse(text, ".env", a, &all, &found, &err);
    cr_assert_eq(status == OK, all.count == 0);
    if (status != OK)
        cr_assert_str_eq(err.text, all.list[0].text);
    return status;
}

static void expect_value(const char *line, const char *value)
{
    cr_assert_eq(parse(str_from(line)), OK, "%s: %s", line, all.count ? all.list[0].text : "");
    cr_assert_eq(found.count, 1, "%s", line);
    cr_assert_str_eq(found.list[0].name, "A_1");
    cr_assert_str_eq(found.list[0].value, value, "%s", line);
}

Test(env_file, values)
{
    expect_value("A_1=sk-abc", "sk-abc");
    expect_value("export A_1=x", "x");
    expect_value("  A_1=x  ", "x");
    expect_value("A_1=", "");
    expect_value("A_1=\"\"", "");
    expect_value("A_1= # nothing", "");
    expect_value("A_1=a=b#c$d\\e", "a=b#c$d\\e");
    expect_value("A_1=x # a comment", "x");
    expect_value("A_1=x\t#", "x");
    expect_value("A_1=\"two words\" # c", "two words");
    expect_value("A_1=\"\\\"q\\\" \\\\ \\$ \\n\\t'\"", "\"q\" \\ $ \n\t'");
    expect_value("A_1='$x \\n \"y\"'", "$x \\n \"y\"");
    expect_value("# c\r\n\r\nA_1=x\r\n", "x");
    expect_value("\xef\xbb\xbf"
                 "A_1=\xe2\x82\xac",
                 "\xe2\x82\xac");
}

Test(env_file, several)
{
    cr_assert_eq(parse(STR("A=1\n\n# c\n  # d\nexport  B='2'\n_c=3\n")), OK);
    cr_assert_eq(found.count, 3);
    cr_assert_str_eq(found.list[1].name, "B");
    cr_assert_eq(found.list[1].line, 5);
    cr_assert_str_eq(found.list[2].name, "_c");
    cr_assert_eq(parse(STR("")), OK);
    cr_assert_eq(found.count, 0);
}

static void expect_mistake(struct str text, const char *message)
{
    cr_assert_eq(parse(text), ERR_INPUT, "%.*s", STR_FMT(text));
    cr_assert_eq(all.count, 1);
    cr_assert_eq(strncmp(all.list[0].text, message, strlen(message)), 0, "%s\nis not\n%s",
                 all.list[0].text, message);
    cr_assert_null(strstr(all.list[0].text, "secret"), "no value is shown");
}

Test(env_file, mistakes_have_a_place)
{
    expect_mistake(STR("A = secret"), ".env:1:2: no blanks may stand around the =");
    expect_mistake(STR("A= secret"), ".env:1:3: no blanks may stand around the =");
    expect_mistake(STR("A: secret"), ".env:1:2: a line must be NAME=VALUE");
    expect_mistake(STR("x=1\nsecret"), ".env:2:7: a line must be NAME=VALUE");
    expect_mistake(STR("1A=secret"), ".env:1:1: a line must be NAME=VALUE");
    expect_mistake(STR("=secret"), ".env:1:1: a line must be NAME=VALUE");
    expect_mistake(STR("A-B=secret"), ".env:1:2: a line must be NAME=VALUE");
    expect_mistake(STR("A=secret two"), ".env:1:10: a value with blanks must be in quotes");
    expect_mistake(STR("A=sec\"ret\""), ".env:1:6: a value with quotes inside");
    expect_mistake(STR("A=\"secret"), ".env:1:3: the quote is not closed");
    expect_mistake(STR("A='secret\nB=2"), ".env:1:3: the quote is not closed");
    expect_mistake(STR("A=\"secret\"x"), ".env:1:11: there is something behind the closing quote");
    expect_mistake(STR("A=\"sec\\ret\""), ".env:1:8: in double quotes a backslash");
    expect_mistake(STR("A=\"secret\\"), ".env:1:10: in double quotes a backslash");
    expect_mistake(STR("A=1\nB=2\nA=secret"), ".env:3:1: A is given twice (first on line 1)");
    expect_mistake(STR("A=sec\0ret"), ".env:1:6: a control character");
    expect_mistake(STR("A=sec\x1bret"), ".env:1:6: a control character");
}

Test(env_file, all_mistakes_are_told)
{
    cr_assert_eq(parse(STR("A = 1\nB=2\nC=x y\n")), ERR_INPUT);
    cr_assert_eq(all.count, 2);
    cr_assert_eq(all.list[0].line, 1);
    cr_assert_eq(all.list[1].line, 3);
}

Test(env_file, more_variables_than_there_may_be)
{
    static char text[ENV_FILE_VARIABLES_MAX * 8 + 64];
    size_t n = 0;
    for (int i = 0; i <= ENV_FILE_VARIABLES_MAX; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "V%d=1\n", i);
    expect_mistake((struct str){text, n}, ".env:513:1: over 512 variables");
}

Test(env_file, loads_what_the_environment_has_not)
{
    char path[] = "/tmp/env_file_XXXXXX";
    struct env_file_taken taken = {0};
    struct error err = {0};
    int fd = mkstemp(path);
    static const char text[] = "ENV_FILE_TEST_A=file\nENV_FILE_TEST_B=file\nENV_FILE_TEST_C=file\n";
    cr_assert_eq(write(fd, text, sizeof(text) - 1), (ssize_t)sizeof(text) - 1);
    close(fd);
    setenv("ENV_FILE_TEST_B", "mine", 1);
    setenv("ENV_FILE_TEST_C", "", 1);
    all.count = 0;
    cr_assert_eq(env_file_load(path, &all, &taken, &err), OK);
    cr_assert_str_eq(getenv("ENV_FILE_TEST_A"), "file");
    cr_assert_str_eq(getenv("ENV_FILE_TEST_B"), "mine");
    cr_assert_str_eq(getenv("ENV_FILE_TEST_C"), "file");
    cr_assert_eq(taken.set, 2);
    cr_assert_eq(taken.there, 1);
    cr_assert(!taken.others_read_it);
    cr_assert_eq(chmod(path, 0644), 0);
    cr_assert_eq(env_file_load(path, &all, &taken, &err), OK);
    cr_assert(taken.others_read_it);
    unlink(path);
    cr_assert_eq(env_file_load(path, &all, &taken, &err), ERR_NOT_FOUND);
    cr_assert_eq(all.count, 1);
}
