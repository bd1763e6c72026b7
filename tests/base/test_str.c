/* str.h: slices at their edges, whole-slice numbers, UTF-8 by table 3-7 of the Unicode standard. */
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

Test(str, from_and_equal)
{
    cr_assert_eq(str_from(NULL).len, 0);
    cr_assert(str_equal(str_from("abc"), STR("abc")));
    cr_assert_not(str_equal(STR("abc"), STR("abd")));
    cr_assert_not(str_equal(STR("abc"), STR("abcd")));
    cr_assert(str_equal((struct str){NULL, 0}, STR("")));
    cr_assert(str_equal_nocase(STR("aBc-Z"), STR("AbC-z")));
    cr_assert_not(str_equal_nocase(STR("\xc3\x84"), STR("\xc3\xa4")), "ASCII case only");
    cr_assert_not(str_equal_nocase(STR("@"), STR("`")));
}

Test(str, starts_ends_compare)
{
    cr_assert(str_starts(STR("abc"), STR("ab")));
    cr_assert(str_starts(STR("abc"), STR("")));
    cr_assert_not(str_starts(STR("ab"), STR("abc")));
    cr_assert(str_ends(STR("abc"), STR("bc")));
    cr_assert_not(str_ends(STR("bc"), STR("abc")));
    cr_assert_lt(str_compare(STR("a"), STR("b")), 0);
    cr_assert_lt(str_compare(STR("a"), STR("ab")), 0);
    cr_assert_gt(str_compare(STR("\xff"), STR("a")), 0, "bytes are unsigned");
    cr_assert_eq(str_compare((struct str){NULL, 0}, STR("")), 0);
}

Test(str, trim_and_slice_clamp)
{
    cr_assert(str_equal(str_trim(STR(" \t\r\n\v\fa b \n")), STR("a b")));
    cr_assert_eq(str_trim(STR("  ")).len, 0);
    cr_assert(str_equal(str_slice(STR("abcdef"), 2, 4), STR("cd")));
    cr_assert(str_equal(str_slice(STR("abc"), 1, 99), STR("bc")));
    cr_assert_eq(str_slice(STR("abc"), 99, 100).len, 0);
    cr_assert_eq(str_slice(STR("abc"), 2, 1).len, 0);
    cr_assert_eq(str_slice((struct str){NULL, 0}, 0, 5).len, 0);
}

Test(str, find)
{
    cr_assert_eq(str_find(STR("ababc"), STR("abc"), 0), 2);
    cr_assert_eq(str_find(STR("ababc"), STR("ab"), 1), 2);
    cr_assert_eq(str_find(STR("ababc"), STR("x"), 0), SIZE_MAX);
    cr_assert_eq(str_find(STR("abc"), STR(""), 3), 3);
    cr_assert_eq(str_find(STR("abc"), STR(""), 4), SIZE_MAX);
    cr_assert_eq(str_find(STR("abc"), STR("c"), 3), SIZE_MAX);
    cr_assert_eq(str_find((struct str){NULL, 0}, STR("a"), 0), SIZE_MAX);
}

Test(str, split_gives_every_part_once)
{
    struct str rest = STR("a,,b");
    cr_assert(str_equal(str_split(&rest, ','), STR("a")));
    cr_assert(str_equal(str_split(&rest, ','), STR("")));
    cr_assert(str_equal(str_split(&rest, ','), STR("b")));
    cr_assert_eq(rest.len, 0);
    cr_assert_eq(str_split(&rest, ',').len, 0);
}

/* The text in memory of exactly its size, so that reading past its end is caught. */
static struct str tight(const char *text)
{
    size_t len = strlen(text);
    char *copy = malloc(len ? len : 1);
    memcpy(copy, text, len);
    return (struct str){copy, len};
}

static enum status to_double(const char *text, double *ret)
{
    struct str s = tight(text);
    enum status status = str_to_double(s, ret);
    free((char *)s.ptr);
    return status;
}

Test(str, doubles)
{
    static const struct {
        const char *text;
        double value;
    } good[] = {{"0", 0},       {"-1.5", -1.5},
                {"+2", 2},      {".5", .5},
                {"1e-3", 1e-3}, {"1E300", 1e300},
                {"5.", 5},      {"0.1", 0.1},
                {"1e-400", 0},  {"-9007199254740993", -9007199254740992.0}};
    static const char *const bad[] = {"",   " 1",  "1 ",  "nan", "inf", "-inf", "0x10", "1e999",
                                      "1e", "--1", "1,5", "abc", "-",   "+",    ".",    "e5"};
    double value = 0;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        cr_assert_eq(to_double(good[i].text, &value), OK, "%s", good[i].text);
        cr_assert(value == good[i].value, "%s gave %.17g", good[i].text, value);
    }
    value = 42;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_assert_eq(to_double(bad[i], &value), ERR_INPUT, "'%s'", bad[i]);
    cr_assert(value == 42);
    cr_assert_eq(str_to_double(STR("1\0"
                                   "2"),
                               &value),
                 ERR_INPUT);
}

Test(str, signed_integers)
{
    int64_t value = 42;
    cr_assert_eq(str_to_int64(STR("9223372036854775808"), &value), ERR_INPUT);
    cr_assert_eq(str_to_int64(STR("-9223372036854775809"), &value), ERR_INPUT);
    cr_assert_eq(str_to_int64(STR("1.0"), &value), ERR_INPUT);
    cr_assert_eq(str_to_int64(STR("1e3"), &value), ERR_INPUT);
    cr_assert_eq(str_to_int64(STR(""), &value), ERR_INPUT);
    cr_assert_eq(str_to_int64(STR(" 1"), &value), ERR_INPUT);
    cr_assert_eq(str_to_int64(STR("0x1"), &value), ERR_INPUT);
    cr_assert_eq(value, 42);
    cr_assert_eq(str_to_int64(STR("9223372036854775807"), &value), OK);
    cr_assert_eq(value, INT64_MAX);
    cr_assert_eq(str_to_int64(STR("-9223372036854775808"), &value), OK);
    cr_assert_eq(value, INT64_MIN);
    cr_assert_eq(str_to_int64(STR("007"), &value), OK);
    cr_assert_eq(value, 7);
}

Test(str, unsigned_integers)
{
    uint64_t value = 42;
    cr_assert_eq(str_to_uint64(STR("18446744073709551616"), &value), ERR_INPUT);
    cr_assert_eq(str_to_uint64(STR("-1"), &value), ERR_INPUT);
    cr_assert_eq(str_to_uint64(STR("-0"), &value), ERR_INPUT);
    cr_assert_eq(value, 42);
    cr_assert_eq(str_to_uint64(STR("18446744073709551615"), &value), OK);
    cr_assert_eq(value, UINT64_MAX);
}

Test(str, hashes)
{
    static const char *const bad[] = {"",
                                      "fedcba987654321",
                                      "fedcba98765432100",
                                      "fedcba987654321G",
                                      "FEDCBA9876543210",
                                      "fedcba98 6543210"};
    uint64_t value = 42;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        cr_expect_eq(str_to_hash(str_from(bad[i]), &value), ERR_INPUT, "%s", bad[i]);
    cr_expect_eq(str_to_hash((struct str){"fedcba987654321\0", 16}, &value), ERR_INPUT);
    cr_expect_eq(value, 42);
    cr_expect_eq(str_to_hash(STR("fedcba9876543210"), &value), OK);
    cr_expect_eq(value, UINT64_C(0xfedcba9876543210));
}

Test(str, utf8_good_and_bad)
{
    static const char *const good[] = {"",
                                       "abc",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf",
                                       "twelve bytes \xc3\xa9"};
    static const char *const bad[] = {"\x80",
                                      "\xbf",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xff",
                                      "\xc3",
                                      "\xe2\x82",
                                      "\xf0\x9f\x98",
                                      "12345678\xc3",
                                      "1234567\xc3(",
                                      "\xe2\x28\xa1"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct str s = tight(good[i]);
        cr_assert(utf8_valid(s), "row %zu", i);
        free((char *)s.ptr);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct str s = tight(bad[i]);
        cr_assert_not(utf8_valid(s), "row %zu", i);
        free((char *)s.ptr);
    }
}

Test(str, utf8_next_decodes_and_resynchronises)
{
    struct str s = STR("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xff\xe2\x82");
    static const uint32_t expected[] = {'a', 0xe9, 0x20ac, 0x1f600, 0xfffd, 0xfffd, 0xfffd};
    size_t at = 0;
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        cr_assert_eq(utf8_next(s, &at), expected[i], "code point %zu", i);
    cr_assert_eq(at, s.len);
}

Test(str, utf8_cut_between_characters)
{
    struct str s = STR("a\xe2\x82\xac\xc3\xa9");
    static const size_t lengths[] = {0, 1, 1, 1, 4, 4, 6, 6};
    for (size_t max = 0; max < sizeof(lengths) / sizeof(lengths[0]); max++)
        cr_expect_eq(utf8_cut(s, max).len, lengths[max], "%zu", max);
    cr_expect_eq(utf8_cut(STR("\x80\x80\x80"), 2).len, 0);
}

Test(str, utf8_count_of_any_length)
{
    char text[3 * 4200 + 64];
    for (size_t count = 0; count < 4200; count += count < 70 ? 1 : 917)
        for (size_t shift = 0; shift < 3; shift++) {
            size_t len = shift;
            memset(text, 'a', shift);
            for (size_t i = 0; i < count; i++, len += 3)
                memcpy(text + len, "\xe2\x82\xac", 3);
            cr_assert_eq(utf8_count((struct str){text, len}), shift + count, "%zu", count);
        }
}

Test(str, whole_numbers_at_the_limits)
{
    static const struct {
        const char *text;
        int64_t value;
    } rows[] = {{"0", 0},
                {"007", 7},
                {"-5", -5},
                {"999999999999999999", 999999999999999999},
                {"1000000000000000000", 1000000000000000000},
                {"9223372036854775807", INT64_MAX},
                {"-9223372036854775808", INT64_MIN}};
    static const char *const refused[] = {"9223372036854775808", "1x", "x", "-",
                                          "123456789012345678x"};
    int64_t value;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_assert_eq(str_to_int64(str_from(rows[i].text), &value), OK, "row %zu", i);
        cr_assert_eq(value, rows[i].value, "row %zu", i);
    }
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        cr_assert_eq(str_to_int64(str_from(refused[i]), &value), ERR_INPUT, "row %zu", i);
}

Test(str, printable_is_what_a_terminal_may_see)
{
    static const struct {
        struct str text;
        const char *shown;
    } rows[] = {
        {STR_INIT(""), ""},
        {STR_INIT("plain text of more than eight ~"), NULL},
        {STR_INIT("\xc3\xa9t\xc3\xa9 \xe6\xbc\xa2 \xf0\x9f\x98\x80"), NULL},
        {STR_INIT("12345678\n"), "12345678 "},
        {STR_INIT("1234567\x7f"), "1234567 "},
        {STR_INIT("\x1f 345678"), "  345678"},
        {STR_INIT("a\0b"), "a b"},
        {STR_INIT("\xff|\xc3"), "\xef\xbf\xbd|\xef\xbf\xbd"},
        {STR_INIT("\xef\xbf\xbd"), NULL},
        {STR_INIT("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {STR_INIT("\xc2\x9b[\xc2\xa0"), " [\xc2\xa0"},
        {STR_INIT("a\xe2\x80\xae\xe2\x81\xa6\xe2\x80\xa9\xef\xbb\xbfz"), "a    z"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char shown[64];
        size_t n = utf8_make_printable(shown, sizeof(shown), rows[i].text);
        cr_assert_eq(n, strlen(shown), "row %zu", i);
        cr_assert_str_eq(shown, rows[i].shown ? rows[i].shown : rows[i].text.ptr, "row %zu", i);
        cr_assert_eq(utf8_printable(rows[i].text), !rows[i].shown || !*rows[i].shown, "row %zu", i);
    }
}

Test(str, printable_text_is_cut_behind_a_whole_character)
{
    for (size_t size = 1; size < 12; size++) {
        char shown[12];
        size_t n = utf8_make_printable(shown, size, STR("\xff\xc3\xa9z\xf0\x9f\x98\x80"));
        cr_assert_lt(n, size);
        cr_assert_eq(n, strlen(shown));
        cr_assert(utf8_valid(str_from(shown)), "size %zu", size);
    }
}

Test(str, is_ascii_wherever_the_other_byte_stands)
{
    char text[200];
    memset(text, 'a', sizeof(text));
    for (size_t len = 0; len <= sizeof(text); len++) {
        cr_assert(str_is_ascii((struct str){text, len}), "%zu", len);
        for (size_t at = 0; at < len; at++) {
            text[at] = '\x80';
            cr_assert_not(str_is_ascii((struct str){text, len}), "%zu of %zu", at, len);
            text[at] = 'a';
        }
    }
}

Test(str, bytes_that_are_no_utf8_have_a_mend)
{
    cr_expect_null(utf8_mend(STR("caf\xc3\xa9")));
    cr_expect_null(utf8_mend(STR("")));
    cr_expect_str_eq(utf8_mend(STR("caf\xe9")), "this is not UTF-8; save the file as UTF-8");
    cr_expect_str_eq(utf8_mend(STR("\xff\xfe"
                                   "a")),
                     "this is UTF-16; save the file as UTF-8");
    cr_expect_str_eq(utf8_mend(STR("\xfe\xff"
                                   "a")),
                     "this is UTF-16; save the file as UTF-8");
}
