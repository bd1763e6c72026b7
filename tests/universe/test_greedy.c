/* Greedy is held to what enumeration of all sets says of small random matrices: it keeps within the limits, is at least
 * 1 − 1/e of the best set, and lazily chooses the same as plainly. */
#include "universe/greedy.h"

#include <math.h>

#include <criterion/criterion.h>

#include "base/rng.h"

#define CANDIDATES 8
#define QUESTIONS  40
#define MATRICES   300

struct matrix {
    int scores[CANDIDATES][QUESTIONS]; /* in tenths */
    int64_t costs[CANDIDATES];
    double penalty; /* taken off for each member beyond the first: no longer submodular for sure */
    size_t fail_at, asked;
};

/* The value of the set, by its bits. */
static double value_of(const struct matrix *m, unsigned set)
{
    double sum = 0;
    for (size_t q = 0; q < QUESTIONS; q++) {
        int best = 0;
        for (size_t c = 0; c < CANDIDATES; c++)
            if (set >> c & 1 && m->scores[c][q] > best)
                best = m->scores[c][q];
        sum += best;
    }
    int members = __builtin_popcount(set);
    return sum - m->penalty * (members > 1 ? members - 1 : 0);
}

static enum status matrix_value(void *arg, const size_t *members, size_t count, double *ret,
                                struct error *err)
{
    struct matrix *m = arg;
    unsigned set = 0;
    if (++m->asked == m->fail_at)
        return error_set(err, ERR_MEMORY, "no memory");
    for (size_t i = 0; i < count; i++)
        set |= 1U << members[i];
    cr_assert_eq(__builtin_popcount(set), (int)count, "a member stands twice");
    *ret = value_of(m, set);
    return OK;
}

/* Few different costs and scores, so that there are ties. */
static void matrix_draw(struct rng *r, struct matrix *m)
{
    uint64_t right = 1 + rng_below(r, 5);
    *m = (struct matrix){.penalty = 0};
    for (size_t c = 0; c < CANDIDATES; c++) {
        m->costs[c] = (int64_t)rng_below(r, 4) * 10;
        for (size_t q = 0; q < QUESTIONS; q++)
            m->scores[c][q] = rng_below(r, 6) < right ? (int)rng_below(r, 3) * 5 : 0;
    }
}

static struct objective objective_of(struct matrix *m)
{
    return (struct objective){"toy", m->penalty == 0, 0.1 / QUESTIONS, matrix_value, m};
}

static struct set_rules rules_of(const struct matrix *m, size_t count_max, int64_t cost_max)
{
    return (struct set_rules){.candidates = CANDIDATES,
                              .cost_nano_usd = m->costs,
                              .count_max = count_max,
                              .cost_max_nano_usd = cost_max};
}

static int64_t cost_of(const struct matrix *m, unsigned set)
{
    int64_t cost = 0;
    for (size_t c = 0; c < CANDIDATES; c++)
        cost += set >> c & 1 ? m->costs[c] : 0;
    return cost;
}

static unsigned bits_of(const struct chosen_set *s)
{
    unsigned set = 0;
    for (size_t i = 0; i < s->count; i++)
        set |= 1U << s->members[i];
    return set;
}

static double best_of(const struct matrix *m, size_t count_max, int64_t cost_max)
{
    double best = 0;
    for (unsigned set = 0; set < 1U << CANDIDATES; set++)
        if (__builtin_popcount(set) <= (int)count_max && cost_of(m, set) <= cost_max)
            best = fmax(best, value_of(m, set));
    return best;
}

static struct chosen_set choose(struct matrix *m, const struct set_rules *rules,
                                enum greedy_measure measure, bool lazy)
{
    struct objective o = objective_of(m);
    struct chosen_set s;
    struct error err;
    cr_assert_eq(greedy_choose(&o, rules, measure, lazy, &s, &err), OK);
    return s;
}

static void check_set(const struct matrix *m, const struct set_rules *rules,
                      const struct chosen_set *s)
{
    unsigned set = bits_of(s);
    cr_assert_leq(s->count, rules->count_max);
    cr_assert_leq(s->cost_nano_usd, rules->cost_max_nano_usd);
    cr_assert_eq(s->cost_nano_usd, cost_of(m, set));
    cr_assert_eq(chosen_value(s), value_of(m, set));
}

Test(greedy, a_number_of_members_reaches_its_bound_and_lazy_chooses_the_same)
{
    struct rng r;
    rng_seed(&r, 1);
    size_t fewer = 0;
    for (size_t i = 0; i < MATRICES; i++) {
        struct matrix m;
        matrix_draw(&r, &m);
        for (size_t k = 1; k <= CANDIDATES; k++) {
            struct set_rules rules = rules_of(&m, k, INT64_MAX);
            struct chosen_set plain = choose(&m, &rules, GREEDY_GAIN, false);
            struct chosen_set lazy = choose(&m, &rules, GREEDY_GAIN, true);
            check_set(&m, &rules, &plain);
            cr_assert_eq(plain.count, lazy.count);
            cr_assert_arr_eq(plain.members, lazy.members, plain.count * sizeof(size_t));
            cr_assert_geq(chosen_value(&plain), (1 - exp(-1)) * best_of(&m, k, INT64_MAX));
            cr_assert_leq(lazy.evaluations, plain.evaluations);
            fewer += lazy.evaluations < plain.evaluations;
        }
    }
    cr_assert_gt(fewer, MATRICES);
}

Test(greedy, a_cost_is_kept_and_lazy_chooses_the_same)
{
    struct rng r;
    rng_seed(&r, 2);
    for (size_t i = 0; i < MATRICES; i++) {
        struct matrix m;
        matrix_draw(&r, &m);
        for (int64_t cost = 0; cost <= 60; cost += 20)
            for (int measure = GREEDY_GAIN; measure <= GREEDY_GAIN_PER_COST; measure++) {
                struct set_rules rules = rules_of(&m, CANDIDATES, cost);
                struct chosen_set plain = choose(&m, &rules, (enum greedy_measure)measure, false);
                struct chosen_set lazy = choose(&m, &rules, (enum greedy_measure)measure, true);
                check_set(&m, &rules, &plain);
                cr_assert_eq(plain.count, lazy.count);
                cr_assert_arr_eq(plain.members, lazy.members, plain.count * sizeof(size_t));
            }
    }
}

Test(greedy, of_equals_the_cheaper_is_taken_and_then_the_first)
{
    struct matrix m = {.costs = {30, 20, 10, 10, 30, 30, 30, 30}};
    for (size_t c = 0; c < CANDIDATES; c++)
        m.scores[c][0] = 10;
    struct set_rules rules = rules_of(&m, CANDIDATES, INT64_MAX);
    struct chosen_set s = choose(&m, &rules, GREEDY_GAIN, true);
    cr_assert_eq(s.count, 1, "the others add nothing");
    cr_assert_eq(s.members[0], 2);
}

Test(greedy, what_is_kept_comes_first_and_counts)
{
    struct matrix m = {.costs = {1, 1, 1, 1, 1, 1, 1, 1}};
    for (size_t c = 0; c < CANDIDATES; c++)
        m.scores[c][c] = 10;
    const size_t keep[] = {5, 3};
    struct set_rules rules = rules_of(&m, 3, INT64_MAX);
    rules.keep = keep;
    rules.keep_count = 2;
    struct chosen_set s = choose(&m, &rules, GREEDY_GAIN, true);
    cr_assert_eq(s.count, 3);
    cr_assert_eq(s.members[0], 5);
    cr_assert_eq(s.members[1], 3);
    cr_assert_eq(s.members[2], 0);
    cr_assert_eq(s.cost_nano_usd, 3);
}

Test(greedy, swaps_never_make_worse_and_mend_what_greedy_missed)
{
    struct rng r;
    rng_seed(&r, 3);
    size_t better = 0;
    for (size_t i = 0; i < MATRICES; i++) {
        struct matrix m;
        matrix_draw(&r, &m);
        m.penalty = (double)rng_below(&r, 2) * 3;
        struct objective o = objective_of(&m);
        struct set_rules rules = rules_of(&m, 3, 50);
        struct chosen_set s = choose(&m, &rules, GREEDY_GAIN_PER_COST, false);
        double before = chosen_value(&s);
        struct error err;
        cr_assert_eq(set_swap(&o, &rules, &s, &err), OK);
        check_set(&m, &rules, &s);
        cr_assert_geq(chosen_value(&s), before);
        better += chosen_value(&s) > before;
    }
    cr_assert_gt(better, 0);
}

Test(greedy, a_set_in_order_has_all_its_members_once)
{
    struct rng r;
    rng_seed(&r, 4);
    struct matrix m;
    matrix_draw(&r, &m);
    struct objective o = objective_of(&m);
    struct set_rules rules = rules_of(&m, 2, 0);
    const size_t members[] = {7, 1, 4, 0};
    struct chosen_set s;
    struct error err;
    cr_assert_eq(set_order(&o, &rules, members, 4, &s, &err), OK);
    cr_assert_eq(s.count, 4);
    cr_assert_eq(bits_of(&s), 1U << 7 | 1U << 1 | 1U << 4 | 1U);
    for (size_t i = 1; i < 4; i++)
        cr_assert_geq(s.values[0], value_of(&m, 1U << s.members[i]), "the best stands first");
}

Test(greedy, a_question_that_fails_ends_it)
{
    struct rng r;
    rng_seed(&r, 5);
    for (size_t at = 1; at < 20; at++) {
        struct matrix m;
        matrix_draw(&r, &m);
        struct objective o = objective_of(&m);
        struct set_rules rules = rules_of(&m, 4, INT64_MAX);
        struct chosen_set s = {.count = 77};
        struct error err;
        m.fail_at = at;
        enum status status = greedy_choose(&o, &rules, GREEDY_GAIN, false, &s, &err);
        cr_assert(m.asked < at ? status == OK : status == ERR_MEMORY);
        cr_assert(status == OK || s.count == 77);
    }
}
