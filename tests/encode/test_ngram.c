/* The n-gram half against a slow encoder written from the header's words: tokens in a list, pairs counted in an
 * array of all buckets. */
#include "encode/ngram_encoder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/rng.h"
#include "encode/char_class.h"

static struct ngram_text f, g;

static void begin(void)
{
    cr_assert_eq(ngram_text_init(&f, NULL), OK);
    cr_assert_eq(ngram_text_init(&g, NULL), OK);
}

static void end(void)
{
    ngram_text_done(&f);
    ngram_text_done(&g);
}

TestSuite(ngram, .init = begin, .fini = end);

static void encode(const char *text, struct ngram_text *into)
{
    cr_assert_eq(ngram_text_encode(into, str_from(text), NULL), OK);
}

static float value_of(const struct ngram_text *x, uint32_t bucket)
{
    for (uint32_t i = 0; i < x->count; i++)
        if (x->buckets[i] == bucket)
            return x->values[i];
    return 0;
}

static void expect_same(const char *a, const char *b)
{
    encode(a, &f);
    encode(b, &g);
    cr_assert_eq(f.count, g.count, "'%s' and '%s'", a, b);
    for (uint32_t i = 0; i < f.count; i++) {
        cr_assert_eq(f.buckets[i], g.buckets[i], "'%s' and '%s'", a, b);
        cr_assert_eq((double)f.values[i], (double)g.values[i], "'%s' and '%s'", a, b);
    }
}

/* How many buckets the texts share. */
static uint32_t overlap(const char *a, const char *b)
{
    uint32_t shared = 0;
    encode(a, &f);
    encode(b, &g);
    for (uint32_t i = 0; i < f.count; i++)
        shared += value_of(&g, f.buckets[i]) > 0;
    return shared;
}

Test(ngram, empty_and_blank_texts_have_no_features)
{
    encode("", &f);
    cr_assert_eq(f.count, 0);
    encode(" \n\t\r ", &f);
    cr_assert_eq(f.count, 0);
}

Test(ngram, a_token_gives_itself_and_its_pair)
{
    encode("hello", &f);
    cr_assert_eq(f.count, 2);
    encode("hello world", &f);
    cr_assert_eq(f.count, 4);
    encode("a1", &f); /* a letter and a digit are two tokens */
    cr_assert_eq(f.count, 4);
    encode("12", &f); /* each digit is one */
    cr_assert_eq(f.count, 4);
    encode("?!", &f);
    cr_assert_eq(f.count, 4);
}

Test(ngram, case_and_white_space_do_not_matter)
{
    expect_same("Hello World", "hELLO wORLD");
    expect_same("one two", "  one \n\t two  ");
    expect_same("x=1", "x = 1");
    expect_same("caf\xc3\xa9 x", "CAF\xc3\xa9 x");
}

Test(ngram, order_matters_only_to_pairs)
{
    /* Two words and no pair in common but the first word's own pair with the beginning. */
    cr_assert_eq(overlap("red blue", "blue red"), 2);
    cr_assert_eq(overlap("red blue", "red green"), 2);
    cr_assert_eq(overlap("red blue", "green white"), 0);
}

Test(ngram, a_word_is_not_a_prefix_of_itself)
{
    cr_assert_eq(overlap("cat", "cats"), 0);
    cr_assert_eq(overlap("cat", "c a t"), 0);
}

Test(ngram, counts_are_sub_linear_and_the_norm_is_one)
{
    /* "a" three times; pairs: start-a once, a-a twice. */
    encode("a a a", &f);
    cr_assert_eq(f.count, 3);
    double raw[3] = {1 + log(3), 1, 1 + log(2)}, norm = 0;
    for (int i = 0; i < 3; i++)
        norm += raw[i] * raw[i];
    for (int i = 0; i < 3; i++)
        cr_assert_float_eq((double)f.values[i], raw[i] / sqrt(norm), 1e-6);
}

#define K0 UINT64_C(0x9e3779b97f4a7c15)
#define K1 UINT64_C(0xd6e8feb86659fd93)

/* The hash of one token, and what turns a hash into a bucket, as ngram.c has them: a model file depends on these. */
static uint64_t slow_mix(uint64_t h)
{
    h = h * K1;
    return h ^ (h >> 32);
}

static uint64_t slow_token(const unsigned char *p, size_t len)
{
    uint64_t h = UINT64_C(0x6c6565726f6f0001) ^ len;
    for (size_t i = 0; i < len; i += 8) {
        uint64_t word = 0;
        for (size_t k = i; k < len && k < i + 8; k++)
            word |= (uint64_t)char_lower(p[k]) << (8 * (k - i));
        h = slow_mix((h ^ word) * K0);
    }
    return slow_mix(h);
}

static size_t slow_bucket(uint64_t hash)
{
    return (hash * K0) >> 46;
}

/* counts[NGRAM_BUCKETS] of every 1- and 2-gram. */
static void slow_count(const unsigned char *text, size_t len, double *counts)
{
    uint64_t previous = UINT64_C(0x6c6565726f6f0001);
    for (size_t i = 0; i < len;) {
        size_t end = i + 1;
        if (char_class(text[i]) == CHAR_BLANK) {
            i++;
            continue;
        }
        while (char_class(text[i]) == CHAR_LETTER && end < len &&
               char_class(text[end]) == CHAR_LETTER)
            end++;
        uint64_t token = slow_token(text + i, end - i);
        counts[slow_bucket(token)]++;
        counts[slow_bucket(slow_mix(token * 3 + previous))]++;
        previous = token;
        i = end;
    }
}

static void compare_with_slow(const unsigned char *text, size_t len, double *counts)
{
    double norm = 0;
    uint32_t distinct = 0;
    memset(counts, 0, NGRAM_BUCKETS * sizeof(*counts));
    slow_count(text, len, counts);
    for (size_t b = 0; b < NGRAM_BUCKETS; b++)
        if (counts[b] > 0) {
            distinct++;
            counts[b] = 1 + log(counts[b]);
            norm += counts[b] * counts[b];
        }
    struct str s = {(const char *)text, len};
    cr_assert_eq(ngram_text_encode(&f, s, NULL), OK);
    cr_assert_eq(f.count, distinct);
    for (uint32_t i = 0; i < f.count; i++) {
        cr_assert_lt(f.buckets[i], NGRAM_BUCKETS);
        cr_assert_float_eq((double)f.values[i], counts[f.buckets[i]] / sqrt(norm), 1e-6);
        counts[f.buckets[i]] = -1; /* so that a bucket named twice is noticed */
    }
}

Test(ngram, agrees_with_a_slow_encoder_on_random_bytes)
{
    static const char alphabet[] = "aabbcAB 1 2.?\n\xc3\xa9";
    double *counts = malloc(NGRAM_BUCKETS * sizeof(*counts));
    unsigned char text[1000];
    struct rng r;
    cr_assert_not_null(counts);
    rng_seed(&r, 5);
    for (int round = 0; round < 40; round++) {
        size_t len = (size_t)rng_below(&r, sizeof(text));
        for (size_t i = 0; i < len; i++)
            text[i] = round % 2 ? (unsigned char)rng_below(&r, 256)
                                : (unsigned char)alphabet[rng_below(&r, sizeof(alphabet) - 1)];
        compare_with_slow(text, len, counts);
    }
    free(counts);
}

Test(ngram, the_stamps_may_wrap_around)
{
    encode("one two three", &g);
    f.stamp = UINT32_MAX - 1;
    for (int i = 0; i < 4; i++) {
        encode("one two three", &f);
        cr_assert_eq(f.count, g.count, "text %d after the wrap", i);
        for (uint32_t k = 0; k < f.count; k++)
            cr_assert_eq(f.buckets[k], g.buckets[k]);
    }
}

Test(ngram, options_have_words_of_their_own)
{
    /* The stem is the same; the option's word is not the stem's. */
    cr_assert_eq(overlap("red\nA. blue", "blue"), 0);
    cr_assert_eq(overlap("red\nA. blue", "red"), 2);
    /* A word, its pair with the beginning of the option, and the shape. */
    encode("x\nA. blue", &f);
    cr_assert_eq(f.count, 2 + 3);
    /* The letters of the options are no tokens: where an option stands does not matter. */
    expect_same("x\nA. blue\nB. blue", "x\nA. blue\nB. Blue");
    cr_assert_eq(overlap("x\nA. blue\nB. 7", "x\nA. 7\nB. blue"), 2 + 3 + 3);
}

Test(ngram, options_of_one_shape_share_it)
{
    cr_assert_eq(overlap("x\nA. blue sky", "y\nA. red sun"), 1);
    cr_assert_eq(overlap("x\nA. 1.5", "y\nA. 2.7"), 2); /* and the point */
    cr_assert_eq(overlap("x\nA. blue sky", "y\nA. 12"), 0);
}
