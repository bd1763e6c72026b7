/* hash.h: known answers, so that a model file written on one machine means the same on every other. The expected
 * values come from an independent implementation of the formula in hash.c. */
#include "base/hash.h"

#include <stdio.h>

#include <criterion/criterion.h>

struct answer {
    struct str text;
    uint64_t seed, hash;
};

Test(hash, known_answers)
{
    const struct answer answers[] = {
        {STR(""), 0, UINT64_C(0x7e964e33811359f2)},
        {STR(""), 1, UINT64_C(0x81dcc1e9e00c54e0)},
        {STR("a"), 0, UINT64_C(0x00281edffd00b0c6)},
        {STR("ab"), 0, UINT64_C(0xd692cf2fb0deae3f)},
        {STR("the"), 7, UINT64_C(0xbef6d3aa8feab70e)},
        {STR("1234567"), 0, UINT64_C(0xff4a0c8985d4b959)},
        {STR("12345678"), 0, UINT64_C(0xdf157a5db3c0906e)},
        {STR("123456789"), 0, UINT64_C(0x03d8eab206438406)},
        {STR("what is the capital of france?"), 42, UINT64_C(0x18f0418c9aefdf05)},
        {STR("\xff\x80\xc3\xa9"), 0, UINT64_C(0x2b6c3c903903a4cf)},
    };
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
        cr_assert_eq(hash64(answers[i].text, answers[i].seed), answers[i].hash, "row %zu", i);
}

Test(hash, mix_known_answers_and_order)
{
    cr_assert_eq(hash64_mix(0, 0), UINT64_C(0xb5282132a07e116e));
    cr_assert_eq(hash64_mix(1, 2), UINT64_C(0x105f68281d90487b));
    cr_assert_eq(hash64_mix(2, 1), UINT64_C(0xa1e061b2da9abae7));
    cr_assert_neq(hash64_mix(1, 2), hash64_mix(2, 1));
}

Test(hash, alignment_does_not_matter)
{
    static const char text[] = "xxxxxxxxthe quick brown fox jumps over the lazy dog";
    uint64_t expected = hash64((struct str){text + 8, 43}, 5);
    for (size_t shift = 0; shift < 8; shift++) {
        char copy[64];
        for (size_t i = 0; i < 43; i++)
            copy[shift + i] = text[8 + i];
        cr_assert_eq(hash64((struct str){copy + shift, 43}, 5), expected);
    }
}

Test(hash, every_bit_of_the_input_counts)
{
    char text[32] = {0};
    uint64_t base = hash64((struct str){text, sizeof(text)}, 0);
    int least = 64;
    for (size_t bit = 0; bit < sizeof(text) * 8; bit++) {
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
        int changed = __builtin_popcountll(base ^ hash64((struct str){text, sizeof(text)}, 0));
        least = changed < least ? changed : least;
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
    }
    cr_assert_gt(least, 12, "a flipped bit changed only %d bits of the hash", least);
}

Test(hash, length_and_seed_count)
{
    static const char zeros[16] = {0};
    for (size_t i = 0; i < 16; i++)
        for (size_t j = 0; j < i; j++)
            cr_assert_neq(hash64((struct str){zeros, i}, 0), hash64((struct str){zeros, j}, 0));
    cr_assert_neq(hash64(STR("a"), 0), hash64(STR("a"), 1));
}

Test(hash, low_bits_spread_evenly)
{
    enum { BUCKETS = 1 << 10, KEYS = BUCKETS * 64 };
    static unsigned count[BUCKETS];
    for (uint32_t i = 0; i < KEYS; i++) {
        char text[16];
        int n = snprintf(text, sizeof(text), "word%u", i);
        count[hash64((struct str){text, (size_t)n}, 0) % BUCKETS]++;
    }
    double chi = 0;
    for (size_t i = 0; i < BUCKETS; i++)
        chi += (count[i] - 64.0) * (count[i] - 64.0) / 64.0;
    cr_assert_lt(chi, 1023 + 6 * 45.2, "chi-square %.0f for 1023 degrees of freedom", chi);
}

Test(hash, crc32_of_the_catalogue)
{
    cr_assert_eq(crc32_ieee(0, "123456789", 9), 0xcbf43926u);
    cr_assert_eq(crc32_ieee(0, "", 0), 0);
    cr_assert_eq(crc32_ieee(crc32_ieee(0, "1234", 4), "56789", 5), 0xcbf43926u);
}
