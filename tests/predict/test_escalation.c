/* Escalations between the calls of a plan. */
#include "predict/escalation.h"

#include <math.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/rng.h"

#define EDGE 1e-6

static const struct plan panel = {
    .kind = PLAN_PANEL, .rule = PLAN_TRUST, .member_count = 3, .members = {0, 1, 2}};
static const struct plan cascade = {
    .kind = PLAN_CASCADE, .rule = PLAN_TRUST, .member_count = 2, .members = {0, 1}};

static struct estimate estimates[ESCALATION_MEMBERS_MAX] = {
    {.quality = 0.7f, .output_tokens = 10, .cost_nano_usd = 1000000},
    {.quality = 0.6f, .output_tokens = 20, .cost_nano_usd = 2000000},
    {.quality = 0.9f, .output_tokens = 30, .cost_nano_usd = 100000000}};

#define PENDING (-2)

/* classes: -1 not asked, 0 cannot be told */
static struct plan_state state_of(const int *classes)
{
    struct plan_state s = {.characters = 100, .choice_count = 4};
    for (size_t i = 0; i < ESCALATION_MEMBERS_MAX; i++) {
        s.members[i] = &estimates[i];
        s.answers[i].asked = classes[i] >= 0;
        s.answers[i].pending = classes[i] == PENDING;
        s.answers[i].answer_class = (uint16_t)(classes[i] > 0 ? classes[i] : 0);
        for (size_t k = 0; k < ANSWER_STATS && classes[i] >= 0; k++)
            s.answers[i].stats[k] = (float)(10 * i + k);
    }
    return s;
}

/* Agreement */

Test(escalation, agreement_of_two_told_answers_is_all_that_counts)
{
    static const struct {
        int classes[3];
        uint8_t ask;
        bool wait;
        size_t winner;
    } rows[] = {
        {{3, 3, -1}, 0, false, 0},      {{3, 4, -1}, 4, false, 0},
        {{0, 3, -1}, 4, false, 1},      {{3, 0, -1}, 4, false, 0},
        {{0, 0, -1}, 4, false, 0}, /* both silent: no agreement */
        {{3, 4, 5}, 0, false, 2},       {{3, 4, 3}, 0, false, 2},
        {{3, 3, 4}, 0, false, 2},       {{3, 4, 0}, 0, false, 0},
        {{0, 4, 0}, 0, false, 1},       {{0, 0, 0}, 0, false, 0},
        {{0, 0, 2}, 0, false, 2},       {{-1, -1, -1}, 3, false, 0}, /* nobody was asked */
        {{-1, 4, -1}, 1, false, 1},     {{PENDING, PENDING, -1}, 0, true, 0},
        {{PENDING, 4, -1}, 0, true, 1}, {{PENDING, 0, -1}, 4, false, 1}, /* it is certain now */
        {{3, 4, PENDING}, 0, true, 0},  {{PENDING, 0, PENDING}, 0, true, 1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct plan_state s = state_of(rows[i].classes);
        struct plan_verdict v;
        escalation_agreement(&panel, &s, &v);
        cr_expect_eq(v.ask, rows[i].ask, "row %zu: %u", i, v.ask);
        cr_expect_eq(v.wait, rows[i].wait, "row %zu", i);
        cr_expect_eq(v.final, rows[i].ask == 4, "row %zu", i);
        cr_expect_eq(v.winner, rows[i].winner, "row %zu: %zu", i, v.winner);
        for (size_t k = 0; k < 3; k++)
            cr_expect_eq(v.trust[k], estimates[k].quality, "trust is what was estimated before");
    }
}

Test(escalation, a_single_never_goes_on)
{
    const struct plan single = {.member_count = 1};
    struct plan_state s = state_of((int[]){0, -1, -1});
    struct plan_verdict v = {.ask = 1, .winner = 9};
    escalation_agreement(&single, &s, &v);
    cr_expect(!v.ask && v.winner == 0);
    v = (struct plan_verdict){.ask = 1, .winner = 9};
    escalation_decide(&single, &s, &v);
    cr_expect(!v.ask && v.winner == 0);
}

/* Decisions on known trust */

static struct plan_verdict decide_with(const struct plan *p, const int *classes, const float *trust,
                                       float gain_per_usd)
{
    struct plan arm = *p;
    struct plan_state s = state_of(classes);
    struct plan_verdict v = {.winner = 7};
    memcpy(v.trust, trust, p->member_count * sizeof(*trust));
    arm.gain_per_usd = gain_per_usd;
    escalation_decide(&arm, &s, &v);
    return v;
}

/* The last costs 0.1 USD; trust grows from 0.6 to 0.8, so it brings 2 a dollar. */
Test(escalation, the_last_is_asked_where_it_gains_more_than_the_threshold)
{
    const float trust[] = {0.5f, 0.6f, 0.8f};
    const int asked[] = {1, 2, -1};
    cr_expect(decide_with(&panel, asked, trust, 1.99f).ask);
    cr_expect(!decide_with(&panel, asked, trust, 2.01f).ask);
    cr_expect_eq(decide_with(&panel, asked, trust, 2.01f).winner, 1);
    cr_expect(decide_with(&panel, asked, (float[]){0.9f, 0.6f, 0.8f}, -2).ask,
              "a threshold may be below zero");
    cr_expect(!decide_with(&panel, asked, (float[]){0.9f, 0.6f, 0.8f}, 0).ask);
}

Test(escalation, the_gain_is_measured_in_dollars_of_the_last)
{
    struct plan_state s = state_of((int[]){1, 2, -1});
    struct plan_verdict v = {.trust = {0.5f, 0.6f, 0.8f}};
    cr_expect_float_eq(escalation_gain_per_usd(&panel, &s, &v), 2, EDGE * 10);
    s.answers[1].answer_class = 0; /* what remains is worth 0.5 */
    cr_expect_float_eq(escalation_gain_per_usd(&panel, &s, &v), 3, EDGE * 10);
    s.answers[0].answer_class = 0; /* nothing can be kept */
    cr_expect_float_eq(escalation_gain_per_usd(&panel, &s, &v), 8, EDGE * 10);
    struct estimate before = estimates[2];
    estimates[2].cost_nano_usd = 0; /* whoever is free is not infinitely worth it */
    cr_expect(isfinite(escalation_gain_per_usd(&panel, &s, &v)));
    estimates[2] = before;
    v = (struct plan_verdict){.trust = {0.5f, 0.6f}};
    cr_expect_float_eq(escalation_gain_per_usd(&cascade, &s, &v), 0.6 / 0.002, 1e-3);
}

Test(escalation, an_answer_that_cannot_be_told_stands_only_when_none_can)
{
    const float trust[] = {0.2f, 0.9f, 0.5f};
    cr_expect_eq(decide_with(&panel, (int[]){1, 0, -1}, trust, 1e9f).winner, 0);
    cr_expect_eq(decide_with(&panel, (int[]){1, 2, -1}, trust, 1e9f).winner, 1);
    cr_expect_eq(decide_with(&panel, (int[]){0, 0, -1}, trust, 1e9f).winner, 1);
    cr_expect_eq(decide_with(&panel, (int[]){1, 0, 3}, trust, 0).winner, 2);
    cr_expect_eq(decide_with(&panel, (int[]){0, 0, 3}, trust, 0).winner, 2);
    cr_expect_eq(decide_with(&panel, (int[]){0, 0, 0}, trust, 0).winner, 1);
    cr_expect_eq(decide_with(&panel, (int[]){1, 2, 0}, (float[]){0.2f, 0.1f, 0.9f}, 0).winner, 0);
}

/* Answers that agree are right or wrong together. */
Test(escalation, answers_that_agree_share_their_trust)
{
    struct plan_verdict v = decide_with(&panel, (int[]){3, 3, -1}, (float[]){0.4f, 0.8f, 0.9f}, 0);
    cr_expect_float_eq((double)v.trust[0], 0.6, EDGE);
    cr_expect_float_eq((double)v.trust[1], 0.6, EDGE);
    cr_expect_float_eq((double)v.trust[2], 0.9, EDGE, "it was not asked");
    cr_expect_eq(v.winner, 0);
    v = decide_with(&panel, (int[]){3, 2, 3}, (float[]){0.3f, 0.5f, 0.6f}, 0);
    cr_expect_float_eq((double)v.trust[0], 0.45, EDGE);
    cr_expect_eq(v.winner, 1, "0.5 is more than the mean of 0.3 and 0.6");
    v = decide_with(&panel, (int[]){2, 2, 2}, (float[]){0.3f, 0.6f, 0.9f}, 0);
    for (size_t i = 0; i < 3; i++)
        cr_expect_float_eq((double)v.trust[i], 0.6, EDGE);
    v = decide_with(&panel, (int[]){0, 0, -1}, (float[]){0.3f, 0.6f, 0.9f}, 1e9f);
    cr_expect_eq(v.winner, 1, "two that cannot be told do not agree");
}

/* A call that failed gave nothing that could stand. */
Test(escalation, who_was_not_asked_does_not_win)
{
    const float trust[] = {0.9f, 0.1f, 0.5f};
    cr_expect_eq(decide_with(&panel, (int[]){-1, 0, -1}, trust, 1e9f).winner, 1);
    cr_expect_eq(decide_with(&panel, (int[]){-1, 2, -1}, trust, 1e9f).winner, 1);
    cr_expect_eq(decide_with(&panel, (int[]){-1, -1, 0}, trust, 0).winner, 2);
}

Test(escalation, once_the_last_was_asked_nobody_is_left_to_ask)
{
    const float trust[] = {0.1f, 0.1f, 0.9f};
    cr_expect(!decide_with(&panel, (int[]){1, 2, 3}, trust, -1e9f).ask);
    cr_expect(!decide_with(&panel, (int[]){0, 0, 0}, trust, -1e9f).ask);
    cr_expect_eq(decide_with(&panel, (int[]){1, 2, 3}, (float[]){0.9f, 0.1f, 0.5f}, 0).winner, 0);
}

/* Features */

static double logit(double p)
{
    return log(p / (1 - p));
}

Test(escalation, features_say_what_is_known)
{
    float f[ESCALATION_FEATURES];
    struct plan_state s = state_of((int[]){4, 2, -1});
    escalation_features(&panel, &s, f);
    for (size_t i = 0; i < 2; i++) {
        const float *slot = f + i * ESCALATION_SLOT_FEATURES;
        cr_expect_float_eq((double)slot[0], logit((double)estimates[i].quality), EDGE);
        cr_expect_eq((double)slot[1], 1);
        cr_expect_float_eq((double)slot[2], 10.0 * (double)i - log1p(40.0 * (double)(i + 1)), 1e-5);
        cr_expect_eq((double)slot[3], i ? 2 : 4);
        cr_expect_eq((double)slot[4], i ? 0 : 1, "the last choice");
        for (size_t k = 0; k < ANSWER_STATS; k++)
            cr_expect_eq((double)slot[5 + k], (double)(10 * i + k));
    }
    const float *last = f + 2 * ESCALATION_SLOT_FEATURES,
                *shared = f + 3 * ESCALATION_SLOT_FEATURES;
    cr_expect_float_eq((double)last[0], logit(0.9), EDGE);
    for (size_t k = 1; k < ESCALATION_SLOT_FEATURES; k++)
        cr_expect_eq((double)last[k], 0, "feature %zu of an answer that is not there", k);
    cr_expect_float_eq((double)shared[0], log1p(100), EDGE);
    cr_expect_eq((double)shared[1], 4);
    for (size_t k = 2; k < 5; k++)
        cr_expect_eq((double)shared[k], 0, "nobody agrees");
    cr_expect_float_eq((double)shared[5], (logit(0.7) + logit(0.6) + logit(0.9)) / 3, EDGE);
}

Test(escalation, features_say_who_agrees)
{
    static const struct {
        int classes[3];
        float agree[3];
    } rows[] = {
        {{2, 2, -1}, {1, 0, 0}}, {{2, 2, 2}, {1, 1, 1}}, {{2, 3, 2}, {0, 1, 0}},
        {{2, 3, 3}, {0, 0, 1}},  {{0, 0, 0}, {0, 0, 0}}, {{-1, 0, -1}, {0, 0, 0}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        float f[ESCALATION_FEATURES];
        struct plan_state s = state_of(rows[i].classes);
        escalation_features(&panel, &s, f);
        for (size_t k = 0; k < 3; k++)
            cr_expect_eq(f[3 * ESCALATION_SLOT_FEATURES + 2 + k], rows[i].agree[k],
                         "row %zu, pair %zu", i, k);
    }
}

/* Two members: the third slot and its pairs are zeros whatever lies in the state. */
Test(escalation, absent_members_are_zeros)
{
    float f[ESCALATION_FEATURES];
    struct plan_state s = state_of((int[]){2, 2, 2});
    escalation_features(&cascade, &s, f);
    for (size_t k = 2 * ESCALATION_SLOT_FEATURES; k < 3 * ESCALATION_SLOT_FEATURES; k++)
        cr_expect_eq((double)f[k], 0);
    const float *shared = f + 3 * ESCALATION_SLOT_FEATURES;
    cr_expect_eq((double)shared[2], 1);
    cr_expect_eq((double)shared[3], 0);
    cr_expect_eq((double)shared[4], 0);
    cr_expect_float_eq((double)shared[5], (logit(0.7) + logit(0.6)) / 2, EDGE);
    s.choice_count = 0; /* the class of an open question is a mere number */
    escalation_features(&cascade, &s, f);
    cr_expect_eq((double)f[1], 1);
    cr_expect_eq((double)f[3], 0);
    cr_expect_eq((double)f[4], 0);
}

Test(escalation, certain_estimates_stay_finite)
{
    struct estimate sure[2] = {{.quality = 0}, {.quality = 1}};
    struct plan_state s = {.members = {&sure[0], &sure[1]}};
    float logits[PLAN_MEMBERS_MAX];
    escalation_base(&cascade, &s, logits);
    cr_expect_float_eq((double)logits[0], logit(1e-3), 1e-4);
    cr_expect_float_eq((double)logits[1], logit(1 - 1e-3), 1e-3);
}

/* Learned verdicts */

Test(escalation, trust_is_calibrated_and_a_probability)
{
    const float calibration[] = {2, -0.5f, 1, 0};
    cr_expect_float_eq((double)escalation_calibrated(calibration, 0, 1.5f), 1 / (1 + exp(-2.5)),
                       1e-6);
    cr_expect_float_eq((double)escalation_calibrated(calibration, 1, -1), 1 / (1 + exp(1)), 1e-6);
    static const float odd[] = {NAN, INFINITY, -INFINITY, 1e38f, -1e38f, 0};
    for (size_t i = 0; i < 6; i++)
        for (size_t k = 0; k < 6; k++)
            for (size_t l = 0; l < 6; l++) {
                float t = escalation_calibrated((float[]){odd[i], odd[k]}, 0, odd[l]);
                cr_expect(t >= 0 && t <= 1, "%g, %g, %g: %g", (double)odd[i], (double)odd[k],
                          (double)odd[l], (double)t);
            }
}

/* One stump a stage: on whether 0 and 1 agree, before; on whether 0 and 2 agree, after. */
struct stumps {
    struct tree trees[ESCALATION_STAGES];
    float leaves[ESCALATION_STAGES][TREE_LEAVES_MAX * 3];
    float calibration[ESCALATION_STAGES * 3 * 2];
    struct escalation escalation;
};

static void stumps_make(struct stumps *s)
{
    memset(s, 0, sizeof(*s));
    s->escalation = (struct escalation){.members = 3, .calibration = s->calibration};
    for (size_t stage = 0; stage < ESCALATION_STAGES; stage++) {
        struct tree *t = &s->trees[stage];
        t->nodes = 1;
        t->features[0] = (uint8_t)(3 * ESCALATION_SLOT_FEATURES + 2 + stage);
        t->left[0] = -1;
        t->right[0] = -2;
        t->thresholds[0] = 0.5f;
        for (size_t i = 0; i < 3; i++) {
            s->leaves[stage][i] = -1 - (float)i;    /* differ */
            s->leaves[stage][3 + i] = 1 + (float)i; /* agree */
            s->calibration[(stage * 3 + i) * 2] = 1 + (float)stage;
            s->calibration[(stage * 3 + i) * 2 + 1] = 0.25f * (float)i;
        }
        s->escalation.forests[stage] = (struct forest){1, 3, t, s->leaves[stage]};
    }
}

static void expect_trust(const struct stumps *s, const int *classes, int stage, bool agree)
{
    struct plan_state state = state_of(classes);
    float trust[PLAN_MEMBERS_MAX];
    escalation_trust(&s->escalation, &panel, &state, trust);
    for (int i = 0; i < 3; i++) {
        double z = logit((double)estimates[i].quality) + (agree ? 1 + i : -1 - i);
        double want = 1 / (1 + exp(-((1 + stage) * z + 0.25 * i)));
        cr_expect_float_eq((double)trust[i], want, 1e-5, "member %d", i);
    }
}

Test(escalation, each_stage_has_its_forest_and_calibration)
{
    struct stumps s;
    stumps_make(&s);
    expect_trust(&s, (int[]){1, 1, -1}, ESCALATION_BEFORE, true);
    expect_trust(&s, (int[]){1, 2, -1}, ESCALATION_BEFORE, false);
    expect_trust(&s, (int[]){1, 2, 1}, ESCALATION_AFTER, true);
    expect_trust(&s, (int[]){1, 1, 2}, ESCALATION_AFTER, false);
}

Test(escalation, the_verdict_is_the_decision_on_that_trust)
{
    struct stumps s;
    struct rng r;
    stumps_make(&s);
    rng_seed(&r, 5);
    for (int i = 0; i < 200; i++) {
        int classes[3];
        for (int k = 0; k < 3; k++)
            classes[k] = (int)rng_below(&r, 4) - (k == 2);
        struct plan arm = panel;
        arm.gain_per_usd = (float)(10 * rng_uniform(&r) - 3);
        struct plan_state state = state_of(classes);
        struct plan_verdict got, want = {.winner = 0};
        escalation_verdict(&s.escalation, &arm, &state, &got);
        escalation_trust(&s.escalation, &arm, &state, want.trust);
        escalation_decide(&arm, &state, &want);
        cr_expect_eq(got.ask, want.ask);
        cr_expect_eq(got.winner, want.winner);
        cr_expect_eq(memcmp(got.trust, want.trust, sizeof(got.trust)), 0);
    }
}

/* Whatever a forged file says, a verdict names a member. */
Test(escalation, forged_numbers_give_a_sound_verdict)
{
    static const float odd[] = {NAN, INFINITY, -INFINITY, 3e38f};
    for (size_t k = 0; k < 4; k++) {
        struct stumps s;
        stumps_make(&s);
        for (size_t i = 0; i < ESCALATION_STAGES * 3 * 2; i++)
            s.calibration[i] = odd[k];
        for (size_t i = 0; i < 6; i++)
            s.leaves[0][i] = s.leaves[1][i] = odd[(k + i) % 4];
        for (int last = -1; last < 2; last++) {
            struct plan_state state = state_of((int[]){1, 0, last});
            struct plan_verdict v;
            escalation_verdict(&s.escalation, &panel, &state, &v);
            cr_expect_lt(v.winner, 3);
            for (size_t i = 0; i < 3; i++)
                cr_expect(v.trust[i] >= 0 && v.trust[i] <= 1);
        }
    }
}

/* Behind all that forests of older models look at. */
Test(escalation, features_say_how_certain_an_answer_was)
{
    float plain[ESCALATION_FEATURES], f[ESCALATION_FEATURES];
    struct plan_state s = state_of((int[]){4, 2, -1});
    escalation_features(&panel, &s, plain);
    for (size_t k = ESCALATION_PLAIN_FEATURES; k < ESCALATION_FEATURES; k++)
        cr_expect_eq((double)plain[k], 0, "nothing is known");
    s.answers[1].certainty = (struct certainty){true, 3, 1, 2};
    s.answers[2].certainty = (struct certainty){true, 5, 5, 5};
    escalation_features(&panel, &s, f);
    cr_expect_eq(memcmp(f, plain, ESCALATION_PLAIN_FEATURES * sizeof(*f)), 0);
    static const float wanted[3 * CERTAINTY_FEATURES] = {0, 0, 0, 0, 1, 3, 1, 2, 0, 0, 0, 0};
    cr_expect_eq(memcmp(f + ESCALATION_PLAIN_FEATURES, wanted, sizeof(wanted)), 0,
                 "one that was not asked has said nothing");
}
