/* The next round's questions follow doubt times value, with a floor; quotas sum up and are drawn without favour. */
#include "pose/mix.h"

#include <math.h>

#include "posing.h"

static const struct mix_cell cells[] = {
    {STR_INIT("law"), 3, 0.2, 0.5, 1000},
    {STR_INIT("law"), 5, 0.4, 0.5, 1000},
    {STR_INIT("sums"), 1, 0.1, 0.0, 1000},
};

Test(mix, shares_follow_doubt_times_value)
{
    double shares[3];
    cr_assert_eq(mix_shares(cells, 3, 0.3, shares, NULL), OK);
    cr_assert_float_eq(shares[0] + shares[1] + shares[2], 1, 1e-12);
    cr_assert_gt(shares[1], 1.8 * (shares[0] - 0.1));
    cr_assert_gt(shares[1], shares[0]);
    cr_assert_gt(shares[2], 0.1 - 1e-12, "the floor");
    cr_assert_lt(shares[2], 0.11, "little more than the floor");
}

Test(mix, few_questions_say_little_and_none_is_doubt)
{
    struct mix_cell few[] = {{STR_INIT("a"), 0, 0.3, 0.3, 500},
                             {STR_INIT("b"), 0, 0.9, 0.9, 1},
                             {STR_INIT("c"), 0, 0, 0, 0}};
    double shares[3];
    cr_assert_eq(mix_shares(few, 3, 0, shares, NULL), OK);
    cr_assert_lt(shares[1], 1.6 * shares[0], "one question is not believed: %f", shares[1]);
    cr_assert_gt(shares[2], shares[0], "a cell without questions is the most doubtful");
}

Test(mix, without_figures_all_are_alike)
{
    struct mix_cell none[4] = {{.count = 0}};
    double shares[4];
    cr_assert_eq(mix_shares(none, 4, 0.2, shares, NULL), OK);
    for (int i = 0; i < 4; i++)
        cr_assert_float_eq(shares[i], 0.25, 1e-12);
    struct mix_cell zero[2] = {{.count = 9}, {.count = 9}};
    cr_assert_eq(mix_shares(zero, 2, 0.2, shares, NULL), OK);
    cr_assert_float_eq(shares[0], 0.5, 1e-12);
}

Test(mix, quotas_sum_up_and_are_fair)
{
    double shares[3], sums[3] = {0};
    cr_assert_eq(mix_shares(cells, 3, MIX_FLOOR, shares, NULL), OK);
    for (uint64_t seed = 0; seed < 4000; seed++) {
        size_t quotas[3], again[3], sum = 0;
        cr_assert_eq(mix_plan(cells, 3, 7, MIX_FLOOR, seed, quotas, NULL), OK);
        cr_assert_eq(mix_plan(cells, 3, 7, MIX_FLOOR, seed, again, NULL), OK);
        cr_assert_eq(memcmp(quotas, again, sizeof(quotas)), 0);
        for (int i = 0; i < 3; i++) {
            cr_assert_lt(fabs((double)quotas[i] - 7 * shares[i]), 1);
            sum += quotas[i];
            sums[i] += (double)quotas[i];
        }
        cr_assert_eq(sum, 7);
    }
    for (int i = 0; i < 3; i++)
        cr_assert_float_eq(sums[i] / 4000, 7 * shares[i], 0.03);
}

Test(mix, figures_that_are_none)
{
    struct mix_cell bad[] = {{STR_INIT("law"), 0, NAN, 1, 5}};
    double shares[1];
    struct error err;
    cr_assert_eq(mix_shares(bad, 1, 0.2, shares, &err), ERR_INPUT);
    cr_assert(strstr(err.text, "'law'"), "%s", err.text);
    cr_assert_eq(mix_shares(bad, 0, 0.2, shares, &err), ERR_TOO_LARGE);
}
