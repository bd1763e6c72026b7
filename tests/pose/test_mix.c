/* The next round's questions follow doubt times value, with a floor; quotas sum up and are drawn without favour. */
#include "pose/mix.h"

#include <math.h>

#include "posing.h"

static const struct mix_cell cells[] = {
    {STR_INIT("law"), 3, 0.2, 0.5, 1000, 0},
    {STR_INIT("law"), 5, 0.4, 0.5, 1000, 0},
    {STR_INIT("sums"), 1, 0.1, 0.0, 1000, 0},
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
    struct mix_cell few[] = {{STR_INIT("a"), 0, 0.3, 0.3, 500, 0},
                             {STR_INIT("b"), 0, 0.9, 0.9, 1, 0},
                             {STR_INIT("c"), 0, 0, 0, 0, 0}};
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
    struct mix_cell bad[] = {{STR_INIT("law"), 0, NAN, 1, 5, 0}};
    double shares[1];
    struct error err;
    cr_assert_eq(mix_shares(bad, 1, 0.2, shares, &err), ERR_INPUT);
    cr_assert(strstr(err.text, "'law'"), "%s", err.text);
    cr_assert_eq(mix_shares(bad, 0, 0.2, shares, &err), ERR_TOO_LARGE);
}

Test(mix, mass)
{
    struct mix_cell two[] = {{STR_INIT("rare"), 0, 0.2, 0.2, 50, 1},
                             {STR_INIT("common"), 0, 0.2, 0.2, 50, 9}};
    double shares[2];
    cr_assert_eq(mix_shares(two, 2, 0.2, shares, NULL), OK);
    cr_assert_float_eq(shares[1], 0.9, 1e-12);
    two[0].doubt = two[0].value = 0;
    cr_assert_eq(mix_shares(two, 2, 0.2, shares, NULL), OK);
    cr_assert_geq(shares[0], 0.02 - 1e-12, "the floor is by mass");
    cr_assert_lt(shares[0], 0.05);
}

Test(mix, figures_are_gathered_and_found)
{
    static const struct mix_point points[] = {{STR_INIT("law"), 1, 0.2, 0.5},
                                              {STR_INIT("sums"), 0, 0.1, 0.1},
                                              {STR_INIT("law"), 1, 0.4, 0.7},
                                              {STR_INIT("law"), 2, 0.9, 0.9}};
    struct mix_cell *cells_found = calloc(MIX_CELLS_MAX, sizeof(*cells_found));
    size_t count = 0;
    cr_assert_eq(mix_gather(points, 4, cells_found, &count, NULL), OK);
    cr_assert_eq(count, 3);
    cr_assert_eq(cells_found[0].count, 2);
    cr_assert_float_eq(cells_found[0].doubt, 0.3, 1e-12);
    cr_assert_float_eq(cells_found[0].value, 0.6, 1e-12);
    cr_assert_eq(mix_find(cells_found, count, STR("law"), 2), &cells_found[2]);
    cr_assert_eq(mix_find(cells_found, count, STR("sums"), 4), &cells_found[1]);
    cr_assert_null(mix_find(cells_found, count, STR("law"), 4));
    cr_assert_null(mix_find(cells_found, count, STR("art"), 1));
    free(cells_found);
}
