/* Groups go to folds whole, the largest first, to where there is most room. */
#include "fit/deal.h"

#include <criterion/criterion.h>

Test(deal, folds_are_filled_evenly)
{
    /* sizes 1, 5, 2, 4, 2; one row is of no group */
    const uint32_t groups[] = {1, 1, 1, 1, 1, 0, 2, 2, 3, 3, 3, 3, 4, 4, DEAL_NONE};
    uint8_t fold_of[5];
    cr_assert_eq(deal_groups(groups, 15, 5, 2, fold_of, NULL), OK);
    const uint8_t wanted[] = {1, 0, 1, 1, 0}; /* 5; 4; 2 to the 4; 2 to the 5; 1 to the 6 */
    for (size_t i = 0; i < 5; i++)
        cr_assert_eq(fold_of[i], wanted[i], "group %zu", i);
}

Test(deal, fewer_groups_than_folds_leave_folds_empty)
{
    const uint32_t groups[] = {0, 1, 1};
    uint8_t fold_of[2];
    cr_assert_eq(deal_groups(groups, 3, 2, 4, fold_of, NULL), OK);
    cr_assert_eq(fold_of[1], 0);
    cr_assert_eq(fold_of[0], 1);
    cr_assert_eq(deal_groups(groups, 0, 0, 4, fold_of, NULL), OK);
}
