/* Which cells are bought with a sum of money. */
#include "play/cells_int.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define QUESTIONS 1000
#define ASKED     600 /* where something is believed: what was bought before */
#define EXPERTS   3

static int64_t costs[QUESTIONS * EXPERTS];
static enum cell_state states[QUESTIONS * EXPERTS];
static float quality[QUESTIONS * EXPERTS], spread[QUESTIONS * EXPERTS], scores[QUESTIONS * EXPERTS];

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
    struct arena *a = arena_create(8 << 20);
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
    struct arena *a = arena_create(8 << 20);
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
    struct arena *a = arena_create(8 << 20);
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
    struct arena *a = arena_create(8 << 20);
    size_t first[EXPERTS], second[EXPERTS], once[EXPERTS];
    struct cells_problem p = problem_of(30000000);
    p.whole_share = 0;
    struct cells chosen = choose(&p, a);
    count_experts(&chosen, once);
    p.spend_nano_usd /= 2;
    chosen = choose(&p, a);
    count_experts(&chosen, first);
    for (size_t i = 0; i < chosen.count; i++)
        states[chosen.cells[i].question * EXPERTS + chosen.cells[i].expert] = CELL_KNOWN;
    chosen = choose(&p, a);
    count_experts(&chosen, second);
    for (size_t e = 0; e < EXPERTS; e++)
        cr_expect_lt(labs((long)(first[e] + second[e]) - (long)once[e]), 4 + (long)once[e] / 10,
                     "expert %zu: %zu and %zu, at once %zu", e, first[e], second[e], once[e]);
    arena_free(a);
}

Test(cells, have_the_dear_answer_what_the_cheap_have_answered)
{
    struct arena *a = arena_create(8 << 20);
    bool asked[QUESTIONS] = {false};
    struct cells_problem p = problem_of(30000000);
    struct cells chosen = choose(&p, a);
    for (size_t i = 0; i < chosen.count; i++)
        asked[chosen.cells[i].question] |= chosen.cells[i].expert == 0;
    for (size_t i = 0; i < chosen.count; i++)
        cr_expect(chosen.cells[i].expert != 2 || asked[chosen.cells[i].question]);
    arena_free(a);
}

Test(cells, go_on_to_cheaper_ones_where_the_money_does_not_reach)
{
    struct arena *a = arena_create(8 << 20);
    size_t counts[EXPERTS];
    struct cells_problem p = problem_of(900000); /* the dear one costs more */
    struct cells chosen = choose(&p, a);
    count_experts(&chosen, counts);
    cr_expect_eq(counts[2], 0);
    cr_expect_gt(chosen.cost_nano_usd, 880000);
    arena_free(a);
}

Test(cells, of_whole_rows_alone)
{
    struct arena *a = arena_create(8 << 20);
    size_t answers[QUESTIONS] = {0};
    struct cells_problem p = problem_of(30000000);
    p.whole_share = 1;
    struct cells chosen = choose(&p, a);
    size_t rows = 0;
    for (size_t i = 0; i < chosen.count; i++) {
        rows += chosen.cells[i].random;
        answers[chosen.cells[i].question] += chosen.cells[i].random;
    }
    cr_expect_eq(rows, 25 * EXPERTS); /* 25 rows of 1,170,000 */
    for (size_t q = 0; q < QUESTIONS; q++)
        cr_expect(answers[q] == 0 || answers[q] == EXPERTS);
    arena_free(a);
}

/* What is believed, the same of every question, after many answers that were as expected. */
static void believe(struct cells_problem *p, float cheap, float middling, float dear)
{
    const float of[EXPERTS] = {cheap, middling, dear};
    for (size_t i = 0; i < QUESTIONS * EXPERTS; i++) {
        quality[i] = of[i % EXPERTS];
        spread[i] = 0.1f;
        scores[i] = quality[i];
        states[i] = i < ASKED * EXPERTS ? CELL_KNOWN : CELL_OPEN;
    }
    p->quality = quality;
    p->quality_sd = spread;
    p->scores = scores;
}

static struct cells_worth worth_of(const struct cells_problem *p, struct arena *a)
{
    struct cells_worth worth;
    struct error err;
    cr_assert_eq(cells_worth(p, a, &worth, &err), OK);
    return worth;
}

Test(cells, of_who_never_comes_near_winning_are_few)
{
    struct arena *a = arena_create(8 << 20);
    size_t near[EXPERTS], far[EXPERTS];
    struct cells_problem p = problem_of(12000000);
    believe(&p, 0.6f, 0.7f, 0.8f);
    cr_expect_gt(worth_of(&p, a).experts[1], 0.5);
    struct cells chosen = choose(&p, a);
    count_experts(&chosen, near);
    believe(&p, 0.6f, 0.2f, 0.8f);
    cr_expect_lt(worth_of(&p, a).experts[1], 0.2);
    chosen = choose(&p, a);
    count_experts(&chosen, far);
    cr_expect_lt(far[1], near[1], "%zu, then %zu", near[1], far[1]);
    cr_expect_gt(far[1], 0);
    arena_free(a);
}

Test(cells, say_how_near_their_experts_came_to_a_decision)
{
    struct arena *a = arena_create(8 << 20);
    const double lambda = 1;
    double ties[EXPERTS] = {0};
    struct cells_problem p = problem_of(60000000);
    p.lambda_count = 1;
    p.lambdas = &lambda;
    cr_expect_eq(choose(&p, a).cells[0].tie, 1, "nothing is believed");
    believe(&p, 0.2f, 0.7f, 0.75f);
    struct cells chosen = choose(&p, a);
    for (size_t i = 0; i < chosen.count; i++)
        ties[chosen.cells[i].expert] = (double)chosen.cells[i].tie;
    cr_expect(ties[0] < 0.01 && ties[0] >= 0, "%f", ties[0]);
    cr_expect(ties[1] > 0.5 && ties[1] <= 1, "%f", ties[1]);
    cr_expect(ties[2] > 0.5 && ties[2] <= 1, "%f", ties[2]);
    arena_free(a);
}

Test(cells, follow_the_policies_in_force)
{
    struct arena *a = arena_create(8 << 20);
    const double generous = 1, thrifty = 20000; /* quality per USD; the dear one costs .001 */
    struct cells_problem p = problem_of(30000000);
    believe(&p, 0.6f, 0.65f, 0.7f);
    p.lambda_count = 1;
    p.lambdas = &generous;
    cr_expect_gt(worth_of(&p, a).experts[2], 0.8);
    p.lambdas = &thrifty;
    cr_expect_lt(worth_of(&p, a).experts[2], 0.2);
    arena_free(a);
}

Test(cells, of_whom_nothing_is_known_are_worth_trying)
{
    struct arena *a = arena_create(8 << 20);
    struct cells_problem p = problem_of(30000000);
    believe(&p, 0.6f, 0.2f, 0.8f);
    for (size_t q = 0; q < QUESTIONS; q++)
        states[q * EXPERTS + 1] = CELL_OPEN;
    cr_expect_float_eq(worth_of(&p, a).experts[1], 1, 1e-9);
    arena_free(a);
}

Test(cells, go_to_questions_whose_answers_are_open)
{
    struct arena *a = arena_create(8 << 20);
    size_t sure = 0, open = 0;
    struct cells_problem p = problem_of(10000000);
    believe(&p, 0.5f, 0.55f, 0.6f);
    for (size_t i = 0; i < QUESTIONS * EXPERTS; i++)
        quality[i] = i / EXPERTS % 2 ? quality[i] : 0.97f;
    struct cells chosen = choose(&p, a);
    for (size_t i = 0; i < chosen.count; i++)
        *(chosen.cells[i].question % 2 ? &open : &sure) += 1;
    cr_expect_lt(3 * sure, 2 * open, "%zu and %zu", sure, open);
    cr_expect_gt(sure, 0);
    arena_free(a);
}

/* The cheap one was right on half of the questions, where it was thought to be right on most. */
Test(cells, heed_what_the_cheap_have_answered)
{
    struct arena *a = arena_create(8 << 20);
    size_t right = 0, wrong = 0;
    struct cells_problem p = problem_of(30000000);
    p.whole_share = 0;
    believe(&p, 0.85f, 0.87f, 0.9f);
    for (size_t q = ASKED; q < QUESTIONS; q++) {
        states[q * EXPERTS] = CELL_KNOWN;
        scores[q * EXPERTS] = q % 2 ? 1.0f : 0.0f;
    }
    struct cells chosen = choose(&p, a);
    for (size_t i = 0; i < chosen.count; i++)
        *(chosen.cells[i].question % 2 ? &right : &wrong) += 1;
    cr_expect_lt(right, wrong, "%zu and %zu", right, wrong);
    arena_free(a);
}

Test(cells, are_the_same_for_the_same_problem)
{
    struct arena *a = arena_create(8 << 20);
    struct cells_problem p = problem_of(15000000);
    struct cells x = choose(&p, a), y = choose(&p, a);
    cr_assert_eq(x.count, y.count);
    for (size_t i = 0; i < x.count; i++) {
        cr_expect_eq(x.cells[i].question, y.cells[i].question);
        cr_expect_eq(x.cells[i].expert, y.cells[i].expert);
    }
    arena_free(a);
}
