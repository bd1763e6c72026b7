/* Budget streams end at their target. */
#include "plan/budget.h"

#include <math.h>

#include <criterion/criterion.h>

#include "base/rng.h"
#include "plan/decide.h"

/* A stream in the likeness of recorded ones: a cheap expert, and one whose price is ~17 times higher and whose
 * advantage differs by query; `topic` shifts the advantage, `size` the price. */
static void query_make(struct rng *r, double topic, struct estimate *e)
{
    double size = exp(1.0 * (rng_uniform(r) + rng_uniform(r) - 1));
    double advantage = topic + 0.25 * (rng_uniform(r) + rng_uniform(r) - 1);
    e[0] = (struct estimate){.quality = 0.6f, .cost_nano_usd = (int64_t)(60e3 * size)};
    e[1] = (struct estimate){.quality = (float)(0.6 + advantage),
                             .cost_nano_usd = (int64_t)(1000e3 * size)};
}

/* Mean cost per query in USD of `count` queries under budget control. */
static double stream(struct budget *b, struct rng *r, size_t count, double (*topic)(size_t))
{
    struct policy p = {0};
    double spent = 0;
    for (size_t i = 0; i < count; i++) {
        struct estimate e[2];
        struct decision d;
        query_make(r, topic(i), e);
        cr_assert_eq(decide(&p, budget_lambda(b), e, NULL, 2, &d, NULL), OK);
        double usd = (double)d.cost_nano_usd / 1e9;
        budget_observe(b, usd);
        spent += usd;
    }
    return spent / (double)count;
}

static double even(size_t i)
{
    (void)i;
    return 0.12;
}

/* Lambda at which the stream costs `usd` on average: bisection on a large sample. */
static double calibrate(double usd)
{
    double low = 1, high = 1e5;
    for (int round = 0; round < 40; round++) {
        double middle = sqrt(low * high), spent = 0;
        struct rng r;
        rng_seed(&r, 99);
        for (int i = 0; i < 4000; i++) {
            struct estimate e[2];
            struct decision d;
            struct policy p = {0};
            query_make(&r, even(0), e);
            cr_assert_eq(decide(&p, middle, e, NULL, 2, &d, NULL), OK);
            spent += (double)d.cost_nano_usd / 1e9 / 4000;
        }
        *(spent > usd ? &low : &high) = middle;
    }
    return sqrt(low * high);
}

static const double targets_per_1k[] = {0.15, 0.3, 0.5, 0.7, 0.9};

Test(budget, calibrated_streams_end_at_the_target)
{
    for (size_t t = 0; t < 5; t++) {
        double target = targets_per_1k[t] / 1000, lambda = calibrate(target), worst = 0, mean = 0;
        for (uint64_t seed = 0; seed < 20; seed++) {
            struct rng r;
            rng_seed(&r, seed);
            struct budget b;
            budget_init(&b, targets_per_1k[t], lambda);
            double off = stream(&b, &r, 1000, even) / target - 1;
            worst = fmax(worst, fabs(off));
            mean += off / 20;
        }
        cr_expect(worst < 0.03, "target %g: worst %.4f", targets_per_1k[t], worst);
        cr_expect(fabs(mean) < 0.01, "target %g: mean %.4f", targets_per_1k[t], mean);
    }
}

/* The model was calibrated on other traffic: lambda starts off by a factor of three either way, or at nothing. */
Test(budget, a_bad_start_is_mended)
{
    double target = 0.5e-3, lambda = calibrate(target);
    double starts[] = {lambda * 3, lambda / 3, 0};
    for (size_t s = 0; s < 3; s++) {
        struct rng r;
        rng_seed(&r, 5);
        struct budget b;
        budget_init(&b, 0.5, starts[s]);
        double off = stream(&b, &r, 1000, even) / target - 1;
        cr_expect(fabs(off) < 0.05, "start %g: off by %.4f after 1,000", starts[s], off);
        off = stream(&b, &r, 9000, even) / target - 1;
        cr_expect(fabs(off) < 0.01, "start %g: off by %.4f in the 9,000 after", starts[s], off);
    }
}

static double easy(size_t i)
{
    (void)i;
    return 0.06;
}

static double hard(size_t i)
{
    (void)i;
    return 0.18;
}

/* Topics of 200 queries, an easy one, then a hard one: hard ones may cost more, and the mean still holds. */
Test(budget, sorted_streams_spend_where_it_helps_and_still_end_near)
{
    struct rng r;
    rng_seed(&r, 6);
    struct budget b;
    budget_init(&b, 0.5, calibrate(0.5e-3));
    double on_easy = 0, on_hard = 0;
    for (size_t pair = 0; pair < 25; pair++) {
        on_easy += stream(&b, &r, 200, easy) / 25;
        on_hard += stream(&b, &r, 200, hard) / 25;
    }
    double off = (on_easy + on_hard) / 2 / 0.5e-3 - 1;
    cr_expect(fabs(off) < 0.02, "off by %.4f", off);
    cr_expect(on_hard > 1.5 * on_easy, "%.3g on hard, %.3g on easy", on_hard, on_easy);
}

Test(budget, an_unreachable_target_leaves_lambda_at_its_end)
{
    struct rng r;
    rng_seed(&r, 7);
    struct budget b;
    budget_init(&b, 100, 0);
    stream(&b, &r, 2000, even);
    cr_assert(budget_lambda(&b) <= 1e-3 / 0.1 * 1.001);
    budget_init(&b, 1e-6, 1000);
    stream(&b, &r, 2000, even);
    cr_assert(budget_lambda(&b) >= 1e3 / 1e-9 * 0.999);
    cr_assert(isfinite(budget_lambda(&b)));
}

/* What could not be spent is not owed for ever: after a day of easy queries hard ones may not be answered dear for
 * as long again. */
Test(budget, old_savings_are_forgotten)
{
    struct rng r;
    rng_seed(&r, 8);
    struct budget b;
    budget_init(&b, 2.0, 0); /* above all that can be spent: 0.9 or so */
    stream(&b, &r, 50000, even);
    cr_assert(b.debt >= -8 * 2000.0);
    cr_assert_eq(b.queries, 50000);
}
