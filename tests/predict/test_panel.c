/* Verdicts of sequential panels on states that are made by hand. */
#include "predict/panel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/rng.h"

#define MEMBERS 3

static float stats[ANSWER_STATS] = {[ANSWER_LOG_CHARACTERS] = 5, [ANSWER_LOG_LINES] = 2};

static struct panel_state three(uint8_t asked, unsigned a, unsigned b, unsigned c)
{
    const uint16_t says[MEMBERS] = {(uint16_t)a, (uint16_t)b, (uint16_t)c};
    const float quality[MEMBERS] = {0.6f, 0.7f, 0.9f};
    struct panel_state s = {
        .members = MEMBERS, .asked = asked, .characters = 100, .choice_count = 4};
    for (size_t i = 0; i < MEMBERS; i++)
        s.member[i] = (struct panel_member){.quality = quality[i],
                                            .output_tokens = 10,
                                            .cost_usd = 0.001 * (double)(i + 1),
                                            .answer_class = says[i],
                                            .stats = stats};
    return s;
}

/* A panel whose forests have no trees: a vote in which each agreeing voice counts its own log-odds, and gains that are
 * set by hand. */
static struct panel plain(size_t members)
{
    struct panel p = {.members = members, .lambda_count = 2, .lambdas = {1, 3}};
    p.posterior.experts = members;
    for (size_t i = 0; i < PANEL_MEMBERS_MAX; i++)
        p.values[i].experts = members * 2;
    for (size_t m = 0; m < members; m++)
        for (size_t i = 0; i < members; i++) {
            p.votes.weights[m][0][6 + m] = p.votes.weights[m][1][6 + m] = 1;
            p.votes.weights[m][1][6 + members + 3 * i + 1] = 1;
        }
    return p;
}

static double log_odds(double p)
{
    return log(p / (1 - p));
}

/* All terms of the vote in their places, by the book. */
static void terms_by_hand(const struct panel_state *s, size_t m, double *x)
{
    size_t pair = 6 + 4 * s->members;
    unsigned says[PANEL_MEMBERS_MAX];
    for (size_t i = 0; i < s->members; i++)
        says[i] = s->asked >> i & 1 ? s->member[i].answer_class : 0;
    x[0] = 1;
    x[1] = says[m] != 0;
    x[2] = s->asked >> m & 1 ? 5 - log1p(40) : 0;
    x[3] = says[m] == s->choice_count;
    x[4] = log(s->choice_count);
    x[5] = log1p(100);
    for (size_t i = 0; i < s->members; i++) {
        double own = log_odds((double)s->member[i].quality);
        size_t at = 6 + s->members + 3 * i;
        x[6 + i] = own;
        x[at] = i != m && says[i] && (!says[m] || says[i] == says[m]);
        x[at + 1] = own * x[at];
        x[at + 2] = i != m && says[i] && says[m] && says[i] != says[m];
        for (size_t k = 0; k < i; k++, pair += 2) {
            bool others =
                i != m && k != m && says[i] && says[k] && says[i] != says[m] && says[k] != says[m];
            x[pair] = others && says[i] == says[k];
            x[pair + 1] = others && says[i] != says[k];
        }
    }
}

Test(panel, the_terms_of_the_vote_are_what_the_book_says)
{
    for (unsigned asked = 0; asked < 8; asked++)
        for (unsigned a = 0; a <= 4; a++)
            for (unsigned b = 0; b <= 4; b++)
                for (unsigned c = 0; c <= 4; c++)
                    for (size_t m = 0; m < MEMBERS; m++) {
                        struct panel_state s = three((uint8_t)asked, a, b, c);
                        struct panel_term terms[PANEL_TERMS_MAX];
                        double wanted[PANEL_TERMS_MAX] = {0};
                        size_t count = panel_vote_terms(&s, m, terms);
                        terms_by_hand(&s, m, wanted);
                        for (size_t k = 0; k < count; k++) {
                            cr_assert_lt(terms[k].index, PANEL_TERMS(MEMBERS));
                            wanted[terms[k].index] -= (double)terms[k].value;
                        }
                        for (size_t k = 0; k < PANEL_TERMS_MAX; k++)
                            cr_assert_float_eq(wanted[k], 0, 1e-5, "%u: %u %u %u, %zu: term %zu",
                                               asked, a, b, c, m, k);
                    }
}

Test(panel, the_forest_starts_from_the_weighted_vote)
{
    struct panel_votes v = {0};
    float logits[PANEL_MEMBERS_MAX];
    for (size_t i = 0; i < MEMBERS; i++)
        for (size_t k = 0; k < PANEL_TERMS(MEMBERS); k++) {
            v.weights[i][0][k] = (float)(k + 1) / 10;
            v.weights[i][1][k] = (float)(i + 1) - (float)k / 7;
        }
    struct panel_state s = three(0, 1, 1, 1);
    panel_start(&v, &s, logits);
    for (size_t i = 0; i < MEMBERS; i++)
        cr_assert_float_eq((double)logits[i], log_odds((double)s.member[i].quality), 1e-5,
                           "before any call there is no vote");
    s = three(5, 2, 0, 3);
    panel_start(&v, &s, logits);
    for (size_t i = 0; i < MEMBERS; i++) {
        double terms[PANEL_TERMS_MAX] = {0}, sum = 0;
        terms_by_hand(&s, i, terms);
        for (size_t k = 0; k < PANEL_TERMS(MEMBERS); k++)
            sum += terms[k] * (double)v.weights[i][i != 1][k];
        cr_assert_float_eq((double)logits[i], sum, 1e-4);
    }
}

Test(panel, features_say_who_was_asked_and_who_agrees)
{
    struct panel_state s = three(3, 2, 2, 4);
    float f[PANEL_FEATURES_MAX];
    panel_features(&s, f);
    const float *second = f + PANEL_SLOT_FEATURES, *third = f + 2 * PANEL_SLOT_FEATURES,
                *shared = f + 3 * PANEL_SLOT_FEATURES;
    cr_assert_eq((double)f[1], 3); /* asked, and two say so */
    cr_assert_float_eq((double)f[2], 5 - log1p(40), 1e-5);
    cr_assert_eq((double)second[5 + ANSWER_LOG_LINES], 2);
    cr_assert_eq((double)third[1], 0); /* what it would have said is not known yet */
    cr_assert_eq((double)third[5 + ANSWER_LOG_LINES], 0);
    cr_assert_eq((double)shared[2], 2);
    cr_assert_eq((double)shared[3], 2);
    cr_assert_eq((double)shared[7], 1);
    s.member[1].answer_class = 4; /* now they differ, and one has the last choice */
    panel_features(&s, f);
    cr_assert_eq((double)second[4], 1);
    cr_assert_eq((double)shared[3], 1);
    cr_assert_eq((double)shared[7], 2);
    cr_assert_gt((double)shared[4], (double)shared[5]);
}

Test(panel, answers_that_agree_share_their_trust)
{
    struct panel_state s = three(7, 1, 1, 2);
    struct panel_verdict v;
    const float logits[] = {0, 2, 1};
    panel_posterior(&s, logits, &v);
    double shared = (0.5 + 1 / (1 + exp(-2))) / 2;
    cr_assert_float_eq((double)v.trust[0], shared, 1e-5);
    cr_assert_float_eq((double)v.trust[1], shared, 1e-5);
    cr_assert_eq(v.winner, 2);
    cr_assert_float_eq((double)v.top, 1 / (1 + exp(-1)), 1e-5);
}

Test(panel, an_answer_that_says_nothing_known_never_wins_by_default)
{
    struct panel_state s = three(7, 1, 0, 0);
    struct panel_verdict v;
    const float logits[] = {-3, 5, 6};
    panel_posterior(&s, logits, &v);
    cr_assert_eq(v.winner, 0);
    s = three(6, 1, 0, 0);
    panel_posterior(&s, logits, &v);
    cr_assert_eq(v.winner, 2, "where all are unknown, the most trusted stands");
    cr_assert_eq((double)v.top, 0, "... and counts for nothing");
    s.member[2].stats = NULL; /* it failed */
    float features[PANEL_FEATURES_MAX];
    panel_features(&s, features);
    cr_assert_eq((double)features[2 * PANEL_SLOT_FEATURES + 1], 1);
}

Test(panel, numbers_out_of_a_forged_model_are_no_trust)
{
    struct panel_state s = three(7, 1, 2, 3);
    struct panel_verdict v;
    const float logits[] = {NAN, INFINITY, -INFINITY};
    panel_posterior(&s, logits, &v);
    for (size_t i = 0; i < MEMBERS; i++)
        cr_assert(v.trust[i] >= 0 && v.trust[i] <= 1);
    cr_assert_lt(v.winner, MEMBERS);
    cr_assert(panel_gain_of(NAN) >= -1 && panel_gain_of(NAN) <= 1);
}

Test(panel, gains_go_through_the_logistic_and_back)
{
    for (int i = -9; i <= 9; i++)
        cr_assert_float_eq((double)panel_gain_of(panel_output_of((float)i / 10)), i / 10.0, 1e-4);
}

Test(panel, the_next_is_who_is_worth_most_after_its_price)
{
    struct panel p = plain(MEMBERS);
    struct panel_state s = three(1, 1, 1, 1);
    struct panel_verdict v = {0};
    const float gains[] = {9, 9, 0.10f, 0.10f, 0.12f, 0.12f};
    panel_choose(&p, &s, gains, 1, &v); /* costs 0.002 and 0.003 */
    cr_assert_eq(v.ask, 4);
    cr_assert_float_eq((double)v.gain[2], 0.117, 1e-5);
    cr_assert(isinf(v.gain[0]), "it was asked already");
    panel_choose(&p, &s, gains, 30, &v);
    cr_assert_eq(v.ask, 2);
    panel_choose(&p, &s, gains, 60, &v);
    cr_assert_eq(v.ask, 0);
    s.barred = 4;
    panel_choose(&p, &s, gains, 1, &v);
    cr_assert_eq(v.ask, 2);
    p.hurdles[1][0] = 0.099f;
    panel_choose(&p, &s, gains, 1, &v);
    cr_assert_eq(v.ask, 0, "0.098 is below the hurdle");
    p.hurdles[1][0] = INFINITY;
    panel_choose(&p, &s, gains, 1, &v);
    cr_assert_eq(v.ask, 0);
}

Test(panel, between_two_lambdas_gains_and_hurdles_lie_between)
{
    struct panel p = plain(MEMBERS);
    struct panel_state s = three(1, 1, 1, 1);
    struct panel_verdict v = {0};
    const float gains[] = {0, 0, 0.4f, 0.2f, 0, 0};
    const struct {
        double lambda, wanted;
    } cases[] = {{0, 0.4}, {1, 0.398}, {2, 0.296}, {2.5, 0.245}, {3, 0.194}, {10, 0.18}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        panel_choose(&p, &s, gains, cases[i].lambda, &v);
        cr_assert_float_eq((double)v.gain[1], cases[i].wanted, 1e-5, "case %zu", i);
    }
    p.hurdles[1][1] = 0.6f;
    panel_choose(&p, &s, gains, 1.9, &v);
    cr_assert_eq(v.ask, 2, "the hurdle is 0.27");
    panel_choose(&p, &s, gains, 2.1, &v);
    cr_assert_eq(v.ask, 0, "the hurdle is 0.33");
    p.hurdles[1][0] = INFINITY;
    p.hurdles[1][1] = 0;
    panel_choose(&p, &s, gains, 1.9, &v);
    cr_assert_eq(v.ask, 0, "never, at the nearer end");
    panel_choose(&p, &s, gains, 2.1, &v);
    cr_assert_eq(v.ask, 2);
}

Test(panel, before_any_call_somebody_is_asked)
{
    struct panel p = plain(MEMBERS);
    struct panel_state s = three(0, 0, 0, 0);
    struct panel_verdict v;
    panel_verdict(&p, &s, 0, &v);
    cr_assert_eq(v.ask, 4, "the best");
    cr_assert_eq(v.winner, MEMBERS);
    panel_verdict(&p, &s, 1e6, &v);
    cr_assert_eq(v.ask, 1, "the cheapest");
    s.barred = 1;
    panel_verdict(&p, &s, 1e6, &v);
    cr_assert_eq(v.ask, 2);
    s.barred = 7;
    panel_verdict(&p, &s, 1, &v);
    cr_assert_eq(v.ask, 0);
    cr_assert_eq(v.winner, MEMBERS, "nobody's answer stands");
    s.barred = 0;
    for (size_t i = 0; i < MEMBERS; i++) {
        s.member[i].quality = 0.5f;
        s.member[i].cost_usd = i == 1 ? 1 : 2;
    }
    panel_verdict(&p, &s, 0, &v);
    cr_assert_eq(v.ask, 2, "of equals the cheaper");
}

/* What going on may gain draws queries to a cheap first; not where the panel is worth nothing. */
Test(panel, a_closed_lambda_is_routing_among_singles)
{
    struct panel p = plain(MEMBERS);
    struct panel_state s = three(0, 0, 0, 0);
    struct panel_verdict v;
    for (size_t k = 0; k < 2; k++)
        p.offsets[0][k] = panel_output_of(0.5f); /* after the first member */
    panel_verdict(&p, &s, 1, &v);
    cr_assert_eq(v.ask, 1, "0.6 + 0.5");
    p.hurdles[0][0] = INFINITY;
    panel_verdict(&p, &s, 1, &v);
    cr_assert_eq(v.ask, 4, "0.9");
    panel_verdict(&p, &s, 3, &v);
    cr_assert_eq(v.ask, 1, "the other lambda is open");
}

Test(panel, a_panel_ends_when_everybody_was_asked)
{
    struct panel p = plain(MEMBERS);
    struct panel_state s = three(7, 1, 1, 2);
    struct panel_verdict v;
    panel_verdict(&p, &s, 0, &v);
    cr_assert_eq(v.ask, 0);
    cr_assert_lt(v.winner, MEMBERS);
    s.asked = 3;
    s.barred = 4;
    panel_verdict(&p, &s, 0, &v);
    cr_assert_eq(v.ask, 0);
    cr_assert_lt(v.winner, 2);
}

/* Whatever is asked, verdicts name members, and each call brings a new one. */
Test(panel, eight_members_of_any_kind_come_to_an_end)
{
    struct panel p = plain(PANEL_MEMBERS_MAX);
    struct rng r;
    rng_seed(&r, 4);
    for (int round = 0; round < 300; round++) {
        struct panel_state s = {.members = PANEL_MEMBERS_MAX, .choice_count = (uint32_t)round % 12};
        struct panel_verdict v;
        s.barred = (uint8_t)rng_below(&r, 256);
        for (size_t i = 0; i < PANEL_MEMBERS_MAX; i++)
            s.member[i] = (struct panel_member){.quality = (float)rng_uniform(&r) * 1.2f - 0.1f,
                                                .cost_usd = rng_uniform(&r),
                                                .answer_class = (uint16_t)rng_below(&r, 4),
                                                .stats = round % 2 ? stats : NULL};
        for (int calls = 0;; calls++) {
            panel_verdict(&p, &s, round % 3, &v);
            if (!v.ask)
                break;
            cr_assert_eq(__builtin_popcount(v.ask), 1);
            cr_assert_eq(v.ask & (s.asked | s.barred), 0);
            cr_assert_lt(calls, PANEL_MEMBERS_MAX);
            s.asked |= v.ask;
        }
        cr_assert(s.asked ? s.asked >> v.winner & 1 : v.winner == PANEL_MEMBERS_MAX);
        cr_assert(v.top >= 0 && v.top <= 1);
    }
}

/* Behind all that forests of older models look at. */
Test(panel, features_say_how_certain_an_answer_was)
{
    struct panel_state s = three(3, 2, 2, 4);
    float plain[PANEL_FEATURES_MAX], f[PANEL_FEATURES_MAX];
    static const float none[3 * CERTAINTY_FEATURES] = {0}, wanted[3 * CERTAINTY_FEATURES] = {
                                                               0, 0, 0, 0, 1, 3, 1, 2, 0, 0, 0, 0};
    panel_features(&s, plain);
    cr_expect_eq(memcmp(plain + PANEL_PLAIN_FEATURES(3), none, sizeof(none)), 0);
    s.member[1].certainty = (struct certainty){true, 3, 1, 2};
    s.member[2].certainty = (struct certainty){true, 5, 5, 5};
    panel_features(&s, f);
    cr_expect_eq(memcmp(f, plain, PANEL_PLAIN_FEATURES(3) * sizeof(*f)), 0);
    cr_expect_eq(memcmp(f + PANEL_PLAIN_FEATURES(3), wanted, sizeof(wanted)), 0,
                 "one that was not asked has said nothing");
}
