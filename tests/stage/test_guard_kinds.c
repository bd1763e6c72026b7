/* Levels and lengths of kinds of which there are few texts, of outcomes that are drawn from known ones. */
#include "stage/guard_kinds.h"

#include <math.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "base/rng.h"

#define N       1
#define ROWS    8000
#define NEW     100
#define EXPERTS 3

static float said[ROWS], scores[ROWS * EXPERTS], weights[ROWS * EXPERTS], input[ROWS * EXPERTS],
    output[ROWS * EXPERTS];
static const float levels[EXPERTS] = {0, 1, 2}, usual_input[EXPERTS] = {100, 100, 200},
                   usual_output[EXPERTS] = {10, 20, 0};

/* Two kinds, at 0 and at 100. */
static struct guard make(void)
{
    static const float scale[2 * N] = {0, 0.02f}, whiten[N * N] = {1}, centre[2 * N] = {0, 2};
    static const float limits[GUARD_LIMITS] = {1, 2, 2, 3, 0, 0};
    return (struct guard){.kinds = 2,
                          .statistics = N,
                          .scale = scale,
                          .whiten = whiten,
                          .centre = centre,
                          .limits = limits};
}

static struct guard_outcomes outcomes(size_t rows)
{
    return (struct guard_outcomes){.rows = rows,
                                   .experts = EXPERTS,
                                   .said = said,
                                   .stride = N,
                                   .scores = scores,
                                   .weights = weights,
                                   .input_tokens = input,
                                   .output_tokens = output,
                                   .levels = levels,
                                   .usual_input = usual_input,
                                   .usual_output = usual_output};
}

/* The first `new` rows are of the second kind, where the logits are less by `harder` and the first expert's more by
 * `better`, and texts are three times as long. */
static void draw(size_t new, double harder, double better)
{
    struct rng r;
    rng_seed(&r, 1);
    for (size_t i = 0; i < ROWS * EXPERTS; i++) {
        bool is_new = i / EXPERTS < new;
        double z = (double)levels[i % EXPERTS];
        z += is_new ? (i % EXPERTS ? 0 : better) - harder : 0;
        said[i / EXPERTS] = is_new ? 100 : 0;
        scores[i] = rng_uniform(&r) < 1 / (1 + exp(-z));
        weights[i] = 1;
        input[i] = is_new ? 3 * usual_input[i % EXPERTS] : usual_input[i % EXPERTS];
        output[i] = i % EXPERTS == 1 ? -1 : 10;
    }
}

static double level_of(const struct guard *g, size_t kind, size_t e)
{
    return (double)guard_kind(g, kind, GUARD_KIND_LEVEL, EXPERTS, e);
}

Test(guard_kinds, a_hundred_outcomes_move_the_level_and_less_who_is_good)
{
    struct arena *a = arena_create(1 << 20);
    struct guard g = make();
    struct guard_outcomes o = outcomes(ROWS);
    draw(NEW, 1.5, 1.5);
    cr_assert_eq(guard_kinds_fit(&o, a, &g, NULL), OK);
    cr_assert_not_null(g.few);
    cr_assert_eq(g.few[0], 0);
    cr_assert_float_eq(g.few[1], 0.7, 1e-6);
    double common = (level_of(&g, 1, 0) + level_of(&g, 1, 1) + level_of(&g, 1, 2)) / 3;
    double better = level_of(&g, 1, 0) - (level_of(&g, 1, 1) + level_of(&g, 1, 2)) / 2;
    cr_assert_float_eq(common, -1, 0.25);
    cr_assert(better > 0.6 && better < 1.5, "%g", better);
    for (size_t e = 0; e < EXPERTS; e++)
        cr_assert_eq(level_of(&g, 0, e), 0);
    arena_free(a);
}

/* Ten usual texts count as much as the recorded ones; of what was never recorded nothing is said. */
Test(guard_kinds, a_usual_text_is_one_of_the_kind)
{
    struct arena *a = arena_create(1 << 20);
    struct guard g = make();
    struct guard_outcomes o = outcomes(ROWS);
    draw(NEW, 0, 0);
    cr_assert_eq(guard_kinds_fit(&o, a, &g, NULL), OK);
    double all = (3.0 * NEW + 10) / (NEW + 10), kind = (3.0 * NEW + 10 * all) / (NEW + 10);
    cr_assert_float_eq((double)guard_kind(&g, 1, GUARD_KIND_INPUT, EXPERTS, 0), log(kind), 1e-4);
    cr_assert_float_eq((double)guard_kind(&g, 1, GUARD_KIND_OUTPUT, EXPERTS, 0), 0, 1e-4);
    cr_assert_eq(guard_kind(&g, 1, GUARD_KIND_INPUT, EXPERTS, 1), 0);
    cr_assert_eq(guard_kind(&g, 1, GUARD_KIND_OUTPUT, EXPERTS, 2), 0);
    cr_assert_eq(guard_kind(&g, 0, GUARD_KIND_INPUT, EXPERTS, 0), 0);
    arena_free(a);
}

/* 150 texts are enough, or a fiftieth of few; a kind of which there are none is none of those. */
Test(guard_kinds, of_enough_texts_nothing_is_taken_back)
{
    static const struct {
        size_t new, rows;
        float few;
    } cases[] = {{150, ROWS, 0}, {125, ROWS, 0.35f}, {0, ROWS, 0}, {20, 1000, 0}, {13, 1000, 0.7f}};
    struct arena *a = arena_create(1 << 20);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct guard g = make();
        struct guard_outcomes o = outcomes(cases[i].rows);
        draw(cases[i].new, 1, 0);
        cr_assert_eq(guard_kinds_fit(&o, a, &g, NULL), OK);
        cr_assert_eq(!g.few, cases[i].few == 0, "case %zu", i);
        cr_assert_eq(!g.of_kind, !g.few);
        if (g.few)
            cr_assert_float_eq(g.few[1], cases[i].few, 1e-6, "case %zu", i);
    }
    arena_free(a);
}

Test(guard_kinds, without_a_guard_there_are_none)
{
    struct guard g = {.kinds = 0};
    struct guard_outcomes o = outcomes(ROWS);
    cr_assert_eq(guard_kinds_fit(&o, NULL, &g, NULL), OK);
    cr_assert_null(g.few);
}
