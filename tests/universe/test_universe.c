/* Rules that cannot be kept are refused; sets of domains and of the frontier are best sets under their own rules. */
#include "universe/universe.h"

#include <string.h>

#include <criterion/criterion.h>

#include "universe/universe_toy.h"

static struct universe_options without_limits(const struct toy *t)
{
    return (struct universe_options){.count_max = t->c.count,
                                     .cost_max_nano_usd = INT64_MAX,
                                     .exact = {.work_max = UINT64_C(1) << 40}};
}

static struct toy draw(uint64_t seed, size_t candidates)
{
    struct rng r;
    struct toy t;
    rng_seed(&r, seed);
    toy_draw(&r, TOY_BINARY, candidates, 90, &t);
    return t;
}

static void check_refused(const struct toy *t, const struct universe_options *o, const char *words)
{
    struct error err;
    cr_assert_eq(universe_check(&t->c, o, &err), ERR_INPUT);
    cr_assert(strstr(err.text, words), "%s", err.text);
}

Test(universe, rules_that_cannot_be_kept_are_refused)
{
    struct toy t = draw(41, 5);
    const size_t keep[] = {0, 3};
    struct error err;
    struct universe_options o = without_limits(&t);
    for (size_t i = 0; i < 5; i++)
        t.c.cost_nano_usd[i] = 100;
    cr_assert_eq(universe_check(&t.c, &o, &err), OK);
    o.per_domain = true;
    check_refused(&t, &o, "domain");
    o.per_domain = false;
    o.cost_max_nano_usd = 99;
    check_refused(&t, &o, "cheapest");
    o.keep = keep;
    o.keep_count = 2;
    o.cost_max_nano_usd = 199;
    check_refused(&t, &o, "to be kept");
    o.cost_max_nano_usd = 200;
    cr_assert_eq(universe_check(&t.c, &o, &err), OK);
    o.count_max = 1;
    check_refused(&t, &o, "in a set of 1");
    o.count_max = 5;
    t.c.cost_nano_usd[4] = CANDIDATE_COST_UNKNOWN;
    check_refused(&t, &o, "'c4'");
    o.cost_max_nano_usd = INT64_MAX;
    cr_assert_eq(universe_check(&t.c, &o, &err), OK, "without a limit no cost is needed");
    arena_free(t.a);
}

Test(universe, each_domain_has_its_best_set_and_all_of_them_cover_no_less)
{
    struct toy t = draw(42, 9);
    struct universe u;
    struct error err;
    struct universe_options o = without_limits(&t);
    toy_domains(&t, 3);
    o.count_max = 2;
    o.per_domain = true;
    cr_assert_eq(universe_make(&t.c, &o, t.a, &u, &err), OK);
    cr_assert_eq(u.domain_count, 3);
    double sum = 0;
    for (size_t d = 0; d < 3; d++) {
        cr_assert_eq(u.domains[d].questions, 30);
        cr_assert_leq(u.domains[d].s.set.count, 2);
        cr_assert_geq(selection_mean(&u.domains[d].s), u.domains[d].best_score);
        cr_assert_geq(u.domains[d].all, selection_mean(&u.domains[d].s));
        cr_assert_geq(selection_mean(&u.domains[d].s), u.domain_covers[d] - 1e-9);
        sum += selection_mean(&u.domains[d].s) / 3;
    }
    cr_assert_geq(u.joint_covers, sum - 1e-9);
    cr_assert_geq(u.joint_covers, u.covers - 1e-9);
    cr_assert_geq(u.all, u.joint_covers - 1e-9);
    arena_free(t.a);
}

static void check_points(const struct toy *t, const struct frontier_point *points, size_t count)
{
    cr_assert_gt(count, 1);
    for (size_t i = 0; i < count; i++) {
        unsigned set = 0;
        for (size_t m = 0; m < points[i].count; m++)
            set |= 1U << points[i].members[m];
        cr_assert(points[i].proved);
        cr_assert_float_eq(points[i].achieves, toy_value(t, set) / SCORE_ONE / (double)t->c.rows,
                           1e-9);
        cr_assert_eq(points[i].cost_nano_usd, toy_cost(t, set));
        cr_assert(i == 0 || points[i].achieves > points[i - 1].achieves);
        for (unsigned other = 0; other < 1U << t->c.count; other++)
            cr_assert(toy_cost(t, other) > points[i].cost_nano_usd ||
                          __builtin_popcount(other) > (int)points[i].count ||
                          toy_value(t, other) <= toy_value(t, set),
                      "%u is better than %u for no more", other, set);
    }
}

Test(universe, the_frontier_is_made_of_sets_that_nobody_beats)
{
    for (uint64_t seed = 50; seed < 60; seed++) {
        struct toy t = draw(seed, 8);
        struct universe u;
        struct error err;
        struct universe_options o = without_limits(&t);
        o.frontier = true;
        cr_assert_eq(universe_make(&t.c, &o, t.a, &u, &err), OK);
        check_points(&t, u.by_number, u.by_number_count);
        check_points(&t, u.by_cost, u.by_cost_count);
        cr_assert_float_eq(u.by_cost[u.by_cost_count - 1].achieves, u.all, 1e-9);
        arena_free(t.a);
    }
}

Test(universe, without_all_costs_there_is_no_frontier_of_them)
{
    struct toy t = draw(61, 6);
    struct universe u;
    struct error err;
    struct universe_options o = without_limits(&t);
    o.frontier = true;
    t.c.cost_nano_usd[2] = CANDIDATE_COST_UNKNOWN;
    cr_assert_eq(universe_make(&t.c, &o, t.a, &u, &err), OK);
    cr_assert_eq(u.by_cost_count, 0);
    cr_assert_gt(u.by_number_count, 0);
    arena_free(t.a);
}

Test(universe, a_set_that_was_chosen_elsewhere_is_taken_as_it_is)
{
    struct toy t = draw(62, 6);
    struct universe u;
    struct error err;
    struct universe_options o = without_limits(&t);
    const struct selection chosen = {.set = {.members = {5}, .values = {0.5}, .count = 1},
                                     .unit = 1,
                                     .promise = SELECTION_NO_BOUND};
    o.chosen = &chosen;
    o.chosen_by = "lot";
    cr_assert_eq(universe_make(&t.c, &o, t.a, &u, &err), OK);
    cr_assert_str_eq(u.objective, "lot");
    cr_assert_eq(selection_mean(&u.s), 0.5);
    cr_assert_float_eq(u.covers, t.c.score[5], 1e-9);
    cr_assert(u.uses[5].member);
    arena_free(t.a);
}
