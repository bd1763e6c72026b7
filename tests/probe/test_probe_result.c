/* What the race has come to, held to what was planted. */
#include "probe/probe_world.h"

#include <math.h>

#include <criterion/criterion.h>

static struct world w;

static double coverage(const struct probe_result *r, size_t count)
{
    double sum = 0;
    for (size_t q = 0; q < WORLD_QUESTIONS; q++) {
        float best = 0;
        for (size_t i = 0; i < count; i++)
            best = fmaxf(best, w.score[q * WORLD_CANDIDATES + r->steps[i].candidate]);
        sum += (double)best;
    }
    return sum / WORLD_QUESTIONS;
}

/* Within four standard errors of what all answers say, which is a chance of one in ten thousand to fail. */
Test(probe_result, steps_are_what_they_say)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct world_end end;
        world_make(&w, seed);
        world_race(&w, 3, seed, w.all_nano_usd / 5, NULL, &end);
        for (size_t i = 0; i < end.result.count; i++) {
            const struct probe_step *s = &end.result.steps[i];
            const double all = coverage(&end.result, i + 1);
            cr_assert_leq(fabs(s->coverage.mean - all), 4 * s->coverage.error + .01,
                          "seed %lu step %zu: %f, and all say %f", (unsigned long)seed, i,
                          s->coverage.mean, all);
            cr_assert(i == 0 || s->gain.mean <= s[-1].gain.mean + 1e-9);
        }
    }
}

Test(probe_result, doubts_are_sorted_and_not_in_the_set)
{
    struct world_end end;
    world_make(&w, 9);
    world_race(&w, 5, 9, w.all_nano_usd / 50, NULL, &end);
    const struct probe_result *r = &end.result;
    cr_assert_gt(r->doubt_count, 0); /* four by chance alike, of which two are taken */
    for (size_t i = 0; i < r->doubt_count; i++) {
        cr_assert(i == 0 || r->doubts[i].loss.mean >= r->doubts[i - 1].loss.mean);
        for (size_t j = 0; j < r->count; j++)
            cr_assert_neq(r->steps[j].candidate, r->doubts[i].candidate);
    }
}

Test(probe_result, of_nothing_is_nothing)
{
    const struct probe_options o = {WORLD_QUESTIONS, WORLD_CANDIDATES, 3, 0, 1};
    struct probe_result r;
    struct probe *p;
    cr_assert_eq(probe_create(&o, &p, NULL), OK);
    cr_assert_eq(probe_result(p, &r, NULL), OK);
    cr_assert_eq(r.count, 0);
    probe_free(p);
}
