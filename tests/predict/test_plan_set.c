/* What is expected of plans before any call, against a computation in double precision. */
#include "predict/plan_set.h"

#include <math.h>

#include <criterion/criterion.h>

#include "base/money.h"
#include "base/rng.h"

#define EXPERTS 4

static const float heads[3][PLAN_HEADS] = {{0.5f, 1, -0.25f, 2, -1, 0.5f, 0.75f, -2},
                                           {-1, 0.5f, 0.5f, 9, 0.25f, -1, 1, 9},
                                           {0, 0, 0, 0, 0, 0, 0, 0}};

static struct plan_set set_make(void)
{
    struct plan_set s = {.count = 3, .heads = &heads[0][0]};
    s.plans[0] = (struct plan){.kind = PLAN_PANEL,
                               .rule = PLAN_AGREE,
                               .member_count = 3,
                               .members = {3, 0, 2},
                               .next_cost_ratio = 1.25f};
    s.plans[1] = (struct plan){.kind = PLAN_CASCADE,
                               .rule = PLAN_TRUST,
                               .member_count = 2,
                               .members = {1, 3},
                               .next_cost_ratio = 0.5f};
    s.plans[2] = s.plans[1];
    s.escalation_of[0] = NO_ESCALATION;
    return s;
}

static double head(const float *w, const double *x)
{
    double z = (double)w[0];
    for (int i = 0; i < ESCALATION_MEMBERS_MAX; i++)
        z += (double)w[1 + i] * x[i];
    return 1 / (1 + exp(-z));
}

Test(plan_set, estimates_are_those_of_the_formula)
{
    struct plan_set s = set_make();
    struct rng r;
    rng_seed(&r, 11);
    for (int round = 0; round < 100; round++) {
        struct estimate e[EXPERTS], got[3];
        for (size_t i = 0; i < EXPERTS; i++)
            e[i] = (struct estimate){.quality = (float)(0.02 + 0.96 * rng_uniform(&r)),
                                     .cost_nano_usd = (int64_t)rng_below(&r, 1u << 30)};
        plan_set_estimate(&s, e, got);
        for (size_t k = 0; k < 3; k++) {
            const struct plan *p = &s.plans[k];
            double x[PLAN_MEMBERS_MAX] = {0}, cost = 0, most = 0;
            for (size_t i = 0; i < p->member_count; i++) {
                double q = (double)e[p->members[i]].quality;
                x[i] = log(q / (1 - q));
            }
            double escalation = head(heads[k] + PLAN_HEAD, x);
            for (size_t i = 0; i < p->member_count; i++) {
                double price = (double)e[p->members[i]].cost_nano_usd;
                bool last = i == p->member_count - 1;
                cost += last ? price * escalation * (double)p->next_cost_ratio : price;
                most += price;
            }
            cr_expect_float_eq((double)got[k].quality, head(heads[k], x), 1e-5);
            cr_expect_float_eq((double)got[k].escalation, escalation, 1e-5);
            cr_expect_float_eq((double)got[k].cost_nano_usd, fmin(cost, most), 1e-5 * most + 1);
            cr_expect_eq(got[k].cost_max_nano_usd, (int64_t)most);
            cr_expect_eq(got[k].output_tokens, 0);
        }
    }
}

Test(plan_set, terms_of_absent_members_are_zero)
{
    struct plan_set s = set_make();
    const struct estimate e[EXPERTS] = {
        {.quality = 0.9f}, {.quality = 0.5f}, {.quality = 0.9f}, {.quality = 0.8f}};
    float x[PLAN_MEMBERS_MAX] = {7, 7, 7};
    plan_set_terms(&s.plans[1], e, x);
    cr_expect_float_eq((double)x[0], 0, 1e-6);
    cr_expect_float_eq((double)x[1], log(4), 1e-5);
    cr_expect_eq(x[2], 0);
}

/* With positive weights, better members never make a plan look worse. */
Test(plan_set, estimates_rise_with_the_members)
{
    static const float rising[PLAN_HEADS] = {-0.3f, 0.5f, 0.2f, 1, 0.2f, -0.5f, -0.2f, 0};
    struct plan_set s = set_make();
    s.count = 1;
    s.heads = rising;
    float quality = 0, escalation = 1;
    for (int step = 0; step <= 100; step++) {
        struct estimate e[EXPERTS], got;
        for (size_t i = 0; i < EXPERTS; i++)
            e[i] = (struct estimate){.quality = (float)step / 100, .cost_nano_usd = 1000};
        plan_set_estimate(&s, e, &got);
        cr_expect(got.quality >= quality && got.escalation <= escalation, "step %d", step);
        cr_expect(got.quality <= 1 && got.escalation >= 0);
        quality = got.quality;
        escalation = got.escalation;
    }
}

Test(plan_set, forged_heads_give_probabilities)
{
    static const float odd[] = {NAN, INFINITY, -INFINITY, 3e38f};
    for (size_t k = 0; k < 4; k++) {
        struct plan_set s = set_make();
        struct estimate e[EXPERTS], got[1];
        float forged[PLAN_HEADS];
        for (size_t i = 0; i < PLAN_HEADS; i++)
            forged[i] = odd[(i * k + i) % 4];
        for (size_t i = 0; i < EXPERTS; i++)
            e[i] = (struct estimate){.quality = 0.3f, .cost_nano_usd = INT64_MAX};
        s.heads = forged;
        s.count = 1;
        s.plans[0].next_cost_ratio = 1e29f;
        plan_set_estimate(&s, e, got);
        cr_expect(got->quality >= 0 && got->quality <= 1);
        cr_expect(got->escalation >= 0 && got->escalation <= 1);
        cr_expect(got->cost_nano_usd >= 0 && got->cost_nano_usd <= got->cost_max_nano_usd);
    }
}

/* Agreement needs no escalation; trust uses the one that the plan points at. */
Test(plan_set, every_plan_is_checked_by_its_own_rule)
{
    struct plan_set s = set_make();
    const float calibration[ESCALATION_STAGES * 2 * 2] = {0, 5, 0, -5, 0, -5, 0, 5};
    struct estimate e = {.quality = 0.5f, .cost_nano_usd = NANO_PER_USD};
    struct plan_state state = {.members = {&e, &e, &e}};
    struct plan_verdict v;
    s.escalation_count = 2;
    s.escalation_of[1] = 1;
    s.escalations[1] = (struct escalation){
        .members = 2, .forests = {{.experts = 2}, {.experts = 2}}, .calibration = calibration};
    state.answers[0] = state.answers[1] = (struct plan_answer){.asked = true, .answer_class = 3};
    plan_set_verdict(&s, 0, &state, &v);
    cr_expect(!v.ask && v.winner == 0);
    state.answers[1].answer_class = 4;
    plan_set_verdict(&s, 0, &state, &v);
    cr_expect(v.ask);
    state.answers[1] = (struct plan_answer){.asked = false};
    s.plans[1].gain_per_usd = -0.9f; /* trust: first 0.993, final 0.007 */
    plan_set_verdict(&s, 1, &state, &v);
    cr_expect(!v.ask && v.winner == 0);
    s.plans[1].gain_per_usd = -0.99f;
    plan_set_verdict(&s, 1, &state, &v);
    cr_expect(v.ask);
    state.answers[1] = (struct plan_answer){.asked = true, .answer_class = 4};
    plan_set_verdict(&s, 1, &state, &v);
    cr_expect_eq(v.winner, 1, "afterwards the other stage's calibration holds");
}

/* Who belongs to a first wave is said by the plan's own heads. */
Test(plan_set, a_sequential_plan_in_a_hurry_asks_whom_its_heads_expect)
{
    static float panel_heads[PANEL_HEADS];
    struct plan_set s = {.count = 1, .panel_count = 1, .panel_heads = panel_heads};
    struct estimate e[3] = {{.quality = 0.9f}, {.quality = 0.5f}, {.quality = 0.5f}};
    struct plan_state state = {.members = {&e[0], &e[1], &e[2]},
                               .choice_count = 4,
                               .left_ms = 1500,
                               .latency_ms = {1000, 1000, 1000}};
    struct plan_verdict v;
    s.plans[0] = (struct plan){
        .kind = PLAN_SEQUENTIAL, .member_count = 3, .members = {0, 1, 2}, .gain_per_usd = 1};
    s.panels[0] = (struct panel){.members = 3, .lambda_count = 1, .lambdas = {1}};
    s.panels[0].posterior.experts = 3;
    for (size_t i = 0; i < PANEL_MEMBERS_MAX; i++)
        s.panels[0].values[i].experts = 3;
    panel_heads[1 * PANEL_HEAD] = 5;
    panel_heads[2 * PANEL_HEAD] = -5;
    panel_heads[3 * PANEL_HEAD] = 5;
    plan_set_verdict(&s, 0, &state, &v);
    cr_expect_eq(v.ask, 1, "without a limit one after the other");
    state.is_timed = true;
    plan_set_verdict(&s, 0, &state, &v);
    cr_expect_eq(v.ask, 1 | 4);
    state.left_ms = 2000;
    plan_set_verdict(&s, 0, &state, &v);
    cr_expect_eq(v.ask, 1, "there is time for turns");
}

Test(plan_set, a_cascade_does_not_go_on_to_who_comes_too_late)
{
    struct plan_set s = set_make();
    struct estimate e = {.quality = 0.5f};
    struct plan_state state = {
        .members = {&e, &e, &e}, .left_ms = 100, .latency_ms = {50, 50, 500}};
    struct plan_verdict v;
    state.answers[0] = (struct plan_answer){.asked = true, .answer_class = 3};
    state.answers[1] = (struct plan_answer){.asked = true, .answer_class = 4};
    plan_set_verdict(&s, 0, &state, &v);
    cr_expect(v.ask == 4);
    state.is_timed = true;
    plan_set_verdict(&s, 0, &state, &v);
    cr_expect(!v.ask && v.winner < 2);
}
