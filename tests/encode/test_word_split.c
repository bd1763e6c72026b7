/* Tokens against their definition, byte by byte. */
#include "encode/word_split.h"

#include <string.h>

#include <criterion/criterion.h>

#include "base/rng.h"
#include "encode/char_class.h"

static struct ngram_text f;

static void begin(void)
{
    cr_assert_eq(ngram_text_init(&f, NULL), OK);
}

static void end(void)
{
    ngram_text_done(&f);
}

TestSuite(word_split, .init = begin, .fini = end);

static void expect_tokens(struct str text, const char *wanted)
{
    char got[256] = "", *at = got;
    cr_assert_eq(ngram_text_encode(&f, text, NULL), OK); /* so that there is room */
    word_split(text, &f);
    for (uint32_t i = 0; i < f.token_count; i++) {
        memcpy(at, text.ptr + f.tokens[i].start, f.tokens[i].len);
        at += f.tokens[i].len;
        *at++ = '|';
    }
    *at = '\0';
    cr_assert_str_eq(got, wanted);
}

Test(word_split, words_digits_and_marks)
{
    expect_tokens(STR(""), "");
    expect_tokens(STR(" \n\t"), "");
    expect_tokens(STR("one two"), "one|two|");
    expect_tokens(STR("x=12.5;"), "x|=|1|2|.|5|;|");
    expect_tokens(STR(" caf\xc3\xa9's\x7f"), "caf\xc3\xa9|'|s|");
    expect_tokens(STR("a\0b"), "a|b|");
}

Test(word_split, every_byte_is_in_one_token_or_blank)
{
    struct rng r;
    char text[500];
    rng_seed(&r, 2);
    for (int round = 0; round < 200; round++) {
        size_t len = (size_t)rng_below(&r, sizeof(text)), at = 0;
        for (size_t i = 0; i < len; i++)
            text[i] = (char)rng_below(&r, 256);
        cr_assert_eq(ngram_text_encode(&f, (struct str){text, len}, NULL), OK);
        word_split((struct str){text, len}, &f);
        for (uint32_t t = 0; t < f.token_count; t++) {
            cr_assert_gt(f.tokens[t].len, 0);
            for (; at < f.tokens[t].start; at++)
                cr_assert_eq(char_class((unsigned char)text[at]), CHAR_BLANK);
            cr_assert_eq(at, f.tokens[t].start);
            for (; at < f.tokens[t].start + f.tokens[t].len; at++)
                cr_assert_eq(char_class((unsigned char)text[at]), f.tokens[t].class);
        }
        for (; at < len; at++)
            cr_assert_eq(char_class((unsigned char)text[at]), CHAR_BLANK);
    }
}

/* The tokeniser reads 64 bytes at a time. */
Test(word_split, words_longer_than_a_chunk)
{
    char text[400];
    for (size_t before = 0; before < 130; before++)
        for (size_t len = 1; len < 200; len += 9) {
            memset(text, ' ', sizeof(text));
            memset(text + before, 'w', len);
            text[before + len] = '.';
            struct str s = {text, before + len + 1};
            cr_assert_eq(ngram_text_encode(&f, s, NULL), OK);
            word_split(s, &f);
            cr_assert_eq(f.token_count, 2);
            cr_assert_eq(f.tokens[0].start, before);
            cr_assert_eq(f.tokens[0].len, len);
            cr_assert_eq(f.tokens[1].start, before + len);
            cr_assert_eq(f.tokens[1].len, 1);
        }
}
