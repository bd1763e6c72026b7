/* error.h: one formatted sentence with its place, and stable names. */
#include "base/error.h"
#include "base/str.h"

#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>

Test(error, set_returns_its_status_and_forgets_the_past)
{
    struct error err;
    memset(&err, 0x55, sizeof(err));
    cr_assert_eq(error_set(&err, ERR_BUDGET, "only %d left", 3), ERR_BUDGET);
    cr_assert_eq(err.status, ERR_BUDGET);
    cr_assert_eq(err.sys_errno, 0);
    cr_assert_eq(err.line, 0);
    cr_assert_eq(err.column, 0);
    cr_assert_str_eq(err.text, "only 3 left");
}

Test(error, every_setter_accepts_null)
{
    cr_assert_eq(error_set(NULL, ERR_IO, "x"), ERR_IO);
    cr_assert_eq(error_set_errno(NULL, ERR_IO, ENOENT, "x"), ERR_IO);
    cr_assert_eq(error_set_at(NULL, ERR_INPUT, "f", 1, 1, "x"), ERR_INPUT);
    cr_assert_eq(error_prefix(NULL, "x"), ERR_INPUT);
}

Test(error, place_goes_in_front)
{
    struct error err;
    cr_assert_eq(error_set_at(&err, ERR_INPUT, "a.csv", 12, 5, "bad %s", "cell"), ERR_INPUT);
    cr_assert_str_eq(err.text, "a.csv:12:5: bad cell");
    cr_assert_eq(err.line, 12);
    cr_assert_eq(err.column, 5);
    cr_assert_eq(error_set_at(&err, ERR_INPUT, "a.csv", 3, 0, "short"), ERR_INPUT);
    cr_assert_str_eq(err.text, "a.csv:3: short");
}

Test(error, errno_is_told_in_words)
{
    struct error err;
    cr_assert_eq(error_set_errno(&err, ERR_NOT_FOUND, ENOENT, "x.yaml"), ERR_NOT_FOUND);
    cr_assert_eq(err.sys_errno, ENOENT);
    cr_assert_str_eq(err.text, "x.yaml: No such file or directory");
}

Test(error, prefix_keeps_status_and_place)
{
    struct error err;
    cr_assert_eq(error_set_at(&err, ERR_CORRUPT, "f", 2, 3, "bad"), ERR_CORRUPT);
    cr_assert_eq(error_prefix(&err, "reading %s", "m"), ERR_CORRUPT);
    cr_assert_str_eq(err.text, "reading m: f:2:3: bad");
    cr_assert_eq(err.line, 2);
    cr_assert_eq(err.column, 3);
}

Test(error, never_overflows_and_stays_on_one_line)
{
    static char much[2000];
    memset(much, 'x', sizeof(much) - 1);
    struct error err;
    cr_assert_eq(error_set(&err, ERR_INPUT, "%s", much), ERR_INPUT);
    cr_assert_eq(strlen(err.text), sizeof(err.text) - 1);
    cr_assert_eq(error_prefix(&err, "%s", much), ERR_INPUT);
    cr_assert_eq(error_set_errno(&err, ERR_IO, EIO, "%s", much), ERR_IO);
    cr_assert_lt(strlen(err.text), sizeof(err.text));
    cr_assert_eq(error_set(&err, ERR_INPUT, "a\nb\r\tc\x7f"), ERR_INPUT);
    cr_assert_str_eq(err.text, "a b  c ");
}

Test(error, quotes_of_bytes_that_are_no_text_are_utf8)
{
    struct error err;
    cr_assert_eq(error_set(&err, ERR_INPUT, "no plan '%s'", "\x80\xff\xc3\xa9\xc2\x9b"), ERR_INPUT);
    cr_assert_str_eq(err.text, "no plan '\xef\xbf\xbd\xef\xbf\xbd\xc3\xa9 '");
    static char much[2000];
    memset(much, 0xff, sizeof(much) - 1);
    cr_assert_eq(error_set(&err, ERR_INPUT, "%s", much), ERR_INPUT);
    cr_assert(utf8_valid(str_from(err.text)));
    cr_assert_eq(error_prefix(&err, "%s", much), ERR_INPUT);
    cr_assert(utf8_valid(str_from(err.text)));
}

Test(error, every_status_has_its_own_name)
{
    for (int i = 0; i < STATUS_COUNT; i++) {
        cr_assert_not_null(status_name((enum status)i));
        for (int j = 0; j < i; j++)
            cr_assert_str_neq(status_name((enum status)i), status_name((enum status)j));
    }
    cr_assert_str_eq(status_name(ERR_TIMEOUT), "timeout");
}

Test(error, a_text_that_was_cut_ends_in_dots_behind_a_whole_character)
{
    struct error err;
    char longer[600];
    for (size_t shift = 0; shift < 3; shift++) {
        memset(longer, 'x', shift);
        for (size_t i = shift; i + 3 < sizeof(longer); i += 3)
            memcpy(longer + i, "→", 4);
        cr_assert_eq(error_set(&err, ERR_INPUT, "%s", longer), ERR_INPUT);
        size_t len = strlen(err.text);
        cr_assert_gt(len, 300);
        cr_assert_str_eq(err.text + len - 3, "...");
        cr_assert(utf8_valid((struct str){err.text, len}));
        cr_assert_eq(error_prefix(&err, "a place"), ERR_INPUT);
        len = strlen(err.text);
        cr_assert_str_eq(err.text + len - 3, "...");
        cr_assert(utf8_valid((struct str){err.text, len}));
    }
}

Test(error, a_mend_stands_behind_and_is_cut_with_the_rest)
{
    struct error err;
    char long_text[600];
    error_set_at(&err, ERR_INPUT, "x.csv", 3, 0, "no column 'id'");
    cr_assert_eq(error_mend(&err, "cells are parted by %s", "commas"), ERR_INPUT);
    cr_expect_str_eq(err.text, "x.csv:3: no column 'id'; cells are parted by commas");
    cr_expect_eq(err.line, 3);
    memset(long_text, 'x', sizeof(long_text));
    long_text[sizeof(long_text) - 1] = 0;
    error_set(&err, ERR_INPUT, "%s", long_text);
    error_mend(&err, "too late");
    cr_expect_lt(strlen(err.text), sizeof(err.text));
    cr_expect_eq(error_mend(NULL, "nobody listens"), ERR_INPUT);
}
