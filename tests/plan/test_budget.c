/* Budget streams end at their target, shuffled or sorted, calibrated or not. */
#include "plan/budget.h"

#include <math.h>

#include <criterion/criterion.h>

#include "base/rng.h"

#define SAMPLE 4000

/* A stream in the likeness of recorded ones: a cheap expert, and one whose price is ~17 times higher and whose
 * advantage differs by query; `topic` shifts the advantage, `size` the price. */
static void query_make(struct rng *r, double topic, struct estimate *e)
{
    double size = exp(1.0 * (rng_uniform(r) + rng_uniform(r) - 1));
    double advantage = topic + 0.25 * (rng_uniform(r) + rng_uniform(r) - 1);
    e[0] = (struct estimate){.quality = 0.6f, .cost_nano_usd = (int64_t)(60e3 * size)};
    e[1] = (struct estimate){.quality = (float)(0.6 + advantage),
                             .cost_nano_usd = (int64_t)(1000e3 * size)};
    e[0].cost_max_nano_usd = e[0].cost_nano_usd;
    e[1].cost_max_nano_usd = e[1].cost_nano_usd;
}

static double even(size_t i)
{
    (void)i;
    return 0.12;
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

/* Subjects of 300 queries, an easy one, then a hard one. */
static double by_subject(size_t i)
{
    return i / 300 % 2 ? 0.18 : 0.06;
}

static double mixed(size_t i)
{
    return i % 2 ? 0.18 : 0.06;
}

static void begin(struct budget *b, double usd_per_1k, double (*topic)(size_t), double price_factor)
{
    static float quality[SAMPLE * 2], cost[SAMPLE * 2];
    struct rng r;
    rng_seed(&r, 99);
    for (size_t i = 0; i < SAMPLE; i++) {
        struct estimate e[2];
        query_make(&r, topic(i), e);
        for (size_t k = 0; k < 2; k++) {
            quality[2 * i + k] = e[k].quality;
            cost[2 * i + k] = (float)(price_factor * (double)e[k].cost_nano_usd / 1e9);
        }
    }
    const struct model_sample sample = {SAMPLE, 2, quality, cost};
    budget_init_sample(b, &sample, NULL, usd_per_1k);
}

/* Mean cost per query in USD of `count` queries under budget control, as it is found: `factor` times the prediction. */
static double stream(struct budget *b, struct rng *r, size_t count, double (*topic)(size_t),
                     double factor)
{
    struct policy p = {0};
    double spent = 0;
    for (size_t i = 0; i < count; i++) {
        struct estimate e[2];
        struct decision d;
        double usual;
        query_make(r, topic(i), e);
        cr_assert_eq(budget_decide(b, &p, e, NULL, 2, &d, &usual, NULL), OK);
        double usd = factor * (double)d.cost_nano_usd / 1e9;
        budget_observe(b, usd, usual);
        spent += usd;
    }
    return spent / (double)count;
}

static const double targets_per_1k[] = {0.15, 0.3, 0.5, 0.7, 0.9};

Test(budget, calibrated_streams_end_at_the_target)
{
    for (size_t t = 0; t < 5; t++) {
        double worst = 0, late = 0;
        for (uint64_t seed = 0; seed < 20; seed++) {
            struct rng r;
            struct budget b;
            rng_seed(&r, seed);
            begin(&b, targets_per_1k[t], even, 1);
            double first = stream(&b, &r, 1000, even, 1), rest = stream(&b, &r, 9000, even, 1);
            double target = targets_per_1k[t] / 1000;
            worst = fmax(worst, fabs(first / target - 1));
            late = fmax(late, fabs((first + 9 * rest) / 10 / target - 1));
        }
        cr_expect(worst < 0.02, "target %g: %.4f after 1,000", targets_per_1k[t], worst);
        cr_expect(late < 0.005, "target %g: %.4f after 10,000", targets_per_1k[t], late);
    }
}

/* The model was calibrated at other prices, or answers cost more or less than predicted, all by a factor. */
Test(budget, a_bad_start_is_mended)
{
    for (int other = 0; other < 4; other++) {
        struct rng r;
        struct budget b;
        double factor = other % 2 ? 2.0 : 0.7;
        rng_seed(&r, 5);
        begin(&b, 0.5, even, other < 2 ? factor : 1);
        double found = other < 2 ? 1 : factor;
        double off = stream(&b, &r, 1000, even, found) / 0.5e-3 - 1;
        cr_expect(fabs(off) < 0.05, "case %d: off by %.4f after 1,000", other, off);
        off = stream(&b, &r, 9000, even, found) / 0.5e-3 - 1;
        cr_expect(fabs(off) < 0.015, "case %d: off by %.4f in the 9,000 after", other, off);
    }
}

Test(budget, without_a_sample_it_finds_its_way)
{
    const struct model_sample none = {0, 2, NULL, NULL};
    struct rng r;
    struct budget b;
    rng_seed(&r, 5);
    budget_init_sample(&b, &none, NULL, 0.5);
    stream(&b, &r, 2000, even, 1);
    double off = stream(&b, &r, 8000, even, 1) / 0.5e-3 - 1;
    cr_expect(fabs(off) < 0.03, "off by %.4f", off);
}

/* Hard subjects may cost more than easy ones, and the mean still holds; shuffled, the same queries cost alike. */
Test(budget, sorted_streams_spend_where_it_helps_and_still_end_near)
{
    struct rng r;
    struct budget b;
    double on_easy = 0, on_hard = 0;
    rng_seed(&r, 6);
    begin(&b, 0.5, mixed, 1);
    for (size_t pair = 0; pair < 20; pair++) {
        on_easy += stream(&b, &r, 300, easy, 1) / 20;
        on_hard += stream(&b, &r, 300, hard, 1) / 20;
    }
    double off = (on_easy + on_hard) / 2 / 0.5e-3 - 1;
    cr_expect(fabs(off) < 0.02, "off by %.4f", off);
    cr_expect(on_hard > 1.5 * on_easy, "%.3g on hard, %.3g on easy", on_hard, on_easy);
}

/* A stream that has left the mix which was trained on for good is not allowed debt for ever. */
Test(budget, another_mix_for_good_is_paid_for)
{
    struct rng r;
    struct budget b;
    rng_seed(&r, 6);
    begin(&b, 0.5, mixed, 1);
    stream(&b, &r, 3000, by_subject, 1);
    for (int i = 0; i < 30; i++) {
        stream(&b, &r, 1000, hard, 1);
        double debt = b.state.spent_usd / 0.5e-3 - (double)b.state.queries;
        cr_assert_lt(debt, BUDGET_ALLOWANCE_MAX + 200, "%g queries' worth too much", debt);
    }
    double off = b.state.spent_usd / (double)b.state.queries / 0.5e-3 - 1;
    cr_expect(off < 0.05, "off by %.4f after 33,000", off);
}

Test(budget, an_unreachable_target_leaves_lambda_at_its_end)
{
    struct rng r;
    struct budget b;
    rng_seed(&r, 7);
    begin(&b, 100, even, 1);
    stream(&b, &r, 2000, even, 1);
    cr_assert(budget_lambda(&b) <= 1e-3 / 0.1 * 1.001);
    begin(&b, 1e-6, even, 1);
    stream(&b, &r, 2000, even, 1);
    cr_assert(budget_lambda(&b) >= 1e3 / 1e-9 * 0.999);
    cr_assert(isfinite(budget_lambda(&b)));
}

/* What could not be spent is not owed for ever: after a day of easy queries hard ones may not be answered dear for
 * as long again. */
Test(budget, old_savings_are_forgotten)
{
    struct rng r;
    struct budget b;
    rng_seed(&r, 8);
    begin(&b, 2.0, even, 1); /* above all that can be spent: 0.9 or so */
    stream(&b, &r, 50000, even, 1);
    cr_assert(b.state.debt >= -2000 - BUDGET_ALLOWANCE_MAX);
    cr_assert_eq(b.state.queries, 50000);
}

Test(budget, a_query_of_unknown_kind_is_a_usual_one)
{
    struct budget b;
    begin(&b, 0.5, even, 1);
    for (int i = 0; i < 200; i++)
        budget_observe(&b, 0.5e-3, -1);
    cr_assert_eq(b.state.mix, 0);
    cr_assert_float_eq(b.state.debt, 0, 1e-9);
    cr_assert_float_eq(budget_lambda(&b), b.lambda_usual, 1e-9 * b.lambda_usual);
}

Test(budget, a_stream_goes_on_where_it_was)
{
    struct rng r;
    struct budget whole, first, second;
    struct error err;
    rng_seed(&r, 9);
    begin(&whole, 0.5, mixed, 1);
    begin(&second, 0.5, mixed, 1);
    stream(&whole, &r, 777, by_subject, 1);
    first = whole;
    cr_assert_eq(budget_resume(&second, &first.state, &err), OK);
    struct rng again = r;
    double one = stream(&whole, &r, 500, by_subject, 1),
           other = stream(&second, &again, 500, by_subject, 1);
    cr_assert_eq(one, other);
    cr_assert_eq(budget_lambda(&whole), budget_lambda(&second));
}

Test(budget, a_state_that_cannot_be_is_refused)
{
    struct budget b;
    struct error err;
    begin(&b, 0.5, even, 1);
    const struct budget before = b;
    const struct budget_state bad[] = {
        {.queries = 1, .debt = NAN},     {.queries = 1, .spent_usd = -1},
        {.queries = 1, .mix = INFINITY}, {.queries = 1, .mix_squares = -1},
        {.queries = 0, .debt = 3},       {.queries = 1, .run_squares = -2},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_expect_eq(budget_resume(&b, &bad[i], &err), ERR_CORRUPT, "%zu", i);
        cr_expect_eq(budget_lambda(&b), budget_lambda(&before));
        cr_expect_eq(b.state.queries, 0);
    }
}
