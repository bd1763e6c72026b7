/* Drift on made-up outcomes, whose chances are known. */
#include "eval/drift.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

#define EXPERTS 5
#define ROWS    8000

struct world {
    struct arena *arena;
    struct rng rng;
    struct drift_row *rows;
    size_t count, questions;
    struct drift_known known[EXPERTS];
    struct drift_expert found[EXPERTS];
    bool feedback;
};

static struct world begin(uint64_t seed)
{
    struct world w = {.arena = arena_create((size_t)1 << 26)};
    rng_seed(&w.rng, seed);
    w.rows = ARENA_ARRAY(w.arena, ROWS, struct drift_row);
    cr_assert_not_null(w.rows);
    for (size_t e = 0; e < EXPERTS; e++)
        w.known[e] = (struct drift_known){10000, 0.01, 0, 0.5};
    return w;
}

/* A question that is answered by experts[0..count): each right with what is estimated of it, plus what the question has
 * of its own, plus the expert's drift. */
static void ask(struct world *w, size_t count, double own, const double *drift, bool earlier)
{
    double deviation = 0.15 * (rng_uniform(&w->rng) < 0.5 ? 1 : -1) + own;
    for (size_t e = 0; e < count; e++) {
        double q = 0.4 + 0.08 * (double)e + 0.1 * (rng_uniform(&w->rng) - 0.5);
        double p = q + deviation + (drift ? drift[e] : 0);
        cr_assert_lt(w->count, ROWS);
        w->rows[w->count++] = (struct drift_row){.question = w->questions,
                                                 .expert = e,
                                                 .score = rng_uniform(&w->rng) < p ? 1 : 0,
                                                 .estimated = (float)q,
                                                 .estimated_sd = 0.15f,
                                                 .earlier = earlier,
                                                 .tokens = 100 * exp(rng_uniform(&w->rng) - 0.5),
                                                 .estimated_tokens = 100};
    }
    w->questions++;
}

static void find(struct world *w)
{
    struct error err;
    const struct drift_input in = {.rows = w->rows,
                                   .row_count = w->count,
                                   .question_count = w->questions,
                                   .expert_count = EXPERTS,
                                   .known = w->known,
                                   .feedback = w->feedback,
                                   .alpha = 0.05};
    cr_assert_eq(drift_find(&in, w->arena, w->found, &err), OK, "%s", err.text);
}

static size_t drifted(const struct world *w)
{
    size_t n = 0;
    for (size_t e = 0; e < EXPERTS; e++)
        n += w->found[e].quality.drifted || w->found[e].length.drifted;
    return n;
}

Test(drift, nothing_drifts_where_nothing_has_changed)
{
    size_t alarms = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct world w = begin(seed);
        for (size_t i = 0; i < 200; i++)
            ask(&w, EXPERTS, 0, NULL, false);
        find(&w);
        alarms += drifted(&w) > 0;
        arena_free(w.arena);
    }
    cr_expect_leq(alarms, 14, "%zu of 200", alarms); /* 5 % and less than one standard error more */
}

/* Alone, by hand: the mean of score − estimate, with at least the spread that the estimates themselves have. */
Test(drift, one_expert_alone_is_compared_with_the_model)
{
    struct world w = begin(7);
    double sum = 0, squares = 0, spread = 0;
    for (size_t i = 0; i < 100; i++)
        ask(&w, 1, 0, (const double[]){-0.3}, false);
    for (size_t i = 0; i < 100; i++) {
        double q = (double)w.rows[i].estimated, r = (double)w.rows[i].score - q;
        sum += r;
        squares += r * r;
        spread += q * (1 - q);
    }
    double variance = fmax(squares / 100 - sum / 100 * (sum / 100), spread / 100);
    find(&w);
    const struct drift_expert *x = &w.found[0];
    cr_expect_eq(x->basis, DRIFT_MODEL);
    cr_expect_eq(x->rows, 100);
    cr_expect_float_eq(x->quality.difference, sum / 100, 1e-12);
    cr_expect_float_eq(x->quality.error, sqrt(variance / 100 + variance / 10000 + 0.005 * 0.005),
                       1e-12);
    cr_expect(x->quality.drifted && x->quality.p < 0.001);
    cr_expect_float_eq(x->score - x->estimated, sum / 100, 1e-6);
    cr_expect_eq(w.found[1].basis, DRIFT_TOO_FEW);
    cr_expect(isnan(w.found[1].quality.p) && !w.found[1].quality.drifted);
    arena_free(w.arena);
}

/* Questions that are harder than their texts tell make all worse, and nobody has drifted. */
Test(drift, a_shift_of_all_is_no_drift)
{
    struct world w = begin(3);
    for (size_t i = 0; i < 400; i++)
        ask(&w, EXPERTS, -0.1, NULL, false);
    find(&w);
    cr_expect_eq(drifted(&w), 0);
    for (size_t e = 0; e < EXPERTS; e++) {
        cr_expect_eq(w.found[e].basis, DRIFT_PAIRED);
        cr_expect_lt(w.found[e].score - w.found[e].estimated, -0.05);
    }
    arena_free(w.arena);
}

/* And the others, who are compared with it, do not seem to have risen. */
Test(drift, who_has_fallen_is_named_alone)
{
    for (size_t count = 2; count <= EXPERTS; count++) {
        struct world w = begin(11);
        const double drift[EXPERTS] = {0, -0.25};
        for (size_t i = 0; i < 600; i++)
            ask(&w, count, 0, drift, false);
        find(&w);
        cr_expect_eq(drifted(&w), 1, "of %zu", count);
        cr_expect(w.found[1].quality.drifted);
        cr_expect_float_eq(w.found[1].quality.difference, -0.25, 0.08);
        arena_free(w.arena);
    }
}

/* The same questions tell more than others. */
Test(drift, pairing_makes_errors_smaller)
{
    struct world w = begin(5);
    for (size_t i = 0; i < 300; i++)
        ask(&w, EXPERTS, i % 2 ? 0.25 : -0.25, NULL, false);
    find(&w);
    double paired = w.found[0].quality.error;
    for (size_t i = 0; i < w.count; i++)
        w.rows[i].question = i;
    w.questions = w.count;
    find(&w);
    cr_expect_eq(w.found[0].basis, DRIFT_MODEL);
    cr_expect_lt(paired, 0.98 * w.found[0].quality.error, "%g %g", paired,
                 w.found[0].quality.error);
    arena_free(w.arena);
}

/* A few outcomes of training leave the model in doubt, and what it was off by itself is no drift. */
Test(drift, the_models_own_doubt_counts)
{
    struct world w = begin(9);
    for (size_t i = 0; i < 1000; i++)
        ask(&w, 1, 0, (const double[]){-0.1}, false);
    find(&w);
    double sure = w.found[0].quality.error;
    cr_expect(w.found[0].quality.drifted);
    w.known[0].outcomes = 50;
    find(&w);
    cr_expect_gt(w.found[0].quality.error, 3 * sure);
    cr_expect(!w.found[0].quality.drifted);
    w.known[0].outcomes = 10000;
    w.known[0].calibration_error = 0.2;
    find(&w);
    cr_expect(!w.found[0].quality.drifted);
    cr_expect_gt(w.found[0].quality.error, 0.1);
    w.known[0].calibration_error = NAN;
    find(&w);
    cr_expect_eq(w.found[0].quality.floor, DRIFT_FLOOR);
    arena_free(w.arena);
}

/* Who says something is not who was trained on: only a change of what is said counts. */
Test(drift, feedback_is_compared_with_earlier_feedback)
{
    const double level[EXPERTS] = {-0.2, -0.2, -0.2, -0.2, -0.2};
    const double now[EXPERTS] = {-0.2, -0.2, -0.45, -0.2, -0.2};
    struct world w = begin(13);
    w.feedback = true;
    for (size_t i = 0; i < 800; i++)
        ask(&w, EXPERTS, 0, i < 400 ? level : now, i < 400);
    find(&w);
    for (size_t e = 0; e < EXPERTS; e++) {
        cr_expect_eq(w.found[e].basis, DRIFT_EARLIER);
        cr_expect_eq(w.found[e].quality.drifted, e == 2, "%zu", e);
        cr_expect_eq(w.found[e].rows, 400);
        cr_expect_eq(w.found[e].earlier, 400);
    }
    for (size_t i = 0; i < w.count; i++) /* without any, the others' level is what there is */
        w.rows[i] = w.rows[i % 2000 + 2000];
    find(&w);
    cr_expect_eq(w.found[2].basis, DRIFT_OTHERS);
    cr_expect_eq(drifted(&w), 1);
    cr_expect(w.found[2].quality.drifted);
    arena_free(w.arena);
}

Test(drift, feedback_of_one_expert_alone_is_compared_with_nothing)
{
    struct world w = begin(17);
    w.feedback = true;
    for (size_t i = 0; i < 400; i++)
        ask(&w, 1, 0, (const double[]){-0.3}, false);
    find(&w);
    cr_expect_eq(w.found[0].basis, DRIFT_NOTHING);
    cr_expect_eq(drifted(&w), 0);
    cr_expect(isnan(w.found[0].quality.p), "what is not tested has no p");
    arena_free(w.arena);
}

Test(drift, a_length_is_as_sure_as_the_answers_that_have_one)
{
    double p[2];
    for (int more = 0; more < 2; more++) {
        struct world w = begin(23);
        for (size_t i = 0; i < (more ? 400 : DRIFT_ROWS_MIN); i++) {
            ask(&w, 1, 0, NULL, false);
            w.rows[i].tokens = i < DRIFT_ROWS_MIN ? 140 + (double)(i % 7) : 0;
        }
        find(&w);
        cr_expect_eq(w.found[0].length.rows, DRIFT_ROWS_MIN);
        cr_assert_lt(w.found[0].length.p, w.found[0].quality.p);
        p[more] = w.found[0].length.p;
        arena_free(w.arena);
    }
    cr_expect_float_eq(p[0], p[1], 1e-12, "%g, %g", p[0], p[1]);
}

Test(drift, lengths_drift_too)
{
    struct world w = begin(19);
    for (size_t i = 0; i < 200; i++)
        ask(&w, EXPERTS, 0, NULL, false);
    for (size_t i = 0; i < w.count; i++) {
        struct drift_row *r = &w.rows[i];
        r->tokens *= r->expert == 3 ? 1.5 : 1;
        r->usd = r->tokens * 2e-6;
        r->estimated_usd = 2e-4;
    }
    find(&w);
    cr_expect_eq(drifted(&w), 1);
    cr_expect(w.found[3].length.drifted && !w.found[3].quality.drifted);
    cr_expect_float_eq(w.found[3].length.difference, 0.5, 0.12);
    cr_expect_float_eq(w.found[3].usd_ratio, 1.5, 0.2);
    cr_expect_float_eq(w.found[3].usd, 3e-4, 5e-5);
    w.known[3].length_log = NAN; /* and nothing earlier: not tested */
    find(&w);
    cr_expect(isnan(w.found[3].length.p) && !w.found[3].length.drifted);
    arena_free(w.arena);
}

/* The more are looked at, the surer it takes to be. */
Test(drift, tests_are_corrected_together)
{
    struct world w = begin(23);
    for (size_t i = 0; i < 60; i++)
        ask(&w, EXPERTS, 0, NULL, false);
    for (size_t i = 0; i < w.count; i++)
        w.rows[i].question = i;
    w.questions = w.count;
    find(&w);
    double smallest = 1;
    for (size_t e = 0; e < EXPERTS; e++)
        smallest = fmin(smallest, fmin(w.found[e].quality.p, w.found[e].length.p));
    for (size_t e = 0; e < EXPERTS; e++) {
        const struct drift_test *t = &w.found[e].quality;
        double z = t->difference / t->error;
        cr_expect_float_eq(t->z, z, 1e-12);
        cr_expect_geq(t->p, erfc(fabs(z) * M_SQRT1_2), "no smaller than uncorrected");
        cr_expect_leq(t->p, 1);
    }
    cr_expect_gt(smallest, 0.05);
    arena_free(w.arena);
}
