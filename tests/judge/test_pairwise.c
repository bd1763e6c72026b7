/* Verdicts between pairs as scores. */
#include "judge/pairwise.h"

#include <criterion/criterion.h>
#include <math.h>

Test(pairwise, who_wins_more_scores_more)
{
    const struct pairwise_game games[] = {{0, 1, 1}, {1, 2, 1}, {0, 2, 1}};
    double s[3];
    pairwise_scores(games, 3, 3, s);
    cr_expect(s[0] > s[1] && s[1] > s[2]);
    cr_expect_float_eq(s[0] + s[1] + s[2], 1.5, 1e-6);
    cr_expect_float_eq(s[1], 0.5, 1e-6);
    cr_expect(s[0] < 1 && s[2] > 0);
}

Test(pairwise, ties_and_no_games_are_even)
{
    const struct pairwise_game tie = {0, 1, 0.5};
    double s[2];
    pairwise_scores(&tie, 1, 2, s);
    cr_expect_float_eq(s[0], 0.5, 1e-9);
    pairwise_scores(NULL, 0, 2, s);
    cr_expect_float_eq(s[1], 0.5, 1e-9);
}

Test(pairwise, beating_a_strong_one_counts_for_more)
{
    const struct pairwise_game games[] = {{0, 1, 1}, {0, 1, 1}, {2, 0, 1}, {3, 1, 1}};
    double s[4];
    pairwise_scores(games, 4, 4, s);
    cr_expect_gt(s[2], s[3]);
}
