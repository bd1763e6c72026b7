/* The guard of texts whose statistics are drawn from known kinds. */
#include "stage/guard_fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/rng.h"

#define N     5
#define ROWS  4000
#define RIDGE 0.2

static float said[2 * ROWS * N], novelty[2 * ROWS], lengths[2 * ROWS], characters[2 * ROWS];

static float normal(struct rng *r)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += rng_uniform(r);
    return (float)sum;
}

/* Two statistics go together, one is always the same; `at` moves all but that. */
static void draw(struct rng *r, float at, size_t row)
{
    float *x = said + row * N, common = normal(r);
    for (int i = 0; i < 4; i++)
        x[i] = 10 * (float)i + at + normal(r) + (i < 2 ? 3 * common : 0);
    x[4] = 7;
    novelty[row] = (float)rng_uniform(r) / 2;
    lengths[row] = 0.5f;
    characters[row] = 99;
}

static float share_of(const struct guard *g, const float *statistics, float new)
{
    struct guard_view seen;
    guard_look(g, statistics, new, &seen);
    return seen.share;
}

static double distance_of(const struct guard *g, const float *statistics)
{
    size_t kind;
    return (double)guard_distance(g, statistics, &kind);
}

static struct guard_texts texts_of(size_t rows)
{
    return (struct guard_texts){rows, N, said, N, novelty, lengths, characters};
}

static struct guard fitted(size_t rows, struct arena *a)
{
    struct guard g;
    struct guard_texts t = texts_of(rows);
    cr_assert_eq(guard_fit(&t, a, &g, NULL), OK);
    return g;
}

Test(guard_fit, a_hundredth_of_texts_like_those_of_training_is_beyond)
{
    struct arena *a = arena_create(1 << 20);
    struct rng r;
    rng_seed(&r, 1);
    for (size_t i = 0; i < 2 * ROWS; i++)
        draw(&r, 0, i);
    struct guard g = fitted(ROWS, a);
    size_t beyond = 0;
    for (size_t i = ROWS; i < 2 * ROWS; i++)
        beyond += share_of(&g, said + i * N, 0) > 0;
    cr_assert(beyond > ROWS / 200 && beyond < ROWS / 50, "%zu of %d", beyond, ROWS);
    cr_assert_float_eq((double)g.limits[GUARD_NOVELTY_BEGIN], 0.495, 0.005);
    cr_assert_float_eq((double)g.limits[GUARD_LENGTH], 0.5, 1e-6);
    cr_assert_float_eq((double)g.limits[GUARD_LOG_CHARACTERS], log(100), 1e-5);
    arena_free(a);
}

/* The trace of W (S + ridge) Wᵀ is N: so much the distances of all rows from their own kinds must come to. The nearest
 * kind after whitening may be nearer than the own. */
Test(guard_fit, whitening_is_that_of_the_covariance_within_kinds)
{
    struct arena *a = arena_create(1 << 20);
    struct rng r;
    double sum = 0, trace = 0;
    rng_seed(&r, 2);
    for (size_t i = 0; i < ROWS; i++)
        draw(&r, i % 3 ? 0 : 40, i);
    struct guard g = fitted(ROWS, a);
    for (size_t i = 0; i < ROWS; i++)
        sum += distance_of(&g, said + i * N) / ROWS;
    for (size_t i = 0; i < N * N; i++)
        trace += RIDGE * (double)g.whiten[i] * (double)g.whiten[i] / N;
    cr_assert(sum + trace < 1.001 && sum + trace > 0.9, "%g + %g", sum, trace);
    arena_free(a);
}

/* What goes together in training must: neither value alone is unusual. A statistic that never varied is not enough to
 * be foreign by. */
Test(guard_fit, far_is_what_no_text_of_training_is_like)
{
    static const float broken[N] = {6, 4, 20, 30, 7}, odd[N] = {0, 10, 20, 30, 8};
    static const float strange[N] = {-90, 100, -90, 100, 0}, usual[N] = {0, 10, 20, 30, 7};
    struct arena *a = arena_create(1 << 20);
    struct rng r;
    rng_seed(&r, 3);
    for (size_t i = 0; i < ROWS; i++)
        draw(&r, 0, i);
    struct guard g = fitted(ROWS, a);
    cr_assert_eq(share_of(&g, usual, 0), 0);
    cr_assert_eq(share_of(&g, strange, 0), 1);
    cr_assert(distance_of(&g, broken) > 4 * distance_of(&g, usual));
    cr_assert(distance_of(&g, odd) > distance_of(&g, usual));
    cr_assert_eq(share_of(&g, usual, 0.9f), 1);
    arena_free(a);
}

/* A hundred among thousands. */
Test(guard_fit, a_few_texts_of_a_new_kind_make_it_known)
{
    struct arena *a = arena_create(1 << 20);
    struct rng r;
    size_t far_before = 0, far_after = 0;
    rng_seed(&r, 4);
    for (size_t i = 0; i < 2 * ROWS; i++)
        draw(&r, i < ROWS ? 0 : 25, i);
    struct guard g = fitted(ROWS, a);
    for (size_t i = ROWS + 100; i < 2 * ROWS; i++)
        far_before += share_of(&g, said + i * N, 0) > 0;
    g = fitted(ROWS + 100, a);
    for (size_t i = ROWS + 100; i < 2 * ROWS; i++)
        far_after += share_of(&g, said + i * N, 0) > 0;
    cr_assert(far_before > ROWS * 9 / 10, "%zu", far_before);
    cr_assert(far_after < ROWS / 10, "%zu", far_after);
    arena_free(a);
}

/* Whether by folds or by leverage: about a hundredth of new texts like training is beyond, none of another kind
 * is not. */
Test(guard_fit, few_texts_tell_what_is_far)
{
    static const size_t few[] = {GUARD_ROWS_MIN, GUARD_ROWS_MIN + 3, 999, 1000};
    struct arena *a = arena_create(1 << 20);
    struct rng r;
    rng_seed(&r, 6);
    for (size_t i = 0; i < 2 * ROWS; i++)
        draw(&r, i < ROWS ? 0 : 25, i);
    for (size_t k = 0; k < sizeof(few) / sizeof(few[0]); k++) {
        struct guard g = fitted(few[k], a);
        size_t beyond = 0, far = 0;
        for (size_t i = 1000; i < ROWS; i++)
            beyond += share_of(&g, said + i * N, 0) > 0;
        for (size_t i = ROWS; i < 2 * ROWS; i++)
            far += share_of(&g, said + i * N, 0) >= 1;
        cr_assert(beyond < (ROWS - 1000) / 25, "%zu of %zu rows", beyond, few[k]);
        cr_assert_eq(far, ROWS, "%zu of %zu rows", far, few[k]);
    }
    arena_free(a);
}

Test(guard_fit, same_texts_same_bits_and_too_few_no_guard)
{
    struct arena *a = arena_create(1 << 20);
    struct rng r;
    rng_seed(&r, 5);
    for (size_t i = 0; i < ROWS; i++)
        draw(&r, 0, i);
    struct guard one = fitted(ROWS, a), two = fitted(ROWS, a);
    cr_assert_eq(memcmp(one.whiten, two.whiten, N * N * sizeof(float)), 0);
    cr_assert_eq(memcmp(one.centre, two.centre, one.kinds * N * sizeof(float)), 0);
    cr_assert_eq(memcmp(one.limits, two.limits, GUARD_LIMITS * sizeof(float)), 0);
    cr_assert_eq(fitted(GUARD_ROWS_MIN - 1, a).kinds, 0);
    arena_free(a);
}
