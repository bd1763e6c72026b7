/* Three lambdas of a table whose curve is known: what each is worth is that of just this policy. */
#include "print/lambda_points.h"

#include <math.h>

#include <criterion/criterion.h>

#define QUERIES 200

static struct estimate estimates[QUERIES * 2];
static struct outcome outcomes[QUERIES * 2];
static struct str names[] = {{"small", 5}, {"large", 5}};

/* The small one is right on the first half, and known to be; the large one on all but every tenth, for 100 times the
 * money. What it adds on the second half differs from query to query. */
static struct eval_table table(size_t queries)
{
    for (size_t q = 0; q < QUERIES; q++) {
        bool easy = q < QUERIES / 2;
        estimates[2 * q] =
            (struct estimate){.quality = easy ? 0.95f : 0.1f, .cost_nano_usd = 10000};
        estimates[2 * q + 1] = (struct estimate){
            .quality = easy ? 0.95f : 0.5f + 0.4f * (float)q / QUERIES, .cost_nano_usd = 1000000};
        outcomes[2 * q] = (struct outcome){
            .score = easy ? 1 : 0, .cost_nano_usd = 10000, .known = true, .cost_known = true};
        outcomes[2 * q + 1] = (struct outcome){
            .score = q % 10 != 0, .cost_nano_usd = 1000000, .known = true, .cost_known = true};
    }
    return (struct eval_table){.queries = queries,
                               .experts = 2,
                               .names = names,
                               .estimates = estimates,
                               .outcomes = outcomes};
}

Test(lambda_points, places_are_found_and_measured)
{
    struct lambda_points p;
    struct error err;
    struct arena *a = arena_create(64 << 20);
    struct eval_table t = table(QUERIES);
    cr_assert_eq(lambda_points_of(&t, a, &p, &err), OK);
    cr_expect_eq(p.queries, QUERIES);
    cr_expect(str_equal(p.best, STR("large")));
    cr_expect_float_eq(p.best_quality, 0.9, 1e-9);
    cr_expect_float_eq(p.best_usd_per_1k, 1, 1e-9);
    const struct lambda_point *same = &p.at[LAMBDA_MATCHES], *half = &p.at[LAMBDA_HALF];
    cr_assert(same->there && half->there && p.at[LAMBDA_KNEE].there);
    cr_expect_geq(same->quality, 0.9);
    cr_expect_lt(same->usd_per_1k, 0.5, "half of the queries never need the large one");
    cr_expect_leq(half->usd_per_1k, 0.5 + 1e-9);
    cr_expect_float_eq(half->quality_error, sqrt(half->quality * (1 - half->quality) / QUERIES),
                       1e-9);
    for (int i = 0; i < LAMBDA_PLACES; i++) {
        double digits = p.at[i].lambda / pow(10, floor(log10(p.at[i].lambda)) - 1);
        cr_expect_float_eq(digits, round(digits), 1e-6, "two digits: %g", p.at[i].lambda);
    }
    arena_free(a);
}

Test(lambda_points, few_queries_tell_nothing)
{
    struct lambda_points p;
    struct error err;
    struct arena *a = arena_create(64 << 20);
    struct eval_table t = table(LAMBDA_ROWS_MIN - 1);
    cr_assert_eq(lambda_points_of(&t, a, &p, &err), OK);
    for (int i = 0; i < LAMBDA_PLACES; i++)
        cr_expect_not(p.at[i].there);
    t = table(QUERIES);
    t.experts = 1;
    cr_assert_eq(lambda_points_of(&t, a, &p, &err), OK);
    cr_expect_not(p.at[LAMBDA_KNEE].there);
    arena_free(a);
}

Test(lambda_points, a_quality_that_is_never_reached_is_said_so)
{
    struct lambda_points p;
    struct error err;
    struct arena *a = arena_create(64 << 20);
    struct eval_table t = table(QUERIES);
    for (size_t q = 0; q < QUERIES / 2; q++) { /* the estimates err: the small one is wrong here */
        outcomes[2 * q].score = 0;
        outcomes[2 * q + 1].score = 1;
        estimates[2 * q].quality = 1;
    }
    cr_assert_eq(lambda_points_of(&t, a, &p, &err), OK);
    cr_expect_not(p.at[LAMBDA_MATCHES].there);
    cr_expect(p.at[LAMBDA_KNEE].there);
    arena_free(a);
}
