/* The race finds what was planted, for a part of the money, never over it, and the same again. */
#include "probe/probe_world.h"

#include <criterion/criterion.h>

static struct world w;

static bool has(const struct probe_result *r, size_t candidate)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->steps[i].candidate == candidate)
            return true;
    return false;
}

Test(probe, finds_the_planted_set)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct world_end end;
        world_make(&w, seed);
        world_race(&w, 3, seed, w.all_nano_usd / 5, NULL, &end);
        cr_assert_eq(end.result.count, 3);
        for (size_t c = 0; c < 3; c++)
            cr_assert(has(&end.result, c), "seed %lu: %zu", (unsigned long)seed, c);
        cr_assert_leq(end.spent_nano_usd, w.all_nano_usd / 5);
    }
}

/* Where the others answer alike, or one of those for good has answered, the dear one need not. */
Test(probe, spares_the_dear)
{
    struct world_end end;
    world_make(&w, 7);
    world_race(&w, 3, 7, w.all_nano_usd / 5, NULL, &end);
    cr_assert_lt(end.asked_dear, end.result.questions);
    cr_assert_eq(end.result.end, PROBE_DECIDED);
}

Test(probe, a_limit_of_cost_is_kept)
{
    const struct probe_options o = {WORLD_QUESTIONS, WORLD_CANDIDATES, WORLD_CANDIDATES, 3500000,
                                    1}; /* three that are cheap, for 1,000 questions */
    struct world_end end;
    world_make(&w, 12);
    world_race_of(&w, &o, w.all_nano_usd / 5, NULL, &end);
    cr_assert_eq(end.result.count, 3);
    cr_assert(has(&end.result, 1) && has(&end.result, 2) && !has(&end.result, 0));
    cr_assert_lt(end.asked_dear, 200);
}

Test(probe, is_the_same_again)
{
    struct world_end one, two;
    world_make(&w, 3);
    world_race(&w, 4, 3, w.all_nano_usd / 10, NULL, &one);
    world_race(&w, 4, 3, w.all_nano_usd / 10, NULL, &two);
    cr_assert_eq(one.hash, two.hash);
    cr_assert_eq(one.cells, two.cells);
}

Test(probe, buys_nothing_that_is_known)
{
    static bool told[WORLD_CELLS];
    struct world_end end;
    world_make(&w, 4);
    for (size_t i = 0; i < WORLD_CELLS; i++)
        told[i] = true;
    world_race(&w, 3, 4, w.all_nano_usd, told, &end);
    cr_assert_eq(end.cells, 0);
    cr_assert_eq(end.result.count, 3);
}

Test(probe, keeps_within_little_money)
{
    struct world_end end;
    world_make(&w, 5);
    const int64_t rows = 25 * (w.all_nano_usd / WORLD_QUESTIONS);
    world_race(&w, 3, 5, rows, NULL, &end);
    cr_assert_leq(end.spent_nano_usd, rows);
    cr_assert_eq(end.result.count, 3);
    world_race(&w, 3, 5, 10, NULL, &end);
    cr_assert_eq(end.cells, 0);
    cr_assert_eq(end.result.end, PROBE_MONEY);
    cr_assert_eq(end.result.count, 0);
}

Test(probe, free_candidates_are_asked_in_batches)
{
    struct world_end end;
    world_make(&w, 6);
    for (size_t i = 0; i < WORLD_CELLS; i++)
        w.cost_nano_usd[i] = 0;
    world_race(&w, 3, 6, INT64_MAX, NULL, &end);
    cr_assert_lt(end.cells, WORLD_CELLS);
    cr_assert(has(&end.result, 0) && has(&end.result, 1) && has(&end.result, 2));
}

Test(probe, all_are_members_without_asking_much)
{
    struct world_end end;
    world_make(&w, 6);
    world_race(&w, WORLD_CANDIDATES, 6, w.all_nano_usd, NULL, &end);
    cr_assert_eq(end.cells, 0);
}

Test(probe, whoever_is_dropped_is_asked_no_more)
{
    const struct probe_options o = {WORLD_QUESTIONS, WORLD_CANDIDATES, 3, 0, 1};
    struct probe *p;
    struct probe_cells cells;
    struct probe_result r;
    world_make(&w, 8);
    cr_assert_eq(probe_create(&o, &p, NULL), OK);
    bool dropped = false;
    for (int64_t spent = 0;;) {
        cr_assert_eq(probe_next(p, w.cost_nano_usd, w.all_nano_usd / 5 - spent, &cells, NULL), OK);
        if (cells.count == 0)
            break;
        for (size_t i = 0; i < cells.count; i++) {
            cr_assert(!dropped || cells.cells[i].candidate != 1);
            const size_t at = cells.cells[i].question * WORLD_CANDIDATES + cells.cells[i].candidate;
            spent += w.cost_nano_usd[at];
            if (cells.cells[i].candidate == 1)
                probe_drop(p, 1);
            else
                probe_tell(p, cells.cells[i].question, cells.cells[i].candidate,
                           (double)w.score[at]);
        }
        dropped = true;
    }
    cr_assert_eq(probe_result(p, &r, NULL), OK);
    cr_assert_not(has(&r, 1));
    cr_assert(has(&r, 0) && has(&r, 2));
    probe_free(p);
}

/* A second look, too, ends with the money: the set is then the one from before. */
Test(probe, there_is_a_set_wherever_the_money_ends)
{
    for (int64_t share = 40; share >= 5; share--) {
        struct world_end end;
        world_make(&w, 11);
        world_race(&w, 3, (uint64_t)share, w.all_nano_usd / share, NULL, &end);
        cr_assert_eq(end.result.count, 3, "a %ld. of the money", (long)share);
        cr_assert_leq(end.spent_nano_usd, w.all_nano_usd / share);
        cr_assert_gt(end.result.questions, 0);
    }
}
