/* Standard errors against analysis. */
#include "eval/bootstrap.h"

#include <math.h>

#include <criterion/criterion.h>

Test(bootstrap, spread_is_mean_and_deviation)
{
    struct spread s = {0};
    cr_assert(isnan(spread_error(&s)));
    double values[] = {2, 4, 4, 4, 5, 5, 7, 9};
    for (size_t i = 0; i < 8; i++)
        spread_add(&s, values[i]);
    spread_add(&s, NAN);
    cr_assert_float_eq(s.mean, 5, 1e-12);
    cr_assert_float_eq(spread_error(&s), sqrt(32.0 / 7), 1e-12);
    cr_assert(s.count == 8 && s.missing == 1);
}

Test(bootstrap, a_draw_is_as_large_as_its_set_and_repeatable)
{
    uint32_t a[500], b[500];
    struct rng r1, r2;
    rng_seed(&r1, 3);
    rng_seed(&r2, 3);
    bootstrap_draw(&r1, a, 500);
    bootstrap_draw(&r2, b, 500);
    size_t total = 0, absent = 0;
    for (size_t i = 0; i < 500; i++) {
        total += a[i];
        absent += a[i] == 0;
        cr_assert_eq(a[i], b[i]);
    }
    cr_assert_eq(total, 500);
    cr_assert(absent > 140 && absent < 230, "%zu absent, 1/e of them wanted", absent);
}

/* The error of a mean is known: deviation / sqrt(n). */
Test(bootstrap, the_error_of_a_mean_is_the_analytic_one)
{
    enum { N = 400, DRAWS = 4000 };
    double values[N], mean = 0, squares = 0;
    struct rng r;
    rng_seed(&r, 4);
    for (size_t i = 0; i < N; i++) {
        values[i] = rng_uniform(&r) < 0.3;
        mean += values[i] / N;
    }
    for (size_t i = 0; i < N; i++)
        squares += (values[i] - mean) * (values[i] - mean);
    double want = sqrt(squares / (N - 1) / N);
    struct spread s = {0};
    uint32_t weights[N];
    for (size_t d = 0; d < DRAWS; d++) {
        double drawn = 0;
        bootstrap_draw(&r, weights, N);
        for (size_t i = 0; i < N; i++)
            drawn += weights[i] * values[i] / N;
        spread_add(&s, drawn);
    }
    cr_assert_float_eq(s.mean, mean, 0.002);
    cr_assert_float_eq(spread_error(&s) / want, 1, 0.04, "%g, analytic %g", spread_error(&s), want);
}
