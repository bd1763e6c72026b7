/* Sequential plans learnt from rows whose truth is known: two weak experts that are right where they agree. */
#include "train/plan_panel.h"

#include "plan_world.h"

#define ROWS 1500

static const struct plan voters = {
    .kind = PLAN_SEQUENTIAL, .member_count = PLAN_WORLD_EXPERTS, .members = {0, 1, 2}};

static struct panel_course learn(const struct plan_world *w, size_t usable_min)
{
    struct panel_course c;
    struct error err = {0};
    struct rng r;
    rng_seed(&r, 1);
    cr_assert_eq(panel_course_learn(&w->rows, &voters, usable_min, &r, w->arena, &c, &err), OK,
                 "%s", err.text);
    return c;
}

struct sums {
    double score, usd, calls, last;
};

static struct sums sum(const struct plan_world *w, const struct panel_course *c, size_t lambda)
{
    const struct plan_result *r = panel_course_results(c, ROWS, lambda);
    struct sums s = {0};
    for (size_t row = 0; row < w->rows.rows; row++) {
        if (!c->usable[row])
            continue;
        s.score += (double)r[row].score / (double)c->usable_count;
        s.usd += (double)r[row].cost_usd / (double)c->usable_count;
        s.calls += (double)__builtin_popcount(r[row].asked) / (double)c->usable_count;
        s.last += (double)(r[row].asked >> 2 & 1) / (double)c->usable_count;
    }
    return s;
}

/* Where the weak agree both are right, so that the strong one is needed on the other 40 % alone. */
Test(plan_panel, the_strong_one_is_asked_where_the_weak_differ)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_AGREE, ROWS, 10, 1);
    struct panel_course c = learn(w, 100);
    bool found = false;
    cr_assert_eq(c.usable_count, ROWS);
    cr_expect_eq(c.plan.rule, PLAN_TRUST);
    for (size_t k = 0; k < c.panel.lambda_count; k++) {
        struct sums s = sum(w, &c, k);
        found |= s.score > 0.85 && s.last > 0.33 && s.last < 0.47;
    }
    cr_expect(found, "no lambda asks the strong one just where the weak differ");
    panel_course_done(&c);
    plan_world_free(w);
}

/* What is dearer is worth more; costs are those of the calls that were made, and nobody answers who was not asked. */
Test(plan_panel, results_are_those_of_the_calls_made)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_AGREE, ROWS, 10, 2);
    struct panel_course c = learn(w, 100);
    for (size_t k = 0; k < c.panel.lambda_count; k++) {
        const struct plan_result *r = panel_course_results(&c, ROWS, k);
        for (size_t row = 0; row < ROWS; row++) {
            const struct outcome *o = plan_world_outcome(w, row, 0);
            double usd = 0;
            bool scored = false;
            for (size_t i = 0; i < PLAN_WORLD_EXPERTS; i++)
                if (r[row].asked >> i & 1) {
                    usd += plan_world_usd(&o[i]);
                    scored |= r[row].score == o[i].score;
                }
            cr_assert_neq(r[row].asked, 0);
            cr_assert(scored);
            cr_assert_float_eq((double)r[row].cost_usd, usd, 1e-7);
        }
    }
    cr_expect_gt(sum(w, &c, 0).usd, sum(w, &c, c.panel.lambda_count - 1).usd);
    panel_course_done(&c);
    plan_world_free(w);
}

Test(plan_panel, rows_with_a_hole_are_left_out)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_AGREE, ROWS, 10, 3);
    for (size_t row = 0; row < ROWS; row += 3)
        w->outcomes[row * PLAN_WORLD_EXPERTS + row % 2].known = false;
    struct panel_course c = learn(w, 100);
    cr_expect_eq(c.usable_count, ROWS - ROWS / 3);
    for (size_t row = 0; row < ROWS; row++)
        cr_assert_eq(c.usable[row], row % 3 != 0);
    panel_course_done(&c);
    c = learn(w, ROWS);
    cr_expect_eq(c.panel.members, 0, "too few rows: nothing was learnt");
    plan_world_free(w);
}

/* Scores are coins and answers are dice: nobody is asked after the first. */
Test(plan_panel, where_answers_tell_nothing_there_are_no_further_voices)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_NOISE, ROWS, 10, 4);
    struct panel_course c = learn(w, 100);
    for (size_t k = 0; k < c.panel.lambda_count; k++)
        cr_expect_leq(sum(w, &c, k).calls, 1.05, "lambda %zu: %g calls", k, sum(w, &c, k).calls);
    panel_course_done(&c);
    plan_world_free(w);
}

Test(plan_panel, its_worth_is_taken_at_the_nearest_lambda)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_AGREE, ROWS, 10, 5);
    struct panel_course c = learn(w, 100);
    struct plan_worth worth = panel_course_worth(&c);
    for (size_t k = 0; k < c.panel.lambda_count; k++) {
        struct plan_result got = worth.at(&w->rows, worth.course, 1.1 * (double)c.panel.lambdas[k],
                                          7),
                           want = panel_course_results(&c, ROWS, k)[7];
        cr_expect_eq(got.asked, want.asked);
        cr_expect_eq(got.cost_usd, want.cost_usd);
    }
    cr_expect_eq(worth.usable, c.usable);
    panel_course_done(&c);
    plan_world_free(w);
}
