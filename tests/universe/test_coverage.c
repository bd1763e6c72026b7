/* Coverage is the sum of best scores, and that of domains adds up to it. */
#include "universe/coverage.h"

#include <criterion/criterion.h>

#include "universe/universe_toy.h"

Test(coverage, is_the_sum_of_best_scores)
{
    struct rng r;
    rng_seed(&r, 81);
    for (size_t i = 0; i < 50; i++) {
        struct toy t;
        struct coverage v;
        struct error err;
        double value;
        toy_draw(&r, (enum toy_scores)(i % TOY_SCORES), 6, 40, &t);
        const size_t members[] = {4, 0, 5};
        cr_assert_eq(coverage_all(&t.c, t.a, &v, &err), OK);
        struct objective o = coverage_objective(&v);
        cr_assert_eq(o.value(o.arg, members, 3, &value, &err), OK);
        cr_assert_eq(value, toy_value(&t, 1U << 4 | 1U | 1U << 5));
        cr_assert_float_eq(value * o.unit, coverage_mean(&v, members, 3), 1e-12);
        cr_assert_eq(o.value(o.arg, members, 0, &value, &err), OK);
        cr_assert_eq(value, 0);
        arena_free(t.a);
    }
}

Test(coverage, domains_add_up)
{
    struct rng r;
    struct toy t;
    struct coverage all, one;
    struct error err;
    const size_t members[] = {1, 2};
    double sum = 0;
    rng_seed(&r, 82);
    toy_draw(&r, TOY_ANY, 4, 70, &t);
    toy_domains(&t, 4);
    cr_assert_eq(coverage_all(&t.c, t.a, &all, &err), OK);
    for (uint32_t d = 0; d < 4; d++) {
        cr_assert_eq(coverage_domain(&t.c, d, t.a, &one, &err), OK);
        sum += coverage_value(&one, members, 2);
    }
    cr_assert_eq(sum, coverage_value(&all, members, 2));
    arena_free(t.a);
}
