/* Verdicts of verified plans, on states that are made by hand and on questions drawn from the model. */
#include "predict/verified.h"

#include <string.h>

#include "verified_world.h"

#define QUESTIONS 200000

/* Runs */

static struct plan plan_of(const struct verified_plan *from)
{
    struct plan p = {.kind = PLAN_VERIFIED, .member_count = from->member_count};
    memcpy(p.members, from->members, sizeof(p.members));
    return p;
}

static struct plan_state state_of(const struct plan *p, const struct estimate *experts)
{
    struct plan_state s = {.characters = 0};
    for (size_t i = 0; i < p->member_count; i++)
        s.members[i] = &experts[p->members[i]];
    return s;
}

static double normal(struct rng *r)
{
    return sqrt(-2 * log(rng_uniform(r) + 1e-12)) * cos(2 * acos(-1) * rng_uniform(r));
}

struct totals {
    double right, calls[PLAN_MEMBERS_MAX], trusted;
};

/* One question drawn from the model and run by verdicts. */
static void run_drawn(const struct world *w, const struct plan *p, struct rng *r, struct totals *t)
{
    struct plan_state s = state_of(p, w->experts);
    struct plan_verdict v;
    bool right[PLAN_MEMBERS_MAX];
    double u = normal(r);
    for (size_t i = 0; i < p->member_count; i++)
        right[i] = rng_uniform(r) < sigmoid(w->a[p->members[i]] + w->s * u);
    for (;;) {
        verified_verdict(&w->terms, p, &s, &v);
        if (!v.ask)
            break;
        size_t i = (size_t)__builtin_ctz(v.ask);
        double error =
            right[i] ? (double)w->terms.check.false_alarm : (double)w->terms.check.false_pass;
        bool passes = right[i] != (rng_uniform(r) < error);
        s.answers[i] =
            (struct plan_answer){.asked = true, .check = passes ? PLAN_PASSED : PLAN_REJECTED};
        t->calls[i]++;
    }
    cr_assert_not(v.wait);
    t->right += right[v.winner];
    t->trusted += (double)v.trust[v.winner];
}

Test(verified, what_is_estimated_comes_true_and_trust_is_the_share_that_is_right)
{
    struct rng r;
    rng_seed(&r, 11);
    for (size_t x = 0; x < ERRORS; x++) {
        struct world w = world_drawn(&r, EXPERTS, 1.2, errors[x][0], errors[x][1]);
        struct verified_plan plans[VERIFIED_PLANS_MAX];
        size_t n = verified_plans(&w.terms, w.experts, NULL, EXPERTS, 8, plans);
        for (size_t k = n > 2 ? n - 2 : 0; k < n; k++) {
            struct plan p = plan_of(&plans[k]);
            struct totals t = {.right = 0};
            for (int q = 0; q < QUESTIONS; q++)
                run_drawn(&w, &p, &r, &t);
            const struct estimate *e = &plans[k].estimate;
            cr_assert_float_eq(t.right / QUESTIONS, (double)e->quality, 6e-3);
            cr_assert_float_eq(t.trusted / QUESTIONS, (double)e->quality, 6e-3);
            for (size_t i = 0; i < p.member_count; i++)
                cr_assert_float_eq(t.calls[i] / QUESTIONS, (double)e->asked[i], 6e-3);
        }
    }
}

/* Verdicts */

static const struct estimate three_experts[] = {{.quality = 0.5f, .cost_nano_usd = 1},
                                                {.quality = 0.8f, .cost_nano_usd = 1},
                                                {.quality = 0.3f, .cost_nano_usd = 1}};
static const struct plan three = {.kind = PLAN_VERIFIED, .member_count = 3, .members = {0, 1, 2}};
static const struct verified_terms noisy = {.check = {0.1f, 0.2f, 0}, .shared_sd = 1};
static const struct verified_terms perfect = {.shared_sd = 1};

static void said(struct plan_state *s, size_t i, enum plan_check check)
{
    s->answers[i] = (struct plan_answer){.asked = true, .check = check};
}

Test(verified, the_next_is_asked_when_the_last_was_rejected_or_has_failed)
{
    struct plan_state s = state_of(&three, three_experts);
    struct plan_verdict v;
    verified_verdict(&noisy, &three, &s, &v);
    cr_assert_eq(v.ask, 1);
    cr_assert_not(v.wait || v.final);
    s.answers[0].pending = true;
    verified_verdict(&noisy, &three, &s, &v);
    cr_assert(v.wait && !v.ask);
    said(&s, 0, PLAN_CHECKING);
    verified_verdict(&noisy, &three, &s, &v);
    cr_assert(v.wait && !v.ask);
    said(&s, 0, PLAN_REJECTED);
    verified_verdict(&noisy, &three, &s, &v);
    cr_assert_eq(v.ask, 2);
    s.answers[1] = (struct plan_answer){.asked = true, .failed = true};
    verified_verdict(&noisy, &three, &s, &v);
    cr_assert_eq(v.ask, 4);
    cr_assert_eq(v.winner, 0);
    cr_assert_eq((double)v.trust[1], 0);
    said(&s, 2, PLAN_PASSED);
    verified_verdict(&noisy, &three, &s, &v);
    cr_assert(!v.ask && !v.wait);
    cr_assert_eq(v.winner, 2);
}

Test(verified, when_time_is_over_an_answer_that_is_still_checked_stands)
{
    struct plan_state s = state_of(&three, three_experts);
    struct plan_verdict v;
    s.is_timed = true;
    s.left_ms = 500;
    s.latency_ms[1] = 400;
    said(&s, 0, PLAN_CHECKING);
    verified_verdict(&noisy, &three, &s, &v);
    cr_assert(v.wait && !v.ask);
    said(&s, 0, PLAN_REJECTED);
    verified_verdict(&noisy, &three, &s, &v);
    cr_assert_eq(v.ask, 2);
    s.left_ms = 300;
    verified_verdict(&noisy, &three, &s, &v);
    cr_assert(!v.ask && !v.wait && v.winner == 0, "the next would come too late");
    s.left_ms = 0;
    said(&s, 0, PLAN_CHECKING);
    verified_verdict(&noisy, &three, &s, &v);
    cr_assert(!v.ask && !v.wait && v.winner == 0);
}

Test(verified, an_answer_that_could_not_be_judged_stands)
{
    struct plan_state s = state_of(&three, three_experts);
    struct plan_verdict v;
    said(&s, 0, PLAN_REJECTED);
    said(&s, 1, PLAN_CHECK_DOWN);
    verified_verdict(&perfect, &three, &s, &v);
    cr_assert(!v.ask && !v.wait);
    cr_assert_eq(v.winner, 1);
    cr_assert_lt((double)v.trust[1], 0.8); /* the rejection of the first speaks against it, too */
    cr_assert_gt((double)v.trust[1], 0.5);
}

Test(verified, where_none_has_passed_the_likeliest_stands)
{
    struct plan_state s = state_of(&three, three_experts);
    struct plan_verdict v;
    for (size_t i = 0; i < 3; i++)
        said(&s, i, PLAN_REJECTED);
    verified_verdict(&noisy, &three, &s, &v);
    cr_assert(!v.ask && !v.wait);
    cr_assert_eq(v.winner, 1);
    cr_assert_gt((double)v.trust[1], (double)v.trust[0]);
    cr_assert_gt((double)v.trust[0], (double)v.trust[2]);
    verified_verdict(&perfect, &three, &s, &v); /* whoever it is, it is wrong */
    cr_assert_eq(v.winner, 1);
    cr_assert_eq((double)v.trust[1], 0);
    s.answers[1].failed = true;
    verified_verdict(&perfect, &three, &s, &v);
    cr_assert_eq(v.winner, 0);
    s.answers[0].failed = s.answers[2].failed = true;
    verified_verdict(&perfect, &three, &s, &v);
    cr_assert(!v.ask && !v.wait);
}

Test(verified, what_checks_have_said_lately_shifts_trust)
{
    const float shift[] = {0, -3, 0};
    struct verified_terms t = noisy;
    struct plan_state s = state_of(&three, three_experts);
    struct plan_verdict v;
    t.shift = shift;
    verified_verdict(&t, &three, &s, &v);
    cr_assert_float_eq((double)v.trust[1], sigmoid(log(4) - 3), 1e-3);
    cr_assert_float_eq((double)v.trust[0], 0.5, 1e-3);
}

Test(verified, any_numbers_give_probabilities)
{
    struct rng r;
    rng_seed(&r, 13);
    for (int round = 0; round < 20000; round++) {
        struct forged f;
        struct verified_plan plans[VERIFIED_PLANS_MAX];
        forge(&r, &f);
        size_t n = verified_plans(&f.terms, f.experts, NULL, EXPERTS, 8, plans);
        if (n == 0)
            continue;
        struct plan p = plan_of(&plans[n - 1]);
        struct plan_state s = state_of(&p, f.experts);
        struct plan_verdict v;
        for (size_t i = 0; i < p.member_count && rng_below(&r, 5); i++)
            said(&s, i, rng_below(&r, 2) ? PLAN_REJECTED : PLAN_PASSED);
        verified_verdict(&f.terms, &p, &s, &v);
        cr_assert_lt(v.winner, p.member_count);
        cr_assert_eq(v.ask >> p.member_count, 0);
        for (size_t i = 0; i < p.member_count; i++)
            cr_assert(v.trust[i] >= 0 && v.trust[i] <= 1);
    }
}
