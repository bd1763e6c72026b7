/* Whether s comes back out of outcomes that were drawn with it. */
#include "stage/shared_fit.h"

#include <math.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "base/rng.h"
#include "predict/shared_factor.h"

#define ROWS    3000
#define EXPERTS 6

static float quality[ROWS * EXPERTS], scores[ROWS * EXPERTS], weights[ROWS * EXPERTS];

static double normal(struct rng *r)
{
    return sqrt(-2 * log(rng_uniform(r) + 1e-12)) * cos(2 * acos(-1) * rng_uniform(r));
}

static struct shared_rows drawn(float s, uint64_t seed)
{
    struct rng r;
    rng_seed(&r, seed);
    for (size_t i = 0; i < ROWS; i++) {
        float *q = quality + i * EXPERTS, target[EXPERTS], a[EXPERTS];
        double u = normal(&r);
        for (size_t e = 0; e < EXPERTS; e++) {
            q[e] = (float)(0.1 + 0.8 * rng_uniform(&r));
            target[e] = shared_logit(q[e]);
        }
        shared_intercepts(target, EXPERTS, s, a);
        for (size_t e = 0; e < EXPERTS; e++)
            scores[i * EXPERTS + e] =
                rng_uniform(&r) < 1 / (1 + exp(-((double)a[e] + (double)s * u)));
    }
    return (struct shared_rows){
        .rows = ROWS, .experts = EXPERTS, .quality = quality, .scores = scores};
}

Test(shared_fit, finds_what_outcomes_were_drawn_with)
{
    const float wanted[] = {0.5f, 1, 2, 3};
    for (size_t i = 0; i < 4; i++) {
        struct shared_rows r = drawn(wanted[i], 100 + i);
        float s = -1;
        cr_assert(shared_fit(&r, &s));
        cr_assert_float_eq((double)s, (double)wanted[i], 0.15 * (double)wanted[i], "%g: %g",
                           (double)wanted[i], (double)s);
    }
    struct shared_rows r = drawn(0, 11);
    float s = -1;
    cr_assert(shared_fit(&r, &s));
    cr_assert(s >= 0 && s < 0.25f, "%g", (double)s);
}

Test(shared_fit, what_is_unknown_or_weighs_nothing_does_not_count)
{
    struct shared_rows r = drawn(1, 5);
    float all, s, weighed;
    struct rng rng;
    rng_seed(&rng, 3);
    cr_assert(shared_fit(&r, &all));
    for (size_t i = 0; i < ROWS; i++) { /* the last three experts now say the contrary of others */
        for (size_t e = 0; e < EXPERTS; e++)
            weights[i * EXPERTS + e] = e < 3;
        for (size_t e = 3; e < EXPERTS; e++)
            scores[i * EXPERTS + e] = 1 - scores[i * EXPERTS + e - 3];
    }
    cr_assert(shared_fit(&r, &s));
    cr_assert_lt((double)s, (double)all / 2);
    r.weights = weights;
    cr_assert(shared_fit(&r, &weighed));
    cr_assert_float_eq((double)weighed, (double)all, 0.25);
    for (size_t i = 0; i < ROWS; i++)
        for (size_t e = 3; e < EXPERTS; e++)
            scores[i * EXPERTS + e] = -1;
    r.weights = NULL;
    cr_assert(shared_fit(&r, &s));
    cr_assert_float_eq((double)s, (double)weighed, 1e-3);
}

Test(shared_fit, one_expert_alone_says_nothing)
{
    float s = 7;
    struct shared_rows r = drawn(1, 5);
    r.rows = ROWS * EXPERTS;
    r.experts = 1;
    cr_assert_not(shared_fit(&r, &s));
    cr_assert_eq((double)s, 7);
    r.rows = 0;
    cr_assert_not(shared_fit(&r, &s));
}

Test(shared_fit, any_numbers_give_an_s_within_its_range)
{
    const float odd[] = {NAN, 0, 1, INFINITY, -2, 0.5f};
    struct shared_rows r = drawn(1, 5);
    r.rows = 50;
    for (size_t i = 0; i < 50 * EXPERTS; i++)
        quality[i] = odd[i % 6];
    float s = -1;
    cr_assert(shared_fit(&r, &s));
    cr_assert(s >= 0 && s <= SHARED_SD_MAX);
}
