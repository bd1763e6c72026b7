/* rng.h: the published vectors of splitmix64 and xoshiro256**, and the properties built on them. */
#include "base/rng.h"

#include <stdbool.h>
#include <string.h>

#include <criterion/criterion.h>

Test(rng, seeds_by_splitmix64)
{
    static const uint64_t expected[4] = {
        UINT64_C(6457827717110365317), UINT64_C(3203168211198807973), UINT64_C(9817491932198370423),
        UINT64_C(4593380528125082431)};
    struct rng r;
    rng_seed(&r, 1234567);
    cr_assert_eq(memcmp(r.state, expected, sizeof(expected)), 0);
}

Test(rng, is_xoshiro256_star_star)
{
    static const uint64_t expected[] = {11520,
                                        0,
                                        1509978240,
                                        UINT64_C(1215971899390074240),
                                        UINT64_C(1216172134540287360),
                                        UINT64_C(607988272756665600),
                                        UINT64_C(16172922978634559625),
                                        UINT64_C(8476171486693032832),
                                        UINT64_C(10595114339597558777),
                                        UINT64_C(2904607092377533576)};
    struct rng r = {{1, 2, 3, 4}};
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        cr_assert_eq(rng_next(&r), expected[i], "output %zu", i);
}

Test(rng, below_stays_below_and_is_even)
{
    enum { BOUND = 7, DRAWS = 70000 };
    static unsigned count[BOUND];
    struct rng r;
    rng_seed(&r, 1);
    for (int i = 0; i < DRAWS; i++) {
        uint64_t x = rng_below(&r, BOUND);
        cr_assert_lt(x, BOUND);
        count[x]++;
    }
    double chi = 0;
    for (size_t i = 0; i < BOUND; i++)
        chi += (count[i] - 10000.0) * (count[i] - 10000.0) / 10000.0;
    cr_assert_lt(chi, 30, "chi-square %.1f for 6 degrees of freedom", chi);
    cr_assert_eq(rng_below(&r, 1), 0);
}

Test(rng, uniform_lies_in_its_half_open_interval)
{
    struct rng r;
    rng_seed(&r, 2);
    double sum = 0;
    for (int i = 0; i < 100000; i++) {
        double x = rng_uniform(&r);
        cr_assert(x >= 0 && x < 1);
        sum += x;
    }
    cr_assert_float_eq(sum / 100000, 0.5, 0.005);
}

Test(rng, shuffle_permutes_and_repeats)
{
    uint32_t a[100], b[100];
    bool seen[100] = {false};
    for (uint32_t i = 0; i < 100; i++)
        a[i] = b[i] = i;
    struct rng r;
    rng_seed(&r, 3);
    rng_shuffle_u32(&r, a, 100);
    rng_seed(&r, 3);
    rng_shuffle_u32(&r, b, 100);
    cr_assert_eq(memcmp(a, b, sizeof(a)), 0, "the same seed gives the same order");
    size_t fixed = 0;
    for (uint32_t i = 0; i < 100; i++) {
        cr_assert_not(seen[a[i]]);
        seen[a[i]] = true;
        fixed += a[i] == i;
    }
    cr_assert_lt(fixed, 10);
    rng_shuffle_u32(&r, a, 0);
}
