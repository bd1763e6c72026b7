/* The weighted vote on answers of which it is known how they come about. */
#include "stage/panel_votes.h"

#include <math.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#define MEMBERS 3
#define ROWS    3000
#define FOLDS   4
#define STATES  (7 * ROWS) /* every subset of every row */

static struct panel_cell cells[ROWS * MEMBERS];
static float characters[ROWS];
static uint32_t choices[ROWS];
static uint8_t folds[ROWS];
static uint32_t row_of[STATES];
static uint8_t subset[STATES];

/* The first two say the same whatever is right, by one toss; the third is right by itself. */
static struct panel_rows world(uint64_t seed)
{
    static const float stats[ANSWER_STATS] = {0};
    struct rng r;
    rng_seed(&r, seed);
    for (size_t row = 0; row < ROWS; row++) {
        bool both = rng_uniform(&r) < 0.6, third = rng_uniform(&r) < 0.8;
        const bool good[MEMBERS] = {both, both, third};
        choices[row] = 4;
        characters[row] = 100;
        folds[row] = (uint8_t)(row % FOLDS);
        for (size_t k = 0; k < 7; k++) {
            row_of[7 * row + k] = (uint32_t)row;
            subset[7 * row + k] = (uint8_t)(1 + k);
        }
        for (size_t i = 0; i < MEMBERS; i++)
            cells[row * MEMBERS + i] =
                (struct panel_cell){.quality = i < 2 ? 0.6f : 0.8f,
                                    .output_tokens = 10,
                                    .score = good[i],
                                    .confidence = 1,
                                    .answer_class = (uint16_t)(good[i] ? 1 : 2 + (i == 2)),
                                    .stats = stats};
    }
    return (struct panel_rows){ROWS, MEMBERS, cells, characters, choices, folds, FOLDS};
}

static void fit(const struct panel_rows *r, unsigned fold, struct panel_votes *v)
{
    struct error err;
    cr_assert_eq(panel_votes_fit(r, row_of, subset, STATES, fold, v, &err), OK, "%s", err.text);
}

/* Probability that a member is right, all asked, or the third alone not. */
static double trust(const struct panel_votes *v, const struct panel_rows *r, size_t row,
                    uint8_t asked, size_t member)
{
    struct panel_state s;
    float logits[PANEL_MEMBERS_MAX];
    panel_row_state(r, row, asked, &s);
    panel_start(v, &s, logits);
    return 1 / (1 + exp(-(double)logits[member]));
}

Test(panel_votes, an_echo_counts_for_nothing_and_a_voice_for_what_it_is_worth)
{
    struct panel_rows r = world(1);
    struct panel_votes v;
    size_t agreed = 0;
    double alone = 0, echoed = 0, together = 0, n = 0;
    fit(&r, FOLDS, &v); /* all rows */
    for (size_t row = 0; row < ROWS; row++) {
        alone += trust(&v, &r, row, 1, 0) / ROWS;
        echoed += trust(&v, &r, row, 3, 0) / ROWS;
        if (!(cells[row * MEMBERS].score > 0.5f) || !(cells[row * MEMBERS + 2].score > 0.5f))
            continue;
        agreed++;
        together += trust(&v, &r, row, 7, 0);
        n++;
    }
    cr_assert_gt(agreed, 100);
    cr_assert_float_eq(alone, 0.6, 0.03);
    cr_assert_float_eq(echoed, 0.6, 0.03, "the second says nothing new: %g", echoed);
    cr_assert_gt(together / n, 0.93, "wrong answers of theirs never agree: %g", together / n);
    cr_assert_float_eq(trust(&v, &r, 0, 3, 2), 0.8, 0.05, "what the others say does not tell");
}

Test(panel_votes, rows_of_the_fold_have_no_part_in_it)
{
    struct panel_rows r = world(2);
    struct panel_votes a, b;
    fit(&r, 1, &a);
    for (size_t row = 0; row < ROWS; row++)
        for (size_t i = 0; i < MEMBERS && folds[row] == 1; i++)
            cells[row * MEMBERS + i].score = 1 - cells[row * MEMBERS + i].score;
    fit(&r, 1, &b);
    cr_assert_arr_eq(&a, &b, sizeof(a));
    fit(&r, 2, &b);
    cr_assert_arr_neq(&a, &b, sizeof(a));
}

Test(panel_votes, without_a_state_it_is_the_estimates)
{
    struct panel_rows r = world(3);
    struct panel_votes v;
    struct error err;
    cr_assert_eq(panel_votes_fit(&r, row_of, subset, 0, 0, &v, &err), OK, "%s", err.text);
    cr_assert_float_eq(trust(&v, &r, 0, 1, 0), 0.6, 1e-4);
    cr_assert_float_eq(trust(&v, &r, 0, 1, 2), 0.8, 1e-4);
}
