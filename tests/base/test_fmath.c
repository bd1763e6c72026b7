/* exp and sigmoid against libm in double precision. */
#include "base/fmath.h"

#include <math.h>

#include <criterion/criterion.h>

#define ERROR_MAX 2e-7

Test(fmath, exp_over_the_whole_range)
{
    double worst = 0;
    for (int i = -8000000; i <= 8000000; i += 7) {
        float x = (float)i * 1e-5f;
        double exact = exp((double)x);
        worst = fmax(worst, fabs((double)fmath_exp(x) - exact) / exact);
    }
    cr_assert_lt(worst, ERROR_MAX, "relative error %g", worst);
}

Test(fmath, exp_is_exact_at_zero_and_clamps_outside)
{
    cr_assert_eq((double)fmath_exp(0), 1);
    cr_assert_eq((double)fmath_exp(1e30f), (double)fmath_exp(80));
    cr_assert_eq((double)fmath_exp(-1e30f), (double)fmath_exp(-80));
    cr_assert_eq((double)fmath_exp(INFINITY), (double)fmath_exp(80));
    cr_assert_eq((double)fmath_exp(-INFINITY), (double)fmath_exp(-80));
    cr_assert_gt((double)fmath_exp(-80), 0);
}

/* What comes out of a forged model must not reach a cast that C leaves undefined. */
Test(fmath, not_a_number_gives_a_number)
{
    cr_assert(isfinite(fmath_exp(NAN)));
    cr_assert(isfinite(fmath_sigmoid(NAN)));
}

Test(fmath, sigmoid_relative_error_and_symmetry)
{
    double worst = 0;
    for (int i = -790000; i <= 790000; i++) {
        float x = (float)i * 1e-4f;
        double exact = 1 / (1 + exp(-(double)x)), got = (double)fmath_sigmoid(x);
        worst = fmax(worst, fabs(got - exact) / exact);
        cr_assert(got > 0 && got <= 1);
    }
    cr_assert_lt(worst, 2 * ERROR_MAX, "relative error %g", worst);
    cr_assert_eq((double)fmath_sigmoid(0), 0.5);
}

Test(fmath, exp_never_falls)
{
    float before = 0;
    for (int i = -80000; i <= 80000; i++) {
        float now = fmath_exp((float)i * 1e-3f);
        cr_assert_geq((double)now, (double)before, "at %d", i);
        before = now;
    }
}
