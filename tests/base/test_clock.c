/* clock.h: units agree with each other and nothing runs backwards. */
#include "base/clock.h"

#include <criterion/criterion.h>

Test(clock, monotonic_in_both_units)
{
    uint64_t before_ns = clock_now_ns();
    uint64_t ms = clock_now_ms();
    uint64_t after_ns = clock_now_ns();
    cr_assert_geq(after_ns, before_ns);
    cr_assert_geq(ms, before_ns / 1000000);
    cr_assert_leq(ms, after_ns / 1000000);
}

Test(clock, wall_is_milliseconds_since_the_epoch)
{
    int64_t now = clock_wall_ms();
    cr_assert_gt(now, INT64_C(1600000000000));
    cr_assert_lt(now, INT64_C(10000000000000));
}

Test(clock, cpu_time_grows_with_work)
{
    double before = clock_cpu_seconds();
    volatile unsigned work = 0;
    for (unsigned i = 0; i < 3000000; i++)
        work += i;
    cr_assert_eq(work, 3000000u / 2 * 2999999u);
    cr_assert_gt(clock_cpu_seconds(), before);
}
