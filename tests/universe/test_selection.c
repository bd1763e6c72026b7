/* Promises are made where they hold, and nowhere else. */
#include "universe/selection.h"

#include <string.h>

#include <criterion/criterion.h>

#include "universe/universe_toy.h"

static struct selection choose(const struct toy *t, const struct set_rules *rules,
                               uint64_t work_max)
{
    const struct exact_options options = {.work_max = work_max};
    struct coverage v;
    struct selection s;
    struct error err;
    cr_assert_eq(coverage_all(&t->c, t->a, &v, &err), OK);
    cr_assert_eq(selection_by_coverage(&v, rules, &options, &s, &err), OK);
    return s;
}

Test(selection, a_finished_search_is_proved_and_an_unfinished_one_bounded)
{
    struct rng r;
    size_t bounded = 0;
    rng_seed(&r, 31);
    for (size_t i = 0; i < 200; i++) {
        struct toy t;
        toy_draw(&r, (enum toy_scores)(i % TOY_SCORES), 12, 60, &t);
        struct set_rules rules = toy_rules(&t);
        rules.cost_max_nano_usd = 120;
        struct selection whole = choose(&t, &rules, UINT64_MAX), part = choose(&t, &rules, 1);
        cr_assert_eq(whole.promise, SELECTION_PROVED);
        cr_assert_leq(chosen_value(&part.set), chosen_value(&whole.set));
        cr_assert_geq(part.bound, chosen_value(&whole.set));
        cr_assert(part.promise != SELECTION_PROVED ||
                  chosen_value(&part.set) == chosen_value(&whole.set));
        bounded += part.promise == SELECTION_BOUNDED;
        arena_free(t.a);
    }
    cr_assert_gt(bounded, 0);
}

Test(selection, the_share_of_greedy_is_promised_under_a_number_alone)
{
    struct rng r;
    struct toy t;
    const size_t keep[] = {1};
    rng_seed(&r, 32);
    toy_draw(&r, TOY_BINARY, 10, 60, &t);
    struct set_rules number = toy_rules(&t), cost = toy_rules(&t), kept = toy_rules(&t);
    number.count_max = 3;
    cost.cost_max_nano_usd = 100;
    kept.count_max = 3;
    kept.keep = keep;
    kept.keep_count = 1;
    cr_assert(choose(&t, &number, UINT64_MAX).share);
    cr_assert_not(choose(&t, &cost, UINT64_MAX).share);
    cr_assert_not(choose(&t, &kept, UINT64_MAX).share);
    arena_free(t.a);
}

static void check_words(const struct selection *s, const char *expected)
{
    struct buf b;
    buf_init(&b, 1000);
    selection_promise_add(s, &b);
    cr_assert_eq(b.len, strlen(expected), "%.*s", (int)b.len, b.ptr);
    cr_assert_arr_eq(b.ptr, expected, b.len);
    buf_done(&b);
}

Test(selection, what_is_promised_is_said)
{
    struct selection s = {.unit = 0.01, .bound = 91, .promise = SELECTION_PROVED, .share = true};
    check_words(&s, "optimal (proved)");
    s.promise = SELECTION_NO_BOUND;
    check_words(&s, "no bound");
    s.promise = SELECTION_BOUNDED;
    s.share = false;
    check_words(&s, "not proved to be the best; no set achieves more than 91.00 %");
    s.share = true;
    check_words(&s,
                "not proved to be the best; no set achieves more than 91.00 %, and greedy alone at "
                "least 63 % of the best one's (1 - 1/e)");
}
