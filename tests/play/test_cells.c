/* Which cells are bought with a sum of money. */
#include "play/cells.h"

#include <criterion/criterion.h>

#define QUESTIONS 400
#define EXPERTS   3

static int64_t costs[QUESTIONS * EXPERTS];
static enum cell_state states[QUESTIONS * EXPERTS];

/* A cheap, a middling and a dear expert. */
static struct cells_problem problem_of(int64_t spend_nano_usd)
{
    static const int64_t price[EXPERTS] = {10000, 160000, 1000000};
    for (size_t i = 0; i < QUESTIONS * EXPERTS; i++) {
        costs[i] = price[i % EXPERTS];
        states[i] = CELL_OPEN;
    }
    return (struct cells_problem){.questions = QUESTIONS,
                                  .experts = EXPERTS,
                                  .cost_nano_usd = costs,
                                  .states = states,
                                  .spend_nano_usd = spend_nano_usd,
                                  .whole_share = -1,
                                  .seed = 5};
}

static struct cells choose(const struct cells_problem *p, struct arena *a)
{
    struct cells chosen;
    struct error err;
    cr_assert_eq(cells_choose(p, a, &chosen, &err), OK);
    return chosen;
}

static void count_experts(const struct cells *c, size_t *counts)
{
    for (size_t e = 0; e < EXPERTS; e++)
        counts[e] = 0;
    for (size_t i = 0; i < c->count; i++)
        counts[c->cells[i].expert]++;
}

Test(cells, keep_within_the_spend_and_take_no_cell_twice)
{
    struct arena *a = arena_create(1 << 20);
    struct cells_problem p = problem_of(30000000);
    struct cells chosen = choose(&p, a);
    int64_t sum = 0;
    cr_assert_gt(chosen.count, 0);
    for (size_t i = 0; i < chosen.count; i++) {
        size_t at = chosen.cells[i].question * EXPERTS + chosen.cells[i].expert;
        cr_assert_eq(states[at], CELL_OPEN);
        states[at] = CELL_KNOWN;
        sum += costs[at];
    }
    cr_expect_eq(sum, chosen.cost_nano_usd);
    cr_expect_leq(sum, p.spend_nano_usd);
    cr_expect_gt(sum, p.spend_nano_usd - 1000000);
    arena_free(a);
}

Test(cells, ask_the_cheap_on_many_questions_and_the_dear_on_few)
{
    struct arena *a = arena_create(1 << 20);
    size_t counts[EXPERTS];
    struct cells_problem p = problem_of(30000000);
    struct cells chosen = choose(&p, a);
    count_experts(&chosen, counts);
    cr_expect_gt(counts[0], 3 * counts[1]);
    cr_expect_gt(counts[1], 2 * counts[2]);
    cr_expect_gt(counts[2], 0);
    arena_free(a);
}

Test(cells, buy_nothing_where_nothing_is_open_or_affordable)
{
    struct arena *a = arena_create(1 << 20);
    struct cells_problem p = problem_of(9999);
    cr_expect_eq(choose(&p, a).count, 0);
    p.spend_nano_usd = 30000000;
    for (size_t i = 0; i < QUESTIONS * EXPERTS; i++)
        states[i] = i % 2 ? CELL_KNOWN : CELL_BARRED;
    cr_expect_eq(choose(&p, a).count, 0);
    p.questions = 0;
    cr_expect_eq(choose(&p, a).count, 0);
    arena_free(a);
}

Test(cells, go_on_where_the_last_round_ended)
{
    struct arena *a = arena_create(1 << 20);
    size_t first[EXPERTS], both[EXPERTS];
    struct cells_problem p = problem_of(15000000);
    struct cells chosen = choose(&p, a);
    count_experts(&chosen, first);
    for (size_t i = 0; i < chosen.count; i++)
        states[chosen.cells[i].question * EXPERTS + chosen.cells[i].expert] = CELL_KNOWN;
    struct cells more = choose(&p, a);
    count_experts(&more, both);
    for (size_t e = 0; e < EXPERTS; e++)
        cr_expect_leq(both[e], first[e] + 1, "expert %zu: %zu after %zu", e, both[e], first[e]);
    arena_free(a);
}

Test(cells, are_the_same_for_the_same_problem)
{
    struct arena *a = arena_create(1 << 20);
    struct cells_problem p = problem_of(15000000);
    struct cells x = choose(&p, a), y = choose(&p, a);
    cr_assert_eq(x.count, y.count);
    for (size_t i = 0; i < x.count; i++) {
        cr_expect_eq(x.cells[i].question, y.cells[i].question);
        cr_expect_eq(x.cells[i].expert, y.cells[i].expert);
    }
    arena_free(a);
}
