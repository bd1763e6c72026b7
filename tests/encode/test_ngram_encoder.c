/* The encoder as a whole: long texts, reuse of the scratch, any bytes. */
#include "encode/ngram_encoder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/rng.h"

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

TestSuite(ngram_encoder, .init = begin, .fini = end);

static void encode(struct str text, struct ngram_text *into)
{
    cr_assert_eq(ngram_text_encode(into, text, NULL), OK);
}

static void expect_equal(const struct ngram_text *a, const struct ngram_text *b)
{
    cr_assert_eq(a->count, b->count);
    cr_assert_eq(memcmp(a->buckets, b->buckets, a->count * sizeof(*a->buckets)), 0);
    cr_assert_eq(memcmp(a->values, b->values, a->count * sizeof(*a->values)), 0);
    cr_assert_eq(memcmp(a->stats, b->stats, sizeof(a->stats)), 0);
}

static void check(const struct ngram_text *x)
{
    double norm = 0;
    for (uint32_t i = 0; i < x->count; i++) {
        cr_assert_lt(x->buckets[i], NGRAM_BUCKETS);
        cr_assert_gt((double)x->values[i], 0);
        norm += (double)x->values[i] * (double)x->values[i];
    }
    cr_assert_float_eq(norm, x->count ? 1.0 : 0.0, 1e-4);
    for (int i = 0; i < NGRAM_STATS; i++)
        cr_assert(isfinite(x->stats[i]));
}

Test(ngram_encoder, the_empty_text)
{
    encode(STR(""), &f);
    cr_assert_eq(f.count, 0);
    check(&f);
}

Test(ngram_encoder, the_scratch_remembers_nothing)
{
    encode(STR("some other text, with 17 tokens? Perhaps not."), &f);
    encode(STR("What is 2 + 2?"), &f);
    encode(STR("What is 2 + 2?"), &g);
    expect_equal(&f, &g);
}

/* A text of `len` bytes out of short words. */
static char *long_text(size_t len)
{
    char *text = malloc(len);
    struct rng r;
    cr_assert_not_null(text);
    rng_seed(&r, 1);
    for (size_t i = 0; i < len; i++)
        text[i] = rng_below(&r, 4) ? (char)('a' + rng_below(&r, 26)) : ' ';
    return text;
}

Test(ngram_encoder, of_a_long_text_the_two_ends_count)
{
    const size_t half = NGRAM_TEXT_BYTES_MAX / 2, len = 3 * NGRAM_TEXT_BYTES_MAX;
    char *text = long_text(len), *ends = malloc(NGRAM_TEXT_BYTES_MAX);
    cr_assert_not_null(ends);
    memcpy(ends, text, half);
    memcpy(ends + half, text + len - half, half);
    encode((struct str){text, len}, &f);
    encode((struct str){ends, NGRAM_TEXT_BYTES_MAX}, &g);
    expect_equal(&f, &g);
    memset(text + half, 'z', len - 2 * half); /* the middle does not */
    encode((struct str){text, len}, &g);
    expect_equal(&f, &g);
    check(&f);
    free(text);
    free(ends);
}

Test(ngram_encoder, room_for_as_many_tokens_as_bytes)
{
    char *text = malloc(NGRAM_TEXT_BYTES_MAX);
    cr_assert_not_null(text);
    for (size_t i = 0; i < NGRAM_TEXT_BYTES_MAX; i++)
        text[i] = (char)('!' + (i * 7 + i / 13) % 15);
    encode((struct str){text, NGRAM_TEXT_BYTES_MAX}, &f);
    check(&f);
    free(text);
}

Test(ngram_encoder, any_bytes_are_fine)
{
    char text[600];
    struct rng r;
    rng_seed(&r, 3);
    for (int round = 0; round < 300; round++) {
        size_t len = (size_t)rng_below(&r, sizeof(text));
        for (size_t i = 0; i < len; i++)
            text[i] = (char)rng_below(&r, 256);
        encode((struct str){text, len}, &f);
        check(&f);
    }
}

Test(ngram_encoder, done_twice_is_fine)
{
    struct ngram_text x;
    cr_assert_eq(ngram_text_init(&x, NULL), OK);
    ngram_text_done(&x);
    ngram_text_done(&x);
}
