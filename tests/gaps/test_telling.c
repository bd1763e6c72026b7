/* The words that tell one set from another. */
#include "gaps/telling.h"

#include <math.h>

#include <criterion/criterion.h>

/* Monroe et al., by hand: 30 of 100 texts against 20 of 300; the prior is 50/400 of 100 texts. */
Test(telling, z_is_the_log_odds_over_its_error)
{
    const double in[] = {30}, out[] = {20};
    struct telling_word got[4];
    const struct telling_set a = {in, 100}, b = {out, 300};
    cr_assert_eq(telling_words(&a, &b, 1, 0, got, 4), 1);
    double prior = 100 * 50.0 / 400, rest = 100 - prior;
    double y = 30 + prior, no_y = 70 + rest, x = 20 + prior, no_x = 280 + rest;
    double z = (log(y / no_y) - log(x / no_x)) / sqrt(1 / y + 1 / no_y + 1 / x + 1 / no_x);
    cr_expect_float_eq(got[0].z, z, 1e-9);
}

Test(telling, the_most_telling_come_first_and_no_more_than_wanted)
{
    const double in[] = {10, 50, 2, 30, 20}, out[] = {40, 50, 0, 5, 2};
    struct telling_word got[2];
    const struct telling_set a = {in, 100}, b = {out, 400};
    cr_assert_eq(telling_words(&a, &b, 5, 2, got, 2), 2);
    cr_expect_eq(got[0].word, 3);
    cr_expect_eq(got[1].word, 1);
    cr_expect_gt(got[0].z, got[1].z);
}

Test(telling, words_of_chance_and_of_all_texts_do_not_tell)
{
    const double in[] = {10, 100, 2}, out[] = {41, 400, 0};
    struct telling_word got[4];
    const struct telling_set a = {in, 100}, b = {out, 400}, none = {out + 2, 0};
    cr_expect_eq(telling_words(&a, &b, 3, 2, got, 4), 0);
    cr_expect_eq(telling_words(&a, &none, 1, 2, got, 4), 0);
}
