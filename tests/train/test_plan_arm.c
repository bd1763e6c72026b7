/* Arms: the sums of what they did, and heads whose means are those. */
#include "train/plan_arm.h"

#include "plan_world.h"

#define ROWS 900

/* A sequential arm that asks the weak ones in turn, by dice, and the strong one on a third of the rows. */
static struct plan_arm arm_make(const struct plan_world *w, enum plan_kind kind)
{
    struct plan_arm arm = {
        .plan = {.kind = kind, .rule = PLAN_TRUST, .member_count = 3, .members = {0, 1, 2}}};
    bool *usable = ARENA_ARRAY(w->arena, ROWS, bool);
    struct rng r;
    rng_seed(&r, 3);
    cr_assert_eq(plan_arm_allocate(&w->rows, w->arena, &arm, NULL), OK);
    for (size_t row = 0; row < ROWS; row++) {
        const struct outcome *o = plan_world_outcome(w, row, 0);
        struct plan_result *to = &arm.results[row];
        usable[row] = row % 10 != 0;
        to->asked = (uint8_t)(kind == PLAN_SEQUENTIAL ? 1u << rng_below(&r, 2) : 3);
        to->asked |= (uint8_t)(rng_below(&r, 3) == 0 ? 4 : 0);
        to->score = o[to->asked & 4 ? 2 : 0].score;
        for (size_t i = 0; i < 3; i++)
            to->cost_usd += to->asked >> i & 1 ? (float)plan_world_usd(&o[i]) : 0;
    }
    arm.usable = usable;
    return arm;
}

Test(plan_arm, sums_are_over_usable_rows)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_AGREE, ROWS, 10, 1);
    struct plan_arm arm = arm_make(w, PLAN_SEQUENTIAL);
    double score = 0, usd = 0, calls = 0, last = 0, n = 0, paid[3] = {0}, asked[3] = {0},
           there[3] = {0};
    plan_arm_sum(&w->rows, &arm);
    for (size_t row = 0; row < ROWS; row++) {
        const struct outcome *o = plan_world_outcome(w, row, 0);
        const struct plan_result *r = &arm.results[row];
        if (row % 10 == 0)
            continue;
        n++;
        score += (double)r->score;
        usd += (double)r->cost_usd;
        last += r->asked >> 2;
        for (size_t i = 0; i < 3; i++) {
            bool was = r->asked >> i & 1;
            calls += was;
            paid[i] += plan_world_usd(&o[i]);
            asked[i] += was;
            there[i] += was ? plan_world_usd(&o[i]) : 0;
        }
    }
    cr_expect_eq(arm.figures.rows, (size_t)n);
    cr_expect_float_eq(arm.figures.accuracy, score / n, 1e-9);
    cr_expect_float_eq(arm.figures.cost_usd, usd / n, 1e-9);
    cr_expect_float_eq(arm.figures.calls, calls / n, 1e-9);
    cr_expect_float_eq(arm.figures.escalated, last / n, 1e-9);
    cr_expect_float_eq((double)arm.plan.calls, calls / n, 1e-6);
    for (size_t i = 0; i < 3; i++)
        cr_expect_float_eq((double)arm.plan.cost_ratio[i], there[i] / asked[i] / (paid[i] / n),
                           1e-5);
    plan_world_free(w);
}

/* Logistic regressions with an intercept: their means are those of the labels. */
static void expect_means(enum plan_kind kind)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_AGREE, ROWS, 10, 2);
    struct plan_arm arm = arm_make(w, kind);
    struct error err = {0};
    double quality = 0, usd = 0, asked[3] = {0}, escalation = 0, n = 0, want[3] = {0};
    plan_arm_sum(&w->rows, &arm);
    cr_assert_eq(plan_arm_fit(&w->rows, w->arena, &arm, &err), OK, "%s", err.text);
    for (size_t row = 0; row < ROWS; row++) {
        if (row % 10 == 0)
            continue;
        n++;
        quality += (double)arm.estimates[row].quality;
        escalation += (double)arm.estimates[row].escalation;
        usd += (double)arm.estimates[row].cost_nano_usd * 1e-9;
        for (size_t i = 0; i < 3; i++) {
            asked[i] += (double)arm.estimates[row].asked[i];
            want[i] += arm.results[row].asked >> i & 1;
        }
    }
    cr_expect_float_eq(quality / n, arm.figures.accuracy, 0.01);
    cr_expect_float_eq(usd / n, arm.figures.cost_usd, 0.03 * arm.figures.cost_usd);
    for (size_t i = 0; i < 3 && kind == PLAN_SEQUENTIAL; i++)
        cr_expect_float_eq(asked[i] / n, want[i] / n, 0.01, "member %zu", i);
    cr_expect_float_eq(
        escalation / n,
        kind == PLAN_SEQUENTIAL ? (arm.figures.calls - 1) / 2 : arm.figures.escalated, 0.01);
    plan_world_free(w);
}

Test(plan_arm, what_is_expected_of_a_sequential_one_is_what_came)
{
    expect_means(PLAN_SEQUENTIAL);
}

Test(plan_arm, what_is_expected_of_a_panel_is_what_came)
{
    expect_means(PLAN_PANEL);
}
