/* Spread of numbers out of any model. */
#include "predict/spread.h"

#include <math.h>

#include <criterion/criterion.h>

Test(spread, shares_and_deviations_stay_in_range)
{
    const float wild[SPREAD_TERMS] = {NAN, 1, 1, 1}, high[SPREAD_TERMS] = {9, 0, 0, 0},
                low[SPREAD_TERMS] = {-9, 0, 0, 0};
    cr_assert(spread_share(wild, 0.5f, 1, 1) > 0);
    cr_assert_eq((double)spread_share(high, 0, 0, 0), 1);
    cr_assert(spread_share(low, 1, 0, 0) > 0);
    cr_assert_eq((double)spread_quality_sd(1, 1), 0);
    cr_assert_eq((double)spread_quality_sd(1, 0.5f), 0.5);
}

Test(spread, far_from_training_it_is_as_wide_as_can_be)
{
    cr_assert_eq(spread_widen(0.375f, 0), 0.375f);
    cr_assert_eq(spread_widen(0.375f, 0.5f), 0.6875f);
    cr_assert_eq(spread_widen(0.375f, 1), 1);
    cr_assert_float_eq(spread_quality_sd(spread_widen(0.25f, 1), 0.8f), 0.4f, 1e-6);
}
