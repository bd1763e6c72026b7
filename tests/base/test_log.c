/* log.h: one well-formed logfmt line an event, whatever the values hold. */
#include "base/log.h"

#include <regex.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

static void expect_quoted(struct str value, const char *expected)
{
    char text[64];
    log_quote(text, sizeof(text), value);
    cr_assert_str_eq(text, expected);
}

Test(log, quotes_where_needed)
{
    expect_quoted(STR("plain"), "plain");
    expect_quoted(STR("a/b:c,d"), "a/b:c,d");
    expect_quoted(STR(""), "\"\"");
    expect_quoted(STR("two words"), "\"two words\"");
    expect_quoted(STR("a=b"), "\"a=b\"");
    expect_quoted(STR("say \"hi\""), "\"say \\\"hi\\\"\"");
    expect_quoted(STR("back\\slash"), "\"back\\\\slash\"");
    expect_quoted(STR("line\nbreak\x7f\x1b[0m\0"), "\"line break  [0m \"");
    expect_quoted(STR("\xc3\xa9t\xc3\xa9"), "\xc3\xa9t\xc3\xa9");
    expect_quoted(STR("\x9b\x33\x31m\xff"), "\"\\x9b31m\\xff\"");
    expect_quoted(STR("cut \xe2\x82"), "\"cut \\xe2\\x82\"");
    expect_quoted(STR("\xc2\x9b\x33\x31m"), "\" 31m\"");
    expect_quoted(STR("a\xe2\x80\xae\xe2\x80\xa8z"), "\"a  z\"");
}

Test(log, quoting_stays_inside_its_space)
{
    char text[64];
    static const char much[] = "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"";
    for (size_t size = 1; size <= sizeof(text); size++) {
        memset(text, 'Z', sizeof(text));
        log_quote(text, size, (struct str){much, sizeof(much) - 1});
        cr_assert_not_null(memchr(text, 0, size), "terminated within %zu", size);
        for (size_t i = size; i < sizeof(text); i++)
            cr_assert_eq(text[i], 'Z');
    }
}

Test(log, levels_by_name)
{
    enum log_level level = LOG_OFF;
    cr_assert_eq(log_level_parse(STR("debug"), &level), OK);
    cr_assert_eq(level, LOG_DEBUG);
    cr_assert_eq(log_level_parse(STR("warn"), &level), OK);
    cr_assert_eq(level, LOG_WARN);
    cr_assert_eq(log_level_parse(STR("WARN"), &level), ERR_INPUT);
    cr_assert_eq(log_level_parse(STR(""), &level), ERR_INPUT);
    cr_assert_eq(level, LOG_WARN);
}

/* What one event writes to standard error. */
static const char *written_as(bool ready, enum log_level level, const char *msg,
                              const char *long_value)
{
    static char seen[8192];
    int ends[2], saved = dup(STDERR_FILENO);
    cr_assert_eq(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    if (ready)
        log_fields(level, msg, str_from(long_value));
    else
        log_event(level, msg, "key=%s", long_value);
    dup2(saved, STDERR_FILENO);
    close(saved);
    ssize_t n = read(ends[0], seen, sizeof(seen) - 1);
    seen[n > 0 ? n : 0] = 0;
    close(ends[0]);
    return seen;
}

static const char *written(enum log_level level, const char *msg, const char *long_value)
{
    return written_as(false, level, msg, long_value);
}

Test(log, ready_fields_are_written_as_they_are)
{
    static char much[5000];
    const char *seen = written_as(true, LOG_INFO, "request", "a=1 b=%s");
    cr_assert_not_null(strstr(seen, " level=info msg=request a=1 b=%s\n"), "%s", seen);
    cr_assert_not_null(strstr(written_as(true, LOG_INFO, "request", ""), " msg=request\n"));
    memset(much, 'x', sizeof(much) - 1);
    seen = written_as(true, LOG_INFO, "request", much);
    cr_assert_gt(strlen(seen), 1000);
    cr_assert_eq(strchr(seen, '\n'), seen + strlen(seen) - 1);
    cr_assert_str_eq(written_as(true, LOG_DEBUG, "quiet", "a=1"), "");
}

Test(log, an_event_is_one_line)
{
    regex_t line;
    cr_assert_eq(regcomp(&line,
                         "^ts=20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\\."
                         "[0-9]{3}Z level=warn msg=\"went wrong\" key=7\n$",
                         REG_EXTENDED | REG_NOSUB),
                 0);
    const char *seen = written(LOG_WARN, "went wrong", "7");
    cr_assert_eq(regexec(&line, seen, 0, NULL, 0), 0, "%s", seen);
    regfree(&line);
}

Test(log, an_endless_event_is_cut_but_ends)
{
    static char much[5000];
    memset(much, 'x', sizeof(much) - 1);
    const char *seen = written(LOG_ERROR, much, much);
    size_t len = strlen(seen);
    cr_assert_gt(len, 1000);
    cr_assert_eq(seen[len - 1], '\n');
    cr_assert_eq(strchr(seen, '\n'), seen + len - 1);
}

Test(log, every_line_is_printable_whoever_wrote_its_fields)
{
    const char *seen =
        written_as(true, LOG_INFO, "request", "a=\x80\xff b=\x1b[2J c=\xc3\xa9\nd=1");
    cr_assert_not_null(strstr(seen, " a=\xef\xbf\xbd\xef\xbf\xbd b= [2J c=\xc3\xa9 d=1\n"), "%s",
                       seen);
    static char much[5000];
    for (size_t i = 0; i + 1 < sizeof(much); i++)
        much[i] = "\xc3\xa9"[i % 2];
    seen = written(LOG_WARN, "cut", much);
    cr_assert_gt(strlen(seen), 1000);
    cr_assert(utf8_valid(str_from(seen)));
    seen = written_as(true, LOG_WARN, "cut", much + 1);
    cr_assert(utf8_valid(str_from(seen)));
}

Test(log, the_threshold)
{
    cr_assert_str_eq(written(LOG_DEBUG, "quiet", "1"), "", "debug is off by default");
    log_set_level(LOG_DEBUG);
    cr_assert_str_neq(written(LOG_DEBUG, "heard", "1"), "");
    log_set_level(LOG_OFF);
    cr_assert_str_eq(written(LOG_ERROR, "silent", "1"), "");
    cr_assert_not(log_enabled(LOG_ERROR));
}

Test(log, the_same_as_json)
{
    enum log_format format = LOG_TEXT;
    cr_assert_eq(log_format_parse(STR("JSON"), &format), ERR_INPUT);
    cr_assert_eq(format, LOG_TEXT);
    cr_assert_eq(log_format_parse(STR("json"), &format), OK);
    log_set_format(format);
    const char *line = written_as(true, LOG_WARN, "a \"message\"", "n=1 e=\"x\xff\n\"");
    log_set_format(LOG_TEXT);
    const char *from =
        strstr(line, "Z\",\"level\":\"warn\",\"msg\":\"a \\\"message\\\"\",\"n\":1,");
    cr_assert_not_null(from, "%s", line);
    cr_assert_eq(strncmp(line, "{\"ts\":\"20", 9), 0, "%s", line);
    cr_assert_str_eq(line + strlen(line) - 2, "}\n");
}
