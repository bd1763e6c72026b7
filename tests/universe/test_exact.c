/* The exact search is held to enumeration of all sets: random small matrices of right and wrong, of shares, and of any
 * scores; under a number, a cost, both, and with members that must be in it. */
#include "universe/exact.h"

#include <math.h>

#include <criterion/criterion.h>

#include "universe/universe_toy.h"

#define MATRICES 400

static double best_of(const struct toy *t, const struct set_rules *rules)
{
    unsigned kept = 0;
    double best = 0;
    for (size_t i = 0; i < rules->keep_count; i++)
        kept |= 1U << rules->keep[i];
    for (unsigned set = 0; set < 1U << t->c.count; set++)
        if ((set & kept) == kept && (size_t)__builtin_popcount(set) <= rules->count_max &&
            toy_cost(t, set) <= rules->cost_max_nano_usd)
            best = fmax(best, toy_value(t, set));
    return best;
}

static struct exact_end search(const struct toy *t, const struct set_rules *rules,
                               uint64_t work_max, struct chosen_set *set)
{
    const struct exact_options options = {.work_max = work_max};
    struct coverage v;
    struct exact_end end;
    struct error err;
    cr_assert_eq(coverage_all(&t->c, t->a, &v, &err), OK);
    struct objective o = coverage_objective(&v);
    cr_assert_eq(greedy_choose(&o, rules, GREEDY_GAIN, true, set, &err), OK);
    cr_assert_eq(exact_choose(&v, rules, &options, set, &end, &err), OK, "%s", err.text);
    unsigned bits = toy_bits(set);
    cr_assert_eq((size_t)__builtin_popcount(bits), set->count);
    cr_assert_leq(set->count, rules->count_max);
    cr_assert_eq(set->cost_nano_usd, toy_cost(t, bits));
    cr_assert_leq(set->cost_nano_usd, rules->cost_max_nano_usd);
    cr_assert_eq(chosen_value(set), toy_value(t, bits));
    for (size_t i = 0; i < rules->keep_count; i++)
        cr_assert(bits >> rules->keep[i] & 1, "a kept member is not there");
    return end;
}

/* Every kind of rule on every kind of score. */
Test(exact, is_what_enumeration_finds)
{
    struct rng r;
    rng_seed(&r, 11);
    for (size_t i = 0; i < MATRICES; i++) {
        struct toy t;
        toy_draw(&r, (enum toy_scores)(i % TOY_SCORES), 1 + rng_below(&r, 12), 60, &t);
        const size_t keep[] = {rng_below(&r, t.c.count)};
        for (int kind = 0; kind < 8; kind++) {
            struct set_rules rules = toy_rules(&t);
            rules.count_max = kind & 1 ? 1 + rng_below(&r, t.c.count) : t.c.count;
            rules.cost_max_nano_usd = kind & 2 ? 70 + (int64_t)rng_below(&r, 150) : INT64_MAX;
            rules.keep = keep;
            rules.keep_count = kind & 4 ? 1 : 0;
            struct chosen_set set;
            struct exact_end end = search(&t, &rules, UINT64_MAX, &set);
            cr_assert(end.proved);
            cr_assert_eq(end.bound, chosen_value(&set));
            cr_assert_eq(chosen_value(&set), best_of(&t, &rules),
                         "matrix %zu, rules %d: %g, not %g", i, kind, chosen_value(&set),
                         best_of(&t, &rules));
        }
        arena_free(t.a);
    }
}

/* Whoever gives up says what is still possible. */
Test(exact, little_work_ends_with_a_bound_that_holds)
{
    struct rng r;
    rng_seed(&r, 12);
    size_t given_up = 0;
    for (size_t i = 0; i < MATRICES; i++) {
        struct toy t;
        toy_draw(&r, (enum toy_scores)(i % TOY_SCORES), 12, 60, &t);
        struct set_rules rules = toy_rules(&t);
        rules.cost_max_nano_usd = 120;
        struct chosen_set set;
        struct exact_end end = search(&t, &rules, 1, &set);
        cr_assert_geq(end.bound, best_of(&t, &rules));
        cr_assert(!end.proved || chosen_value(&set) == best_of(&t, &rules));
        given_up += !end.proved;
        arena_free(t.a);
    }
    cr_assert_gt(given_up, 0);
}

Test(exact, no_bound_is_above_what_all_of_them_cover)
{
    struct rng r;
    rng_seed(&r, 17);
    for (size_t i = 0; i < MATRICES; i++) {
        struct toy t;
        toy_draw(&r, (enum toy_scores)(i % TOY_SCORES), 12, 60, &t);
        struct set_rules rules = toy_rules(&t);
        for (rules.count_max = 2; rules.count_max < t.c.count; rules.count_max++) {
            struct chosen_set set;
            struct exact_end end = search(&t, &rules, 1, &set);
            cr_assert_leq(end.bound, toy_value(&t, (1u << t.c.count) - 1));
        }
        arena_free(t.a);
    }
}

Test(exact, whoever_adds_nothing_is_left_out)
{
    struct rng r;
    rng_seed(&r, 13);
    struct toy t;
    toy_draw(&r, TOY_BINARY, 6, 40, &t);
    for (size_t row = 0; row < t.c.rows; row++)
        for (size_t c = 0; c < t.c.count; c++)
            t.c.scores[row * t.c.count + c] = c == 2 ? SCORE_ONE : 0;
    struct set_rules rules = toy_rules(&t);
    struct chosen_set set;
    struct exact_end end = search(&t, &rules, UINT64_MAX, &set);
    cr_assert(end.proved);
    cr_assert_eq(set.count, 1);
    cr_assert_eq(set.members[0], 2);
    arena_free(t.a);
}

Test(exact, the_same_twice)
{
    struct rng r;
    rng_seed(&r, 14);
    struct toy t;
    toy_draw(&r, TOY_ANY, 14, 60, &t);
    struct set_rules rules = toy_rules(&t);
    rules.cost_max_nano_usd = 150;
    struct chosen_set one, two;
    struct exact_end first = search(&t, &rules, 5000, &one),
                     second = search(&t, &rules, 5000, &two);
    cr_assert_eq(first.work, second.work);
    cr_assert_eq(first.bound, second.bound);
    cr_assert_arr_eq(one.members, two.members, one.count * sizeof(size_t));
    arena_free(t.a);
}
