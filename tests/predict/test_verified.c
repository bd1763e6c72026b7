/* The order of verified plans and their verdicts, held to the model of verified.h computed another way: on a fine grid
 * over u in doubles, by enumeration of all that can happen, and by drawing lots. */
#include "predict/verified.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/rng.h"

#define GRID     1201
#define EXPERTS  5
#define COST     1000000
#define NEAR     1e-3 /* eleven nodes against the grid */
#define QUESTION 200000

static double grid_u(size_t k)
{
    return -7 + 14.0 * (double)k / (GRID - 1);
}

static double grid_weight(size_t k)
{
    double u = grid_u(k);
    return exp(-u * u / 2) / sqrt(2 * acos(-1)) * 14 / (GRID - 1);
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double mean_right(double a, double s)
{
    double sum = 0;
    for (size_t k = 0; k < GRID; k++)
        sum += grid_weight(k) * sigmoid(a + s * grid_u(k));
    return sum;
}

/* a of an expert whose mean over u is `quality`, by halving. */
static double place(double quality, double s)
{
    double low = -60, high = 60;
    for (int i = 0; i < 60; i++) {
        double a = (low + high) / 2;
        if (mean_right(a, s) < quality)
            low = a;
        else
            high = a;
    }
    return low;
}

struct world {
    size_t count;
    double s, a[EXPERTS];
    struct estimate experts[EXPERTS];
    struct verified_terms terms;
};

static struct world world_drawn(struct rng *r, size_t count, double s, float pass, float alarm)
{
    struct world w = {.count = count, .s = s};
    w.terms.check = (struct verified_check){pass, alarm, (int64_t)rng_below(r, COST / 2)};
    w.terms.shared_sd = (float)s;
    for (size_t i = 0; i < count; i++) {
        int64_t cost = (int64_t)(COST * exp(4 * rng_uniform(r)));
        w.experts[i] = (struct estimate){.quality = (float)(0.1 + 0.8 * rng_uniform(r)),
                                         .cost_nano_usd = cost,
                                         .cost_max_nano_usd = cost};
        w.a[i] = place((double)w.experts[i].quality, s);
    }
    return w;
}

static double price_of(const struct world *w, size_t i)
{
    return (double)(w->experts[i].cost_nano_usd + w->terms.check.price_nano_usd);
}

/* P(the first `n` of order[] are all rejected, and member `right` of the order is right; SIZE_MAX: whoever is) */
static double all_rejected(const struct world *w, const size_t *order, size_t n, size_t right)
{
    double sum = 0, alarm = (double)w->terms.check.false_alarm,
           pass = (double)w->terms.check.false_pass;
    for (size_t k = 0; k < GRID; k++) {
        double all = grid_weight(k);
        for (size_t i = 0; i < n; i++) {
            double p = sigmoid(w->a[order[i]] + w->s * grid_u(k));
            all *= i == right ? p * alarm : p * alarm + (1 - p) * (1 - pass);
        }
        sum += all;
    }
    return sum;
}

/* P(the i-th of order[] is asked, right and passes) */
static double passes_right(const struct world *w, const size_t *order, size_t i)
{
    double sum = 0, alarm = (double)w->terms.check.false_alarm,
           pass = (double)w->terms.check.false_pass;
    for (size_t k = 0; k < GRID; k++) {
        double all = grid_weight(k);
        for (size_t j = 0; j < i; j++) {
            double p = sigmoid(w->a[order[j]] + w->s * grid_u(k));
            all *= p * alarm + (1 - p) * (1 - pass);
        }
        sum += all * (1 - alarm) * sigmoid(w->a[order[i]] + w->s * grid_u(k));
    }
    return sum;
}

/* Quality of the plan over the first `n` of order[] */
static double quality_of(const struct world *w, const size_t *order, size_t n)
{
    double passed = 0, stands = 0;
    for (size_t i = 0; i < n; i++) {
        passed += passes_right(w, order, i);
        stands = fmax(stands, all_rejected(w, order, n, i));
    }
    return passed + stands;
}

static bool is_among(const size_t *order, size_t n, size_t expert)
{
    for (size_t i = 0; i < n; i++)
        if (order[i] == expert)
            return true;
    return false;
}

static const double sds[] = {0, 0.5, 1, 2};
static const float errors[][2] = {{0, 0}, {0.1f, 0}, {0, 0.2f}, {0.05f, 0.1f}, {0.3f, 0.4f}};

static void check_prefix(const struct world *w, const struct verified_step *steps,
                         const size_t *order, size_t n)
{
    const struct estimate *e = &steps[n - 1].estimate;
    double cost = 0, most = 0;
    cr_assert_float_eq((double)e->quality, quality_of(w, order, n), NEAR);
    for (size_t i = 0; i < n; i++) {
        double asked = all_rejected(w, order, i, SIZE_MAX);
        cr_assert_float_eq((double)e->asked[i], asked, NEAR);
        cost += asked * price_of(w, order[i]);
        most += price_of(w, order[i]);
    }
    cr_assert_float_eq((double)e->cost_nano_usd, cost, NEAR * most);
    cr_assert_eq(e->cost_max_nano_usd, (int64_t)most);
    cr_assert_eq(e->unweighed_nano_usd, 0);
    for (size_t i = n; i < PLAN_MEMBERS_MAX; i++)
        cr_assert_eq((double)e->asked[i], 0);
}

/* Nobody else adds more per USD than whoever comes next. */
static void check_next(const struct world *w, size_t *order, size_t n)
{
    double before = n ? quality_of(w, order, n) : 0;
    size_t next = order[n];
    double taken = (quality_of(w, order, n + 1) - before) / price_of(w, next);
    for (size_t e = 0; e < w->count; e++) {
        if (is_among(order, n, e))
            continue;
        order[n] = e;
        double other = (quality_of(w, order, n + 1) - before) / price_of(w, e);
        cr_assert_leq(other, taken + NEAR / price_of(w, e) + NEAR / price_of(w, next));
    }
    order[n] = next;
}

Test(verified, steps_are_those_of_the_model_computed_on_a_fine_grid)
{
    struct rng r;
    rng_seed(&r, 3);
    for (size_t d = 0; d < sizeof(sds) / sizeof(sds[0]); d++)
        for (size_t x = 0; x < sizeof(errors) / sizeof(errors[0]); x++) {
            struct world w = world_drawn(&r, EXPERTS, sds[d], errors[x][0], errors[x][1]);
            struct verified_step steps[PLAN_MEMBERS_MAX];
            size_t order[PLAN_MEMBERS_MAX];
            size_t n = verified_steps(&w.terms, w.experts, NULL, EXPERTS, 8, steps);
            cr_assert_geq(n, 1);
            cr_assert_leq(n, EXPERTS);
            for (size_t i = 0; i < n; i++) {
                order[i] = steps[i].expert;
                cr_assert_not(is_among(order, i, order[i]));
            }
            for (size_t i = 0; i < n; i++) {
                check_prefix(&w, steps, order, i + 1);
                check_next(&w, order, i);
            }
            for (size_t e = 0; e < EXPERTS && n < EXPERTS; e++) { /* those left out add nothing */
                if (is_among(order, n, e))
                    continue;
                order[n] = e;
                cr_assert_leq(quality_of(&w, order, n + 1), quality_of(&w, order, n) + NEAR);
            }
        }
}

Test(verified, a_perfect_check_of_independent_experts_goes_by_quality_per_usd)
{
    struct rng r;
    rng_seed(&r, 5);
    for (int round = 0; round < 200; round++) {
        struct world w = world_drawn(&r, EXPERTS, 0, 0, 0);
        struct verified_step steps[PLAN_MEMBERS_MAX];
        double missed = 1;
        cr_assert_eq(verified_steps(&w.terms, w.experts, NULL, EXPERTS, 8, steps), EXPERTS);
        for (size_t i = 0; i < EXPERTS; i++) {
            size_t e = steps[i].expert;
            if (i) {
                size_t last = steps[i - 1].expert;
                cr_assert_geq((double)w.experts[last].quality / price_of(&w, last),
                              (double)w.experts[e].quality / price_of(&w, e) * (1 - 1e-5));
            }
            cr_assert_float_eq((double)steps[i].estimate.asked[i], missed, 1e-5);
            missed *= 1 - (double)w.experts[e].quality;
            cr_assert_float_eq((double)steps[i].estimate.quality, 1 - missed, 1e-5);
        }
    }
}

/* The most that any sequence of distinct experts behind the `n` of order[] is worth, theirs included. */
static double best_of_all(const struct world *w, double lambda, unsigned used, double missed,
                          double so_far)
{
    double best = so_far;
    for (size_t e = 0; e < w->count; e++) {
        if (used >> e & 1)
            continue;
        double p = (double)w->experts[e].quality;
        double worth = so_far + missed * (p - lambda * price_of(w, e) * 1e-9);
        best = fmax(best, best_of_all(w, lambda, used | 1u << e, missed * (1 - p), worth));
    }
    return best;
}

Test(verified, at_any_lambda_the_best_of_the_plans_is_the_best_of_all_sequences)
{
    struct rng r;
    rng_seed(&r, 7);
    for (int round = 0; round < 60; round++) {
        struct world w = world_drawn(&r, 2 + (size_t)round % 4, 0, 0, 0);
        struct verified_step steps[PLAN_MEMBERS_MAX];
        size_t n = verified_steps(&w.terms, w.experts, NULL, w.count, 8, steps);
        for (double lambda = 1; lambda < 1e4; lambda *= 3) {
            double best = 0;
            for (size_t i = 0; i < n; i++)
                best = fmax(best, (double)steps[i].estimate.quality -
                                      lambda * (double)steps[i].estimate.cost_nano_usd * 1e-9);
            cr_assert_float_eq(best, best_of_all(&w, lambda, 0, 1, 0), 1e-4, "lambda %g", lambda);
        }
    }
}

/* Runs */

static struct plan plan_of(const struct verified_step *steps, size_t n)
{
    struct plan p = {.kind = PLAN_VERIFIED, .member_count = n};
    for (size_t i = 0; i < n; i++)
        p.members[i] = steps[i].expert;
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
    for (size_t x = 0; x < sizeof(errors) / sizeof(errors[0]); x++) {
        struct world w = world_drawn(&r, EXPERTS, 1.2, errors[x][0], errors[x][1]);
        struct verified_step steps[PLAN_MEMBERS_MAX];
        struct totals t = {.right = 0};
        size_t n = verified_steps(&w.terms, w.experts, NULL, EXPERTS, 8, steps);
        struct plan p = plan_of(steps, n);
        for (int q = 0; q < QUESTION; q++)
            run_drawn(&w, &p, &r, &t);
        const struct estimate *e = &steps[n - 1].estimate;
        cr_assert_float_eq(t.right / QUESTION, (double)e->quality, 6e-3);
        cr_assert_float_eq(t.trusted / QUESTION, (double)e->quality, 6e-3);
        for (size_t i = 0; i < n; i++)
            cr_assert_float_eq(t.calls[i] / QUESTION, (double)e->asked[i], 6e-3);
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

Test(verified, what_checks_have_said_lately_shifts_the_odds)
{
    const float shift[] = {0, -3, 0};
    struct verified_terms t = noisy;
    struct verified_step plain[PLAN_MEMBERS_MAX], shifted[PLAN_MEMBERS_MAX];
    cr_assert_eq(verified_steps(&t, three_experts, NULL, 3, 8, plain), 3);
    t.shift = shift;
    size_t n = verified_steps(&t, three_experts, NULL, 3, 8, shifted);
    cr_assert_geq(n, 2);
    cr_assert_eq(plain[0].expert, 1);
    cr_assert_eq(shifted[0].expert, 0);
    cr_assert_eq(shifted[1].expert, 2);
    struct plan_state s = state_of(&three, three_experts);
    struct plan_verdict v;
    verified_verdict(&t, &three, &s, &v);
    cr_assert_float_eq((double)v.trust[1], sigmoid(log(4) - 3), 1e-3);
    cr_assert_float_eq((double)v.trust[0], 0.5, 1e-3);
}

/* Limits */

Test(verified, only_those_in_use_take_part_and_no_more_than_wanted)
{
    struct estimate experts[12];
    bool use[12];
    struct verified_step steps[PLAN_MEMBERS_MAX];
    for (size_t i = 0; i < 12; i++) {
        experts[i] = (struct estimate){.quality = 0.3f + 0.01f * (float)i, .cost_nano_usd = COST};
        use[i] = i != 11;
    }
    cr_assert_eq(verified_steps(&perfect, experts, use, 12, 3, steps), 3);
    cr_assert_eq(steps[0].expert, 10);
    cr_assert_eq(verified_steps(&perfect, experts, NULL, 12, 100, steps), PLAN_MEMBERS_MAX);
    cr_assert_eq(steps[0].expert, 11);
    cr_assert_eq(verified_steps(&perfect, experts, use, 12, 0, steps), 0);
    cr_assert_eq(verified_steps(&perfect, experts, NULL, 0, 8, steps), 0);
    memset(use, 0, sizeof(use));
    cr_assert_eq(verified_steps(&perfect, experts, use, 12, 8, steps), 0);
}

Test(verified, ties_go_to_the_cheaper_then_to_the_lower_index)
{
    const struct estimate experts[] = {{.quality = 0.5f, .cost_nano_usd = 2 * COST},
                                       {.quality = 0.25f, .cost_nano_usd = COST},
                                       {.quality = 0.25f, .cost_nano_usd = COST},
                                       {.quality = 0.5f, .cost_nano_usd = 2 * COST}};
    const struct verified_terms t = {.shared_sd = 0};
    struct verified_step steps[PLAN_MEMBERS_MAX];
    cr_assert_eq(verified_steps(&t, experts + 1, NULL, 2, 8, steps), 2);
    cr_assert_eq(steps[0].expert, 0);
    const struct estimate alike[] = {experts[0], experts[3]};
    cr_assert_eq(verified_steps(&t, alike, NULL, 2, 1, steps), 1);
    cr_assert_eq(steps[0].expert, 0);
    const struct estimate free_ones[] = {{.quality = 0.2f}, {.quality = 0.6f}, {.quality = 0.4f}};
    cr_assert_eq(verified_steps(&t, free_ones, NULL, 3, 8, steps), 3);
    cr_assert_eq(steps[0].expert, 1);
    cr_assert_eq(steps[1].expert, 2);
    cr_assert_eq(steps[2].estimate.cost_nano_usd, 0);
}

Test(verified, what_a_decision_leaves_out_of_a_cost_it_leaves_out_of_the_plan)
{
    struct estimate experts[] = {
        {.quality = 0.5f, .cost_nano_usd = 2 * COST, .unweighed_nano_usd = COST, .unfamiliar = 1},
        {.quality = 0.6f, .cost_nano_usd = 2 * COST, .unfamiliar = 1}};
    const struct verified_terms t = {.check = {.price_nano_usd = 100}, .shared_sd = 0};
    struct verified_step steps[PLAN_MEMBERS_MAX];
    cr_assert_eq(verified_steps(&t, experts, NULL, 2, 8, steps), 2);
    cr_assert_eq(steps[0].expert, 0); /* for .5 / 1 is more than .6 / 2 */
    cr_assert_eq(steps[0].estimate.cost_nano_usd, 2 * COST + 100);
    cr_assert_eq(steps[0].estimate.unweighed_nano_usd, COST);
    cr_assert_float_eq((double)steps[1].estimate.cost_nano_usd, 3.0 * COST + 150, 2);
    cr_assert_float_eq((double)steps[1].estimate.unweighed_nano_usd, COST, 2);
    cr_assert_eq(steps[1].estimate.cost_max_nano_usd, 4 * COST + 200);
    cr_assert_float_eq((double)steps[1].estimate.escalation, 0.5, 1e-5);
    cr_assert_eq((double)steps[1].estimate.unfamiliar, 1);
}

Test(verified, any_numbers_give_probabilities)
{
    const float odd[] = {NAN, INFINITY, -INFINITY, 0, 1, -1, 2, 0.5f, FLT_MAX, 1e-30f};
    const int64_t costs[] = {0, 1, -5, INT64_MAX, INT64_MIN + 1, 1000000};
    const size_t odds = sizeof(odd) / sizeof(odd[0]), prices = sizeof(costs) / sizeof(costs[0]);
    struct rng r;
    rng_seed(&r, 13);
    for (int round = 0; round < 20000; round++) {
        struct estimate experts[EXPERTS];
        float shift[EXPERTS];
        struct verified_step steps[PLAN_MEMBERS_MAX];
        struct verified_terms t = {.check = {odd[rng_below(&r, odds)], odd[rng_below(&r, odds)],
                                             costs[rng_below(&r, prices)]},
                                   .shared_sd = odd[rng_below(&r, odds)],
                                   .shift = rng_below(&r, 2) ? shift : NULL};
        for (size_t i = 0; i < EXPERTS; i++) {
            experts[i] = (struct estimate){.quality = odd[rng_below(&r, odds)],
                                           .cost_nano_usd = costs[rng_below(&r, prices)]};
            shift[i] = odd[rng_below(&r, odds)];
        }
        size_t n = verified_steps(&t, experts, NULL, EXPERTS, 8, steps);
        for (size_t i = 0; i < n; i++) {
            const struct estimate *e = &steps[i].estimate;
            cr_assert(e->quality >= 0 && e->quality <= 1);
            cr_assert(e->escalation >= 0 && e->escalation <= 1);
            for (size_t k = 0; k <= i; k++)
                cr_assert(e->asked[k] >= 0 && e->asked[k] <= 1);
            cr_assert_geq(e->cost_max_nano_usd, e->cost_nano_usd);
            cr_assert_geq(e->cost_nano_usd, 0);
        }
        if (n == 0)
            continue;
        struct plan p = plan_of(steps, n);
        struct plan_state s = state_of(&p, experts);
        struct plan_verdict v;
        for (size_t i = 0; i < n && rng_below(&r, 5); i++)
            said(&s, i, rng_below(&r, 2) ? PLAN_REJECTED : PLAN_PASSED);
        verified_verdict(&t, &p, &s, &v);
        cr_assert_lt(v.winner, n);
        cr_assert_eq(v.ask >> n, 0);
        for (size_t i = 0; i < n; i++)
            cr_assert(v.trust[i] >= 0 && v.trust[i] <= 1);
    }
}
