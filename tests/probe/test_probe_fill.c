/* Smoothed answers: between what was answered and what was to be expected; what is unknown is expectation. */
#include "probe/probe_int.h"

#include <criterion/criterion.h>

#include "probe/probe_world.h"

static struct world w;

static struct probe *filled(size_t rows, size_t unknown, enum probe_view view)
{
    const struct probe_options o = {WORLD_QUESTIONS, WORLD_CANDIDATES, 3, 0, 1};
    struct probe *p;
    world_make(&w, 1);
    cr_assert_eq(probe_create(&o, &p, NULL), OK);
    for (size_t i = 0; i < WORLD_CELLS; i++)
        if (i % WORLD_CANDIDATES != unknown)
            probe_tell(p, i / WORLD_CANDIDATES, i % WORLD_CANDIDATES, (double)w.score[i]);
    p->decided = p->opened = rows;
    probe_fill(p, view);
    return p;
}

static double mean(const struct probe *p, size_t candidate)
{
    double sum = 0;
    for (size_t r = 0; r < p->decided; r++)
        sum += 1 - (double)probe_column(p, candidate)[r];
    return sum / (double)p->decided;
}

Test(probe_fill, keeps_each_candidates_mean)
{
    struct probe *plain = filled(500, SIZE_MAX, PROBE_PLAIN);
    struct probe *smoothed = filled(500, SIZE_MAX, PROBE_SMOOTHED);
    for (size_t c = 0; c < WORLD_CANDIDATES; c++)
        cr_assert_float_eq(mean(plain, c), mean(smoothed, c), .005);
    probe_free(plain);
    probe_free(smoothed);
}

Test(probe_fill, plain_is_as_answered)
{
    struct probe *p = filled(100, SIZE_MAX, PROBE_PLAIN);
    for (size_t r = 0; r < p->decided; r++)
        for (size_t c = 0; c < WORLD_CANDIDATES; c++)
            cr_assert_float_eq(1 - probe_column(p, c)[r], probe_row(p, r)[c], 1e-6);
    probe_free(p);
}

Test(probe_fill, smooths_less_the_more_is_known)
{
    struct probe *few = filled(20, SIZE_MAX, PROBE_SMOOTHED);
    struct probe *many = filled(2000, SIZE_MAX, PROBE_SMOOTHED);
    cr_assert_gt(probe_smoothing(few), .6);
    cr_assert_lt(probe_smoothing(many), .2);
    probe_free(few);
    probe_free(many);
}

/* Nothing is known of it: neither good nor bad, and harder where others fail. */
Test(probe_fill, the_unknown_is_expected_by_the_questions_ease)
{
    struct probe *p = filled(500, 5, PROBE_PLAIN);
    double right[2] = {0}, count[2] = {0};
    for (size_t r = 0; r < p->decided; r++) {
        const int by = probe_row(p, r)[3] + probe_row(p, r)[4] + probe_row(p, r)[6] > 1.5f;
        right[by] += 1 - (double)probe_column(p, 5)[r];
        count[by]++;
    }
    cr_assert_gt(right[1] / count[1], right[0] / count[0] + .05);
    probe_free(p);
}
