/* One combination learnt by cross-validation: what it finds, and what it must not see. */
#include "train/plan_learn.h"

#include "plan_world.h"

#define ROWS 800

static const struct plan panel = {.kind = PLAN_PANEL, .member_count = 3, .members = {0, 1, 2}};
static const struct plan cascade = {.kind = PLAN_CASCADE, .member_count = 2, .members = {0, 2}};

static struct plan_course learn(const struct plan_world *w, const struct plan *p, uint64_t seed)
{
    struct forest_options forest = plan_world_forest();
    struct plan_course c;
    struct error err = {0};
    struct rng r;
    rng_seed(&r, seed);
    cr_assert_eq(plan_course_learn(&w->rows, p, &forest, &r, w->arena, &c, &err), OK, "%s",
                 err.text);
    return c;
}

static bool all_asked(const struct plan_result *r, const struct plan *arm)
{
    return r->asked == (1u << arm->member_count) - 1;
}

static bool asks_all(const struct plan_world *w, const struct plan_course *c,
                     const struct plan *arm, size_t row)
{
    struct plan_result r = plan_course_result(&w->rows, c, arm, row);
    return all_asked(&r, arm);
}

/* Mean score, cost and escalation of an arm over all usable rows. */
static struct plan_result mean_result(const struct plan_world *w, const struct plan_course *c,
                                      const struct plan *arm, double *escalated)
{
    double score = 0, cost = 0, asked = 0, n = 0;
    for (size_t row = 0; row < w->rows.rows; row++) {
        if (!c->usable[row])
            continue;
        struct plan_result one = plan_course_result(&w->rows, c, arm, row);
        score += (double)one.score;
        cost += (double)one.cost_usd;
        asked += all_asked(&one, arm);
        n++;
    }
    *escalated = asked / n;
    return (struct plan_result){.score = (float)(score / n), .cost_usd = (float)(cost / n)};
}

static bool world_agrees(const struct plan_world *w, size_t row)
{
    return plan_world_outcome(w, row, 0)->answer_class ==
           plan_world_outcome(w, row, 1)->answer_class;
}

Test(plan_learn, a_check_asks_the_last_where_the_first_disagree)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_AGREE, ROWS, 10, 1);
    struct plan_course c = learn(w, &panel, 1);
    struct plan arm = c.plan;
    double escalated;
    arm.gain_per_usd = 30; /* the strong one brings .9 for .01 USD there, nothing elsewhere */
    cr_assert_eq(c.usable_count, ROWS);
    cr_assert_eq(arm.rule, PLAN_TRUST);
    size_t wrong = 0;
    for (size_t row = 0; row < ROWS; row++)
        wrong += asks_all(w, &c, &arm, row) == world_agrees(w, row);
    cr_expect_leq(wrong, ROWS / 100, "%zu of %d", wrong, ROWS);
    struct plan_result mean = mean_result(w, &c, &arm, &escalated);
    cr_expect_gt((double)mean.score, 0.98);
    cr_expect_float_eq(escalated, 0.4, 0.06);
    cr_expect_float_eq((double)mean.cost_usd, 0.0021 + 0.4 * 0.01, 7e-4);
    plan_course_done(&c);
    plan_world_free(w);
}

Test(plan_learn, a_cascade_reads_the_answer)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_CLOSEST, ROWS, 10, 2);
    struct plan_course c = learn(w, &cascade, 1);
    struct plan arm = c.plan;
    size_t wrong = 0;
    arm.gain_per_usd = 40;
    for (size_t row = 0; row < ROWS; row++)
        wrong += asks_all(w, &c, &arm, row) != (plan_world_outcome(w, row, 0)->score < 0.5f);
    cr_expect_leq(wrong, ROWS / 50, "%zu of %d", wrong, ROWS);
    plan_course_done(&c);
    plan_world_free(w);
}

/* What a result says, recomputed from the table. */
Test(plan_learn, results_are_those_of_the_calls_made)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_AGREE, ROWS, 10, 3);
    struct plan_course c = learn(w, &panel, 1);
    struct plan arms[] = {c.plan, c.plan, c.plan};
    arms[0].rule = PLAN_AGREE;
    arms[1].gain_per_usd = -1e9f;
    arms[2].gain_per_usd = 1e9f;
    for (size_t row = 0; row < ROWS; row++) {
        const struct outcome *o = plan_world_outcome(w, row, 0);
        double first = plan_world_usd(&o[0]) + plan_world_usd(&o[1]),
               all = first + plan_world_usd(&o[2]);
        struct plan_result r = plan_course_result(&w->rows, &c, &arms[0], row);
        bool agree = world_agrees(w, row);
        cr_assert_eq(all_asked(&r, &arms[0]), !agree);
        cr_assert_eq(r.score, agree ? o[0].score : o[2].score);
        cr_assert_float_eq((double)r.cost_usd, agree ? first : all, 1e-8);
        r = plan_course_result(&w->rows, &c, &arms[1], row);
        cr_assert(all_asked(&r, &arms[1]));
        cr_assert_eq(r.score, o[c.final[row]].score);
        cr_assert_float_eq((double)r.cost_usd, all, 1e-8);
        r = plan_course_result(&w->rows, &c, &arms[2], row);
        cr_assert_eq(r.asked, 3);
        cr_assert_lt(c.kept[row], 2);
        cr_assert_eq(r.score, o[c.kept[row]].score);
        cr_assert_float_eq((double)r.cost_usd, first, 1e-8);
    }
    plan_course_done(&c);
    plan_world_free(w);
}

/* Scores that are coins cannot be foretold. A forest that saw a row's own score would choose winners that are right
 * more often than a coin, and ask the last just where that helps. */
Test(plan_learn, no_row_sees_its_own_score)
{
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct plan_world *w = plan_world_make(PLAN_WORLD_NOISE, ROWS, 10, seed);
        struct plan_course c = learn(w, &panel, seed);
        double kept = 0, final = 0, gain_right = 0, gain_wrong = 0, n = 0;
        for (size_t row = 0; row < ROWS; row++) {
            const struct outcome *o = plan_world_outcome(w, row, 0);
            kept += (double)o[c.kept[row]].score / ROWS;
            final += (double)o[c.final[row]].score / ROWS;
            bool helps = o[c.final[row]].score > o[c.kept[row]].score;
            n += helps;
            *(helps ? &gain_right : &gain_wrong) += (double)c.gain_per_usd[row];
        }
        cr_expect_float_eq(kept, 0.5, 0.065, "seed %d: %g", (int)seed, kept);
        cr_expect_float_eq(final, 0.5, 0.065, "seed %d: %g", (int)seed, final);
        double apart = gain_right / n - gain_wrong / (ROWS - n);
        cr_expect_lt(apart, 3, "seed %d: %g", (int)seed, apart);
        plan_course_done(&c);
        plan_world_free(w);
    }
}

/* The trust that is learnt means what it says: the gain per dollar is in units of score. */
Test(plan_learn, gains_are_calibrated)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_AGREE, ROWS, 10, 5);
    struct plan_course c = learn(w, &panel, 1);
    double differ = 0, agree = 0, n = 0;
    for (size_t row = 0; row < ROWS; row++) {
        double gain = (double)c.gain_per_usd[row] *
                      (double)w->estimates[row * PLAN_WORLD_EXPERTS + 2].cost_nano_usd / 1e9;
        *(world_agrees(w, row) ? &agree : &differ) += gain;
        n += world_agrees(w, row);
    }
    cr_expect_float_eq(differ / (ROWS - n), 1, 0.15); /* neither of the first is right there */
    cr_expect_float_eq(agree / n, 0, 0.1);
    plan_course_done(&c);
    plan_world_free(w);
}

/* Rows without a text, a score or a cost are no part of it, whatever they hold. */
Test(plan_learn, incomplete_rows_are_left_out)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_AGREE, ROWS, 10, 6);
    size_t left = 0;
    for (size_t row = 0; row < ROWS; row++) {
        struct outcome *o = &w->outcomes[row * PLAN_WORLD_EXPERTS];
        struct answer_cell *cells = &w->cells[row * PLAN_WORLD_EXPERTS];
        switch (row % 5) {
        case 0:
            cells[1] = (struct answer_cell){.present = false};
            break;
        case 1:
            o[0].known = false;
            break;
        case 2:
            o[2].cost_known = false;
            break;
        default:
            left++;
        }
    }
    struct plan_course c = learn(w, &panel, 1);
    cr_assert_eq(c.usable_count, left);
    for (size_t row = 0; row < ROWS; row++)
        cr_assert_eq(c.usable[row], row % 5 > 2);
    struct plan_course pair = learn(w, &cascade, 1);
    for (size_t row = 0; row < ROWS; row++)
        cr_assert_eq(pair.usable[row], row % 5 != 1 && row % 5 != 2, "weak-b is no member");
    plan_course_done(&c);
    plan_course_done(&pair);
    plan_world_free(w);
}

/* Nothing usable is no reason to fail: the caller looks at usable_count. */
Test(plan_learn, without_any_usable_row_it_learns_nothing)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_AGREE, 100, 10, 7);
    memset(w->cells, 0, 100 * PLAN_WORLD_EXPERTS * sizeof(*w->cells));
    struct plan_course c = learn(w, &panel, 1);
    cr_expect_eq(c.usable_count, 0);
    for (size_t i = 0; i < ESCALATION_STAGES * 3 * 2; i++)
        cr_expect(isfinite(c.escalation.calibration[i]));
    plan_course_done(&c);
    plan_world_free(w);
}

/* Whoever learns nothing here still says what was recorded. */
Test(plan_learn, the_state_of_a_row_is_what_was_recorded)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_AGREE, 50, 10, 8);
    const struct plan odd = {.kind = PLAN_PANEL, .member_count = 3, .members = {2, 0, 1}};
    struct plan_state s;
    for (int all = 0; all < 2; all++)
        for (size_t row = 0; row < 50; row++) {
            plan_row_state(&w->rows, &odd, row, all, &s);
            cr_assert_eq(s.characters, w->characters[row]);
            cr_assert_eq(s.choice_count, PLAN_WORLD_CHOICES);
            for (size_t i = 0; i < 3; i++) {
                size_t at = row * PLAN_WORLD_EXPERTS + odd.members[i];
                cr_assert_eq(s.members[i], &w->estimates[at]);
                cr_assert_eq(s.answers[i].asked, all || i < 2);
                if (!s.answers[i].asked)
                    continue;
                cr_assert_eq(s.answers[i].answer_class, w->outcomes[at].answer_class);
                cr_assert_eq(
                    memcmp(s.answers[i].stats, w->cells[at].stats, sizeof(s.answers[i].stats)), 0);
            }
        }
    plan_world_free(w);
}

/* Certainty */

/* How certain the first was: more where it is right, though not by much; of a row drawn by chance where `shuffled`.
 * What its text says tells nothing. */
static struct plan_world *certain_world(bool known, bool shuffled)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_CLOSEST, ROWS, 10, 5);
    struct rng r;
    rng_seed(&r, 6);
    for (size_t row = 0; row < ROWS; row++) {
        size_t from = shuffled ? rng_below(&r, ROWS) : row;
        float least = (float)rng_uniform(&r) + plan_world_outcome(w, from, 0)->score;
        struct answer_cell *cell = &w->cells[row * PLAN_WORLD_EXPERTS];
        cell->stats[ANSWER_LOG_CLOSEST] = 0;
        cell->certainty = (struct certainty){known, 2 * least, least, least};
    }
    return w;
}

static struct plan_result certain_result(bool known, bool shuffled, double *escalated)
{
    struct plan_world *w = certain_world(known, shuffled);
    struct plan_course c = learn(w, &cascade, 1);
    struct plan arm = c.plan;
    arm.gain_per_usd = 10; /* nothing known: the strong one brings .2 for .01 USD */
    struct plan_result mean = mean_result(w, &c, &arm, escalated);
    plan_course_done(&c);
    plan_world_free(w);
    return mean;
}

Test(plan_learn, a_cascade_that_knows_how_certain_the_cheap_one_was_asks_less_and_scores_more)
{
    double without, with, shuffled;
    struct plan_result none = certain_result(false, false, &without),
                       told = certain_result(true, false, &with),
                       chance = certain_result(true, true, &shuffled);
    cr_expect_gt(without, 0.8, "%f", without);
    cr_expect_lt(with, 0.5, "%f", with);
    cr_expect_gt((double)told.score, (double)none.score + 0.03, "%f %f", (double)told.score,
                 (double)none.score);
    cr_expect_gt(shuffled, 0.8, "%f", shuffled);
    cr_expect_lt((double)chance.score, (double)none.score + 0.015, "%f %f", (double)chance.score,
                 (double)none.score);
}

Test(plan_learn, what_nobody_has_told_changes_nothing)
{
    struct plan_world *w = certain_world(false, false);
    struct plan_course c = learn(w, &cascade, 1);
    for (size_t s = 0; s < ESCALATION_STAGES; s++)
        for (size_t t = 0; t < c.escalation.forests[s].tree_count; t++)
            for (size_t n = 0; n < c.escalation.forests[s].trees[t].nodes; n++)
                cr_assert_lt(c.escalation.forests[s].trees[t].features[n],
                             ESCALATION_PLAIN_FEATURES);
    plan_course_done(&c);
    plan_world_free(w);
}
