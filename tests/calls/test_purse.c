/* What may be spent beside what is spent and reserved. */
#include "calls/purse.h"

#include <criterion/criterion.h>

Test(purse, the_cap_counts_what_is_in_flight)
{
    struct purse p = {.cap_nano_usd = 100};
    cr_assert(purse_reserve(&p, 60));
    cr_assert_not(purse_reserve(&p, 41));
    cr_assert_eq(p.reserved_nano_usd, 60, "what does not fit changes nothing");
    cr_assert(purse_reserve(&p, 40));
    cr_assert_eq(purse_left_nano_usd(&p), 0);
    purse_settle(&p, 60, 10);
    cr_assert_eq(p.spent_nano_usd, 10);
    cr_assert_eq(purse_left_nano_usd(&p), 50);
    cr_assert_not(purse_reserve(&p, 51));
    cr_assert(purse_reserve(&p, 0));
}

Test(purse, what_was_paid_beyond_the_cap_is_spent)
{
    struct purse p = {.cap_nano_usd = 100};
    cr_assert(purse_reserve(&p, 100));
    purse_settle(&p, 100, 150);
    cr_assert_eq(p.spent_nano_usd, 150);
    cr_assert_eq(purse_left_nano_usd(&p), 0);
    cr_assert_not(purse_reserve(&p, 1));
    cr_assert(purse_reserve(&p, 0), "what is free is always affordable");
}

Test(purse, without_a_cap_all_fits)
{
    struct purse p = {.cap_nano_usd = PURSE_NO_CAP};
    purse_book(&p, INT64_MAX);
    purse_book(&p, 1);
    cr_assert_eq(p.spent_nano_usd, INT64_MAX);
    cr_assert(purse_reserve(&p, INT64_MAX));
}

Test(purse, what_was_reserved_before_is_held_whatever_is_left)
{
    struct purse p = {.cap_nano_usd = 100, .spent_nano_usd = 90};
    purse_hold(&p, 30);
    cr_assert_eq(p.reserved_nano_usd, 30);
    cr_assert_eq(purse_left_nano_usd(&p), 0);
    cr_assert(!purse_reserve(&p, 1));
    purse_settle(&p, 30, 5);
    cr_assert_eq(purse_left_nano_usd(&p), 5);
}
