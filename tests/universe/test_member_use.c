/* What members are for is held to differences of coverage, and dominance to a table made by hand. */
#include "universe/member_use.h"

#include <math.h>

#include <criterion/criterion.h>

#include "universe/universe_toy.h"

static double worth_of(const struct toy *t, unsigned set, size_t candidate)
{
    double more = toy_value(t, set | 1U << candidate),
           less = toy_value(t, set & ~(1U << candidate));
    return (more - less) / SCORE_ONE / (double)t->c.rows;
}

/* The standard error of the mean over questions, by its definition. */
static double error_of(const struct toy *t, unsigned set, size_t candidate)
{
    double squares = 0, mean = worth_of(t, set, candidate), n = (double)t->c.rows;
    for (size_t row = 0; row < t->c.rows; row++) {
        struct toy one = *t;
        one.c.scores += row * t->c.count;
        one.c.rows = 1;
        squares += pow(worth_of(&one, set, candidate) - mean, 2);
    }
    return sqrt(squares / (n - 1) / n);
}

Test(member_use, worth_is_the_difference_in_coverage)
{
    struct rng r;
    rng_seed(&r, 21);
    for (size_t i = 0; i < 60; i++) {
        struct toy t;
        struct coverage v;
        struct candidate_use *uses;
        struct error err;
        toy_draw(&r, (enum toy_scores)(i % TOY_SCORES), 7, 50, &t);
        const size_t members[] = {6, 2, 3};
        unsigned set = 1U << 6 | 1U << 2 | 1U << 3;
        cr_assert_eq(coverage_all(&t.c, t.a, &v, &err), OK);
        cr_assert_eq(member_uses(&v, members, 3, t.a, &uses, &err), OK);
        for (size_t c = 0; c < 7; c++) {
            cr_assert_eq(uses[c].member, (set >> c & 1) != 0);
            cr_assert_float_eq(uses[c].worth, worth_of(&t, set, c), 1e-9);
            cr_assert_geq(uses[c].alone, uses[c].worth - 1e-9);
            cr_assert_float_eq(uses[c].worth_error, error_of(&t, set, c), 1e-9);
            cr_assert_null(uses[c].domain_worth);
        }
        arena_free(t.a);
    }
}

Test(member_use, domains_add_up)
{
    struct rng r;
    struct toy t;
    struct coverage v;
    struct candidate_use *uses;
    size_t *sizes;
    struct error err;
    rng_seed(&r, 22);
    toy_draw(&r, TOY_TENTHS, 5, 90, &t);
    t.c.domains = 3;
    t.c.domain_of = ARENA_ARRAY(t.a, 90, uint32_t);
    for (size_t row = 0; row < 90; row++)
        t.c.domain_of[row] = row % 9 < 4 ? 0 : row % 9 < 7 ? 1 : 2;
    const size_t members[] = {0, 4};
    cr_assert_eq(coverage_all(&t.c, t.a, &v, &err), OK);
    cr_assert_eq(member_uses(&v, members, 2, t.a, &uses, &err), OK);
    cr_assert_eq(domain_sizes(&v, t.a, &sizes, &err), OK);
    cr_assert_eq(sizes[0], 40);
    cr_assert_eq(sizes[1], 30);
    cr_assert_eq(sizes[2], 20);
    for (size_t c = 0; c < 5; c++) {
        double sum = 0;
        for (size_t d = 0; d < 3; d++)
            sum += uses[c].domain_worth[d] * (double)sizes[d] / 90;
        cr_assert_float_eq(sum, uses[c].worth, 1e-9);
    }
    arena_free(t.a);
}

/* Candidate 0 is right on all of 100 questions, 1 on 90, 2 on 98. */
static void three(struct toy *t, const int64_t *costs)
{
    struct rng r;
    const size_t right[] = {100, 90, 98};
    rng_seed(&r, 23);
    toy_draw(&r, TOY_BINARY, 3, 100, t);
    for (size_t c = 0; c < 3; c++) {
        t->c.cost_nano_usd[c] = costs[c];
        t->c.score[c] = (double)right[c] / 100;
        for (size_t row = 0; row < 100; row++)
            t->c.scores[row * 3 + c] = row < right[c] ? SCORE_ONE : 0;
    }
}

static size_t dominating(const int64_t *costs, size_t candidate, struct candidate_use *ret)
{
    struct toy t;
    struct coverage v;
    struct candidate_use *uses;
    struct error err;
    three(&t, costs);
    cr_assert_eq(coverage_all(&t.c, t.a, &v, &err), OK);
    cr_assert_eq(member_uses(&v, &(size_t){0}, 1, t.a, &uses, &err), OK);
    *ret = uses[candidate];
    arena_free(t.a);
    return ret->dominated_by;
}

Test(member_use, dominated_is_who_is_surely_worse_and_no_cheaper)
{
    struct candidate_use use;
    cr_assert_eq(dominating((const int64_t[]){10, 10, 10}, 1, &use), 0);
    cr_assert_float_eq(use.behind, 0.1, 1e-9);
    cr_assert_float_eq(use.behind_error, sqrt(0.1 * 0.9 / 99), 1e-9);
    cr_assert_eq(dominating((const int64_t[]){11, 10, 10}, 1, &use), 2, "0 is dearer");
    cr_assert_eq(dominating((const int64_t[]){11, 10, 11}, 1, &use), SIZE_MAX, "all are dearer");
    cr_assert_eq(dominating((const int64_t[]){10, 10, 10}, 2, &use), SIZE_MAX, "2 of 100 is noise");
    cr_assert_eq(dominating((const int64_t[]){10, 10, 10}, 0, &use), SIZE_MAX);
    cr_assert_eq(dominating((const int64_t[]){CANDIDATE_COST_UNKNOWN, 10, 11}, 1, &use), SIZE_MAX,
                 "whose cost is not known dominates nobody");
    cr_assert_eq(dominating((const int64_t[]){10, CANDIDATE_COST_UNKNOWN, 10}, 1, &use), SIZE_MAX,
                 "nor is known to be dearer than anybody");
}
