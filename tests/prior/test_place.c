/* Where experts are placed: by name, like and price, and by outcomes against a search of all parameters. */
#include "prior/place.h"

#include "tiny_base.h"

static struct base base;
static struct arena *arena;

static void begin(void)
{
    base = tiny_base();
    arena = arena_create(1u << 24);
}

static void end(void)
{
    arena_free(arena);
}

TestSuite(place, .init = begin, .fini = end);

static struct placed first(struct prior_expert x)
{
    struct placed p;
    struct error err;
    cr_assert_eq(place_first(&base, &x, arena, &p, &err), OK, "%s", err.text);
    return p;
}

Test(place, by_price_is_a_step_of_strength_for_ten_times_the_price)
{
    struct placed p = first((struct prior_expert){
        .name = STR("x"),
        .price = {.input_nano_usd_per_m = 1000000000, .output_nano_usd_per_m = 1000000000}});
    cr_assert_eq(p.basis, PRIOR_PRICE);
    cr_assert_float_eq(p.parameters[0], 0, 1e-9);
    p = first((struct prior_expert){
        .name = STR("x"),
        .price = {.input_nano_usd_per_m = 10000000000, .output_nano_usd_per_m = 10000000000}});
    cr_assert_float_eq(p.parameters[0], 1, 1e-9);
    cr_assert_float_eq(p.strength_sd, 0.8, 1e-9);
}

Test(place, what_costs_nothing_is_as_strong_as_the_cheapest_price)
{
    struct placed p = first((struct prior_expert){.name = STR("x")});
    cr_assert_float_eq(p.parameters[0], log10(BASE_PRICE_MIN), 1e-6);
}

Test(place, by_name_whatever_the_price)
{
    struct placed p =
        first((struct prior_expert){.name = STR("mine"), .upstream = STR("acme/Large")});
    cr_assert_eq(p.basis, PRIOR_NAME);
    cr_assert_eq(p.known, &tiny_known[1]);
    cr_assert_float_eq(p.parameters[0], 1, 1e-9);
    cr_assert_float_eq(p.output_ratio, 2, 1e-9);
}

Test(place, like_goes_before_the_name)
{
    struct placed p = first((struct prior_expert){.name = STR("large"), .like = STR("small-1b")});
    cr_assert_eq(p.basis, PRIOR_LIKE);
    cr_assert_eq(p.known, &tiny_known[0]);
}

Test(place, an_unknown_like_is_an_error_that_says_what_is_known)
{
    struct placed p;
    struct error err;
    struct prior_expert x = {.name = STR("x"), .like = STR("nobody")};
    cr_assert_eq(place_first(&base, &x, arena, &p, &err), ERR_NOT_FOUND);
    cr_assert_not_null(strstr(err.text, "'nobody'"));
    cr_assert_not_null(strstr(err.text, "small-1b"));
}

/* By outcomes, against a grid */

#define QUESTIONS 12
#define FINE      2001

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* ln of the chance of two experts' scores on one question, over what is common to it, by a fine sum. */
static double log_chance(double logit_a, double logit_b, int a, int b)
{
    double sum = 0, weights = 0, stretch = sqrt(1 + 0.346 * base.question_sd * base.question_sd);
    for (int i = 0; i < FINE; i++) {
        double z = -8 + 16.0 * i / (FINE - 1), w = exp(-z * z / 2), u = z * base.question_sd;
        double qa = sigmoid(stretch * logit_a + u), qb = sigmoid(stretch * logit_b + u);
        double chance = (a < 0 ? 1 : a ? qa : 1 - qa) * (b < 0 ? 1 : b ? qb : 1 - qb);
        sum += w * chance;
        weights += w;
    }
    return log(sum / weights);
}

static const int score_a[QUESTIONS] = {1, 1, 1, 0, 1, 1, 0, 1, 1, 1, 0, 1},
                 score_b[QUESTIONS] = {1, 0, 1, 0, 1, 0, 0, 0, 1, 1, 0, 0};

/* Of intercepts a, b alone: the slope times the difficulty is part of them here, and its prior is narrow. */
static double posterior(double a, double b, const double *centre, double variance)
{
    double sum =
        -((a - centre[0]) * (a - centre[0]) + (b - centre[1]) * (b - centre[1])) / (2 * variance);
    for (int i = 0; i < QUESTIONS; i++)
        sum += log_chance(a, b, score_a[i], score_b[i]);
    return sum;
}

static void fill(struct prior_outcome *outcomes, const int *scores)
{
    for (int i = 0; i < QUESTIONS; i++)
        outcomes[i] =
            (struct prior_outcome){.text = str_from(arena_printf(arena, "question number %d", i)),
                                   .score = (float)scores[i]};
}

Test(place, by_outcomes_is_the_most_probable_of_all)
{
    struct prior_outcome a[QUESTIONS], b[QUESTIONS];
    fill(a, score_a);
    fill(b, score_b);
    const struct prior_expert experts[2] = {
        {.name = STR("a"),
         .price = {.input_nano_usd_per_m = 1000000000, .output_nano_usd_per_m = 1000000000},
         .outcomes = a,
         .outcome_count = QUESTIONS},
        {.name = STR("b"),
         .price = {.input_nano_usd_per_m = 1000000000, .output_nano_usd_per_m = 1000000000},
         .outcomes = b,
         .outcome_count = QUESTIONS}};
    struct placed placed[2] = {first(experts[0]), first(experts[1])};
    struct error err;
    double centre[2], got[2], best = -INFINITY, found[2] = {0, 0};
    for (int e = 0; e < 2; e++)
        centre[e] = placed[e].parameters[0] + placed[e].parameters[1] * (double)TINY_DIFFICULTY;
    cr_assert_eq(place_by_outcomes(&base, experts, 2, placed, arena, &err), OK, "%s", err.text);
    for (int e = 0; e < 2; e++)
        got[e] = placed[e].parameters[0] + placed[e].parameters[1] * (double)TINY_DIFFICULTY;
    /* of the logit at that difficulty: doubt of the strength within a pool, of the intercept, of the slope times it */
    double variance = 0.32 * 0.32 + 0.05 * 0.05 + 0.1 * 0.1 * 0.25;
    for (double x = -1.5; x < 2.5; x += 0.02)
        for (double y = -1.5; y < 2.5; y += 0.02) {
            double p = posterior(x, y, centre, variance);
            if (p > best) {
                best = p;
                found[0] = x;
                found[1] = y;
            }
        }
    cr_assert_float_eq(got[0], found[0], 0.03, "%g, by a grid %g", got[0], found[0]);
    cr_assert_float_eq(got[1], found[1], 0.03, "%g, by a grid %g", got[1], found[1]);
    cr_assert_gt(got[0], got[1]);
    cr_assert_lt(placed[0].strength_sd, 0.8);
    cr_assert_eq(placed[0].outcomes, QUESTIONS);
}

Test(place, by_longer_answers_expects_longer_ones)
{
    struct prior_outcome a[QUESTIONS];
    fill(a, score_a);
    for (int i = 0; i < QUESTIONS; i++)
        a[i].output_tokens = 399;
    const struct prior_expert x = {.name = STR("a"), .outcomes = a, .outcome_count = QUESTIONS};
    struct placed placed = first(x);
    struct error err;
    cr_assert_eq(place_by_outcomes(&base, &x, 1, &placed, arena, &err), OK, "%s", err.text);
    /* ln 400 of each against the expected 4, beside five that say 4 */
    cr_assert_float_eq(log(placed.output_ratio), (log(400) - 4) * QUESTIONS / (QUESTIONS + 5),
                       1e-6);
}

/* Ten scores that are believed by a tenth say as much as one. */
Test(place, by_doubtful_outcomes_it_moves_less)
{
    struct prior_outcome a[QUESTIONS];
    struct error err;
    fill(a, score_a);
    for (int i = 0; i < QUESTIONS; i++)
        a[i].score = 1;
    const struct prior_expert x = {.name = STR("a"), .outcomes = a, .outcome_count = QUESTIONS};
    struct placed before = first(x), sure = before, doubtful = before;
    cr_assert_eq(place_by_outcomes(&base, &x, 1, &sure, arena, &err), OK, "%s", err.text);
    for (int i = 0; i < QUESTIONS; i++)
        a[i].confidence = 0.1f;
    cr_assert_eq(place_by_outcomes(&base, &x, 1, &doubtful, arena, &err), OK, "%s", err.text);
    cr_expect_gt(sure.parameters[0], doubtful.parameters[0] + 0.01);
    cr_expect_gt(doubtful.parameters[0], before.parameters[0]);
    cr_expect_lt(sure.strength_sd, doubtful.strength_sd);
    cr_expect_lt(doubtful.strength_sd, before.strength_sd);
}

Test(place, without_outcomes_nothing_moves)
{
    const struct prior_expert x = {
        .name = STR("a"),
        .price = {.input_nano_usd_per_m = 1000000000, .output_nano_usd_per_m = 1000000000}};
    struct placed placed = first(x), before = placed;
    struct error err;
    cr_assert_eq(place_by_outcomes(&base, &x, 1, &placed, arena, &err), OK, "%s", err.text);
    cr_assert_eq(memcmp(&placed, &before, sizeof(placed)), 0);
}
