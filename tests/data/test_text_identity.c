/* When two texts are the same query. */
#include <string.h>

#include <criterion/criterion.h>

#include "base/buf.h"
#include "base/hash.h"
#include "data/dataset.h"

static void expect_normal(const char *text, const char *want)
{
    struct buf out;
    buf_init(&out, 1 << 16);
    text_normalize(str_from(text), &out);
    cr_expect(str_equal(buf_str(&out), str_from(want)), "'%s' became '%.*s'", text,
              STR_FMT(buf_str(&out)));
    buf_done(&out);
}

Test(text, case_and_white_space_fold)
{
    expect_normal("  What\t IS\r\n\n it? ", "what is it?");
    expect_normal("", "");
    expect_normal(" \n ", "");
    expect_normal("\xc3\x89"
                  "A",
                  "\xc3\x89"
                  "a"); /* ASCII only: every byte of UTF-8 stays */
}

Test(text, equal_texts_hash_alike_and_others_do_not)
{
    cr_assert_eq(text_hash(STR("A  b\n")), text_hash(STR("a B")));
    cr_assert_neq(text_hash(STR("ab")), text_hash(STR("a b")));
    cr_assert_neq(text_hash(STR("")), text_hash(STR("a")));
    cr_assert_eq(text_hash(STR("Short text")), hash64(STR("short text"), 0));
}

/* Texts of every length around the piece size: spread out with blanks they hash the same. */
Test(text, long_texts_hash_alike_however_their_blanks_fall)
{
    char tight[4200], loose[8400];
    for (size_t len = 1000; len < 4100; len += 7) {
        size_t n = 0;
        for (size_t i = 0; i < len; i++) {
            tight[i] = i % 5 == 4 ? ' ' : (char)('a' + i % 7);
            loose[n++] = i % 5 == 4 ? '\n' : (char)('A' + i % 7);
            if (i % 5 == 4)
                loose[n++] = ' ';
        }
        uint64_t a = text_hash((struct str){tight, len}), b = text_hash((struct str){loose, n});
        cr_assert_eq(a, b, "length %zu", len);
        tight[len / 2] = '#';
        cr_assert_neq(a, text_hash((struct str){tight, len}), "length %zu", len);
    }
}
