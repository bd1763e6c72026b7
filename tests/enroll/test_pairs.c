/* Outcomes beside those of known experts on the same questions. */
#include "enroll/pairs.h"

#include <math.h>

#include <criterion/criterion.h>

#include "base/rng.h"

#define COUNT 400

static double logits[COUNT], scores[COUNT], posterior[1], targets[COUNT], weights[COUNT],
    adjusted[COUNT], scaled[COUNT], x[COUNT * 3];
static bool remembered[COUNT];
static const double theta[3] = {0, 1, 0}, share[1] = {1};

/* One known expert of chance one half everywhere; the newcomer agrees with it `agreement` of the time. */
static void make(double agreement, struct standing_terms *t, struct seen *s)
{
    struct rng r;
    rng_seed(&r, 5);
    for (size_t i = 0; i < COUNT; i++) {
        scores[i] = (double)rng_below(&r, 2);
        targets[i] = rng_uniform(&r) < agreement ? scores[i] : (double)rng_below(&r, 2);
        adjusted[i] = targets[i];
        scaled[i] = weights[i] = 1;
        x[3 * i] = 1;
    }
    *t = (struct standing_terms){.known = 1, .count = 3, .x = x};
    *s = (struct seen){.rows = COUNT,
                       .known = 1,
                       .logits = logits,
                       .scores = scores,
                       .posterior = posterior,
                       .remembered = remembered};
}

static double variance(const double *v)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < COUNT; i++) {
        sum += v[i] / COUNT;
        squares += v[i] * v[i] / COUNT;
    }
    return squares - sum * sum;
}

Test(pairs, what_is_shared_is_taken_off)
{
    struct standing_terms t;
    struct seen s;
    make(0.8, &t, &s);
    pairs_compare(&t, &s, targets, weights, theta, share, adjusted, scaled);
    cr_expect_lt(variance(adjusted), 0.6 * variance(targets));
    cr_expect(scaled[0] > 1.4 && scaled[0] <= 2.5, "%g", scaled[0]);
}

Test(pairs, what_is_not_shared_stays)
{
    struct standing_terms t;
    struct seen s;
    make(0, &t, &s);
    pairs_compare(&t, &s, targets, weights, theta, share, adjusted, scaled);
    cr_expect_float_eq(variance(adjusted), variance(targets), 0.02);
    cr_expect_float_eq(scaled[0], 1, 0.05);
}

Test(pairs, nothing_is_told_by_few_or_by_what_is_remembered)
{
    struct standing_terms t;
    struct seen s;
    make(0.8, &t, &s);
    for (size_t i = 5; i < COUNT; i++)
        scores[i] = -1;
    pairs_compare(&t, &s, targets, weights, theta, share, adjusted, scaled);
    cr_expect_eq(memcmp(adjusted, targets, sizeof(targets)), 0);
    make(0.8, &t, &s);
    memset(remembered, 1, sizeof(remembered));
    pairs_compare(&t, &s, targets, weights, theta, share, adjusted, scaled);
    cr_expect_eq(memcmp(adjusted, targets, sizeof(targets)), 0);
}
