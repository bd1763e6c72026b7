/* Missing cells: what is expected of them is what was hidden, on average, however the hidden ones were chosen. */
#include "fit/expect.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/rng.h"

#define ROWS    2000
#define EXPERTS 5
#define GROUPS  2
#define DEAR    (EXPERTS - 1)
#define SHARE   0.5f

struct world {
    float truth[ROWS * EXPERTS]; /* chances */
    float scores[ROWS * EXPERTS], targets[ROWS * EXPERTS], weights[ROWS * EXPERTS];
    bool hidden[ROWS * EXPERTS];
    uint8_t groups[ROWS];
};

static double gaussian(struct rng *r)
{
    return sqrt(-2 * log(1 - rng_uniform(r))) * cos(6.283185307179586 * rng_uniform(r));
}

/* Experts of rising strength; the dear one is better at the second group than its strength says. All is known. */
static struct world *make(void)
{
    struct world *w = calloc(1, sizeof(*w));
    struct rng r;
    cr_assert_not_null(w);
    rng_seed(&r, 5);
    for (size_t i = 0; i < ROWS; i++) {
        double ability = 1.5 * gaussian(&r);
        w->groups[i] = (uint8_t)(i % GROUPS);
        for (size_t e = 0; e < EXPERTS; e++) {
            double z = ability + 0.5 * (double)e - 1 + (e == DEAR && i % GROUPS ? 1 : 0);
            size_t at = i * EXPERTS + e;
            w->truth[at] = (float)(1 / (1 + exp(-z)));
            w->scores[at] = w->targets[at] = rng_uniform(&r) < (double)w->truth[at];
            w->weights[at] = 1;
        }
    }
    return w;
}

static void hide(struct world *w, size_t at)
{
    w->targets[at] = -1;
    w->weights[at] = 0;
    w->hidden[at] = true;
}

static void fill(struct world *w)
{
    cr_assert_eq(expect_fill(w->targets, w->weights, w->groups, ROWS, EXPERTS, GROUPS, SHARE, NULL),
                 OK);
}

/* Mean of values[at] over the dear expert's cells that are hidden, of a group. */
static double mean_hidden(const struct world *w, const float *values, size_t group)
{
    double sum = 0, count = 0;
    for (size_t i = group; i < ROWS; i += GROUPS)
        if (w->hidden[i * EXPERTS + DEAR]) {
            sum += (double)values[i * EXPERTS + DEAR];
            count++;
        }
    return sum / count;
}

Test(expect, where_all_is_known_nothing_happens)
{
    struct world *w = make();
    fill(w);
    for (size_t at = 0; at < (size_t)ROWS * EXPERTS; at++) {
        cr_assert_eq(w->targets[at], w->scores[at]);
        cr_assert_eq(w->weights[at], 1);
    }
    free(w);
}

/* The dear expert was asked every fifth question, and only where two of the cheap ones had failed. */
Test(expect, hard_questions_do_not_make_an_expert_look_weak)
{
    struct world *w = make();
    double seen[GROUPS] = {0}, count[GROUPS] = {0};
    for (size_t i = 0; i < ROWS; i++) {
        float *row = w->scores + i * EXPERTS;
        if (i / GROUPS % 3 == 0 && row[0] + row[1] == 0) {
            seen[i % GROUPS] += (double)row[DEAR];
            count[i % GROUPS]++;
        } else {
            hide(w, i * EXPERTS + DEAR);
        }
    }
    fill(w);
    for (size_t g = 0; g < GROUPS; g++) {
        double found = mean_hidden(w, w->targets, g), truth = mean_hidden(w, w->truth, g);
        cr_assert_float_eq(found, truth, 0.08, "group %zu: %g expected, %g is true, %g was seen", g,
                           found, truth, seen[g] / count[g]);
        cr_assert_gt(truth - seen[g] / count[g], 0.15); /* which is far from what was seen */
    }
    free(w);
}

Test(expect, it_tells_hard_from_easy_questions)
{
    struct world *w = make();
    double product = 0, found_squares = 0, truth_squares = 0;
    for (size_t i = 0; i < ROWS; i++)
        if (i % 10)
            hide(w, i * EXPERTS + DEAR);
    fill(w);
    double found = (mean_hidden(w, w->targets, 0) + mean_hidden(w, w->targets, 1)) / 2;
    double truth = (mean_hidden(w, w->truth, 0) + mean_hidden(w, w->truth, 1)) / 2;
    for (size_t i = 0; i < ROWS; i++) {
        size_t at = i * EXPERTS + DEAR;
        if (!w->hidden[at])
            continue;
        cr_assert(w->targets[at] >= 0 && w->targets[at] <= 1);
        double x = (double)w->targets[at] - found, y = (double)w->truth[at] - truth;
        product += x * y;
        found_squares += x * x;
        truth_squares += y * y;
    }
    double correlation = product / sqrt(found_squares * truth_squares);
    cr_assert_gt(correlation, 0.6, "%g", correlation);
    free(w);
}

Test(expect, rows_of_which_nothing_is_known_stay_so)
{
    struct world *w = make();
    for (size_t e = 0; e < EXPERTS; e++)
        hide(w, 7 * EXPERTS + e);
    hide(w, DEAR);
    fill(w);
    for (size_t e = 0; e < EXPERTS; e++) {
        cr_assert_eq(w->targets[7 * EXPERTS + e], -1);
        cr_assert_eq(w->weights[7 * EXPERTS + e], 0);
    }
    cr_assert(w->targets[DEAR] > 0 && w->targets[DEAR] < 1);
    free(w);
}

/* What is expected weighs the less the more is known of the expert, and never more than `share`. */
Test(expect, who_was_asked_much_needs_it_less)
{
    struct world *w = make();
    for (size_t i = 0; i < ROWS; i++) {
        if (i % 2)
            hide(w, i * EXPERTS);
        if (i % 10)
            hide(w, i * EXPERTS + DEAR);
    }
    fill(w);
    float much = w->weights[EXPERTS], little = w->weights[EXPERTS + DEAR];
    cr_assert(much > 0 && much < little && little < SHARE, "%g %g", (double)much, (double)little);
    free(w);
}

/* What is hardly believed hardly counts: half of the dear expert's outcomes are turned around and say so. */
Test(expect, weights_count)
{
    struct world *w = make();
    for (size_t i = 0; i < ROWS; i++) {
        size_t at = i * EXPERTS + DEAR;
        if (i % 4 < 2)
            hide(w, at);
        else if (i % 8 < 4) {
            w->targets[at] = 1 - w->targets[at];
            w->weights[at] = 1e-4f;
        }
    }
    fill(w);
    for (size_t g = 0; g < GROUPS; g++)
        cr_assert_float_eq(mean_hidden(w, w->targets, g), mean_hidden(w, w->truth, g), 0.05);
    free(w);
}
