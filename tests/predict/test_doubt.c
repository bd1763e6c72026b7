/* Doubt of numbers out of any model. */
#include "predict/doubt.h"

#include <math.h>

#include <criterion/criterion.h>

Test(doubt, shares_and_deviations_stay_in_range)
{
    const float wild[DOUBT_TERMS] = {NAN, 1, 1, 1}, high[DOUBT_TERMS] = {9, 0, 0, 0},
                low[DOUBT_TERMS] = {-9, 0, 0, 0};
    cr_assert(doubt_share(wild, 0.5f, 1, 1) > 0);
    cr_assert_eq((double)doubt_share(high, 0, 0, 0), 1);
    cr_assert(doubt_share(low, 1, 0, 0) > 0);
    cr_assert_eq((double)doubt_quality_sd(1, 1), 0);
    cr_assert_eq((double)doubt_quality_sd(1, 0.5f), 0.5);
}
