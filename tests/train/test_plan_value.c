/* What a set of arms is worth, against sums written out over a small table. */
#include "train/plan_value.h"

#include "plan_world.h"

#define ROWS 120

static double promise(const struct estimate *e, double lambda)
{
    return (double)e->quality - lambda * (double)e->cost_nano_usd / 1e9;
}

/* The single that routing chooses. */
static size_t choose(const struct plan_world *w, size_t row, double lambda)
{
    const struct estimate *e = &w->estimates[row * PLAN_WORLD_EXPERTS];
    size_t best = 0;
    for (size_t i = 1; i < PLAN_WORLD_EXPERTS; i++)
        if (promise(&e[i], lambda) > promise(&e[best], lambda))
            best = i;
    return best;
}

static struct plan_value singles(const struct plan_world *w)
{
    struct plan_value v;
    cr_assert_eq(plan_value_singles(&w->rows, w->arena, &v, NULL), OK);
    return v;
}

Test(plan_value, lambdas_spread_over_the_costs_that_singles_reach)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_AGREE, ROWS, 10, 1);
    struct plan_value v = singles(w);
    double costs[PLAN_LAMBDAS], least = 0, most = 0;
    for (size_t l = 0; l < PLAN_LAMBDAS; l++) {
        costs[l] = 0;
        for (size_t row = 0; row < ROWS; row++) {
            size_t at = row * PLAN_WORLD_EXPERTS;
            costs[l] += (double)w->estimates[at + choose(w, row, v.lambdas[l])].cost_nano_usd / 1e9;
        }
    }
    for (size_t row = 0; row < ROWS; row++) {
        size_t at = row * PLAN_WORLD_EXPERTS;
        most += (double)w->estimates[at + choose(w, row, 0)].cost_nano_usd / 1e9;
        least += (double)w->estimates[at + choose(w, row, 1e9)].cost_nano_usd / 1e9;
    }
    for (size_t l = 0; l < PLAN_LAMBDAS; l++) {
        double want = least + (most - least) * ((double)l + 0.5) / PLAN_LAMBDAS;
        cr_expect(costs[l] <= want * 1.0001 && costs[l] > want - 0.03, "lambda %zu: %g, not %g", l,
                  costs[l], want); /* steps of one call */
        cr_expect(!l || v.lambdas[l] <= v.lambdas[l - 1]);
    }
    plan_world_free(w);
}

Test(plan_value, routing_among_singles_is_where_it_starts)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_AGREE, ROWS, 10, 2);
    for (size_t row = 0; row < ROWS; row += 7)
        w->outcomes[row * PLAN_WORLD_EXPERTS + 2].known = false;
    struct plan_value v = singles(w);
    double shares[PLAN_WORLD_EXPERTS] = {0};
    for (size_t l = 0; l < PLAN_LAMBDAS; l++)
        for (size_t row = 0; row < ROWS; row++) {
            size_t e = choose(w, row, v.lambdas[l]), at = l * ROWS + row;
            const struct outcome *o = plan_world_outcome(w, row, e);
            double utility = (double)o->score - v.lambdas[l] * plan_world_usd(o);
            shares[e] += 1.0 / (ROWS * PLAN_LAMBDAS);
            cr_assert_float_eq((double)v.promised[at],
                               promise(&w->estimates[row * PLAN_WORLD_EXPERTS + e], v.lambdas[l]),
                               1e-4);
            cr_assert_eq((bool)isnan(v.kept[at]), !o->known);
            cr_assert(!o->known || fabs((double)v.kept[at] - utility) < 1e-4);
        }
    for (size_t e = 0; e < PLAN_WORLD_EXPERTS; e++)
        cr_expect_float_eq((double)v.shares[e], shares[e], 1e-4);
    plan_world_free(w);
}

/* An arm made up of dice, and rows that it cannot run on. */
struct arm {
    struct estimate estimates[ROWS];
    struct plan_result results[ROWS];
    bool usable[ROWS];
};

static void arm_make(struct arm *a, uint64_t seed)
{
    struct rng r;
    rng_seed(&r, seed);
    for (size_t row = 0; row < ROWS; row++) {
        a->usable[row] = rng_below(&r, 5) > 0;
        a->estimates[row] = (struct estimate){.quality = (float)(0.6 + 0.4 * rng_uniform(&r)),
                                              .cost_nano_usd = (int64_t)rng_below(&r, 9000000)};
        a->results[row] = (struct plan_result){.score = (float)rng_below(&r, 2),
                                               .cost_usd = (float)(0.009 * rng_uniform(&r))};
    }
}

static double utility_of(const struct plan_result *r, double lambda)
{
    return (double)r->score - lambda * (double)r->cost_usd;
}

/* Mean over lambdas and usable rows of what changes where the arm promises more. */
static double gain_by_hand(const struct plan_value *v, const struct arm *a)
{
    double gain = 0, n = 0;
    for (size_t l = 0; l < PLAN_LAMBDAS; l++)
        for (size_t row = 0; row < ROWS; row++) {
            double kept = (double)v->kept[l * ROWS + row];
            if (!a->usable[row] || isnan(kept))
                continue;
            n++;
            if (promise(&a->estimates[row], v->lambdas[l]) > (double)v->promised[l * ROWS + row])
                gain += utility_of(&a->results[row], v->lambdas[l]) - kept;
        }
    return gain / n;
}

Test(plan_value, the_gain_of_an_arm_is_what_it_adds)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_AGREE, ROWS, 10, 3);
    w->outcomes[5 * PLAN_WORLD_EXPERTS + 2].cost_known = false;
    struct plan_value v = singles(w);
    for (uint64_t seed = 0; seed < 5; seed++) {
        struct arm a;
        arm_make(&a, seed);
        double want = gain_by_hand(&v, &a);
        cr_expect_float_eq(plan_value_gain(&v, a.estimates, a.results, a.usable), want, 1e-6);
        cr_expect(fabs(want) > 1e-4, "the test has something to see");
        plan_value_add(&v, a.estimates, a.results, a.usable);
        for (size_t l = 0; l < PLAN_LAMBDAS; l++)
            for (size_t row = 0; row < ROWS; row++) {
                float promised = v.promised[l * ROWS + row];
                cr_assert(!a.usable[row] ||
                          (double)promised >= promise(&a.estimates[row], v.lambdas[l]) - 1e-4);
            }
        cr_expect_float_eq(plan_value_gain(&v, a.estimates, a.results, a.usable), 0, 1e-6,
                           "it cannot join twice");
    }
    memset(w->outcomes, 0, ROWS * PLAN_WORLD_EXPERTS * sizeof(*w->outcomes));
    v = singles(w);
    struct arm a;
    arm_make(&a, 9);
    cr_expect_eq(plan_value_gain(&v, a.estimates, a.results, a.usable), 0, "nothing is known");
    plan_world_free(w);
}

/* What one row gains at one lambda. */
static double row_by_hand(const struct plan_world *w, const struct plan_value *v,
                          const struct plan_course *c, size_t l, size_t row)
{
    const struct outcome *o = plan_world_outcome(w, row, 0);
    double lambda = v->lambdas[l];
    bool ask = (double)c->gain_per_usd[row] > lambda;
    double cost = plan_world_usd(&o[0]) + plan_world_usd(&o[1]) + ask * plan_world_usd(&o[2]);
    return (double)o[ask ? c->final[row] : c->kept[row]].score - lambda * cost -
           (double)v->kept[l * ROWS + row];
}

/* Each half takes the combination where the other half would gain. */
static double course_by_hand(const struct plan_world *w, const struct plan_value *v,
                             const struct plan_course *c, double *error)
{
    double gain[ROWS] = {0}, sum = 0, n = 0, spread = 0;
    for (size_t l = 0; l < PLAN_LAMBDAS; l++)
        for (size_t half = 0; half < 2; half++) {
            double other = 0;
            for (size_t row = 1 - half; row < ROWS; row += 2)
                other += c->usable[row] ? row_by_hand(w, v, c, l, row) : 0;
            for (size_t row = half; row < ROWS && other > 0; row += 2)
                gain[row] += row_by_hand(w, v, c, l, row) / PLAN_LAMBDAS;
        }
    for (size_t row = 0; row < ROWS; row++) {
        sum += c->usable[row] ? gain[row] : 0;
        n += c->usable[row];
    }
    for (size_t row = 0; row < ROWS; row++)
        spread += c->usable[row] ? (gain[row] - sum / n) * (gain[row] - sum / n) : 0;
    *error = sqrt(spread / n / (n - 1));
    return sum / n;
}

Test(plan_value, the_gain_of_a_combination_counts_where_it_is_one)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_AGREE, ROWS, 10, 4);
    struct plan_value v = singles(w);
    struct plan_course c = {
        .plan = {.kind = PLAN_PANEL, .rule = PLAN_TRUST, .member_count = 3, .members = {0, 1, 2}}};
    struct rng r;
    rng_seed(&r, 1);
    c.usable = ARENA_ARRAY(w->arena, ROWS, bool);
    c.gain_per_usd = ARENA_ARRAY(w->arena, ROWS, float);
    c.kept = ARENA_ARRAY(w->arena, ROWS, uint8_t);
    c.final = ARENA_ARRAY(w->arena, ROWS, uint8_t);
    for (size_t row = 0; row < ROWS; row++) {
        const struct outcome *o = plan_world_outcome(w, row, 0);
        c.usable[row] = row % 6 != 0;
        c.gain_per_usd[row] = o[0].answer_class != o[1].answer_class ? 90 : -5;
        c.kept[row] = (uint8_t)rng_below(&r, 2);
        c.final[row] = row % 9 ? 2 : 1;
    }
    struct plan_worth worth = plan_value_course(&c);
    double want_error, error, want = course_by_hand(w, &v, &c, &want_error);
    cr_expect_gt(want, 0.001);
    cr_expect_float_eq(plan_value_course_gain(&v, &w->rows, &worth, &error), want, 1e-6);
    cr_expect_float_eq(error, want_error, 1e-6);
    plan_value_course_add(&v, &w->rows, &worth);
    cr_expect_float_eq(plan_value_course_gain(&v, &w->rows, &worth, NULL), 0, 1e-6,
                       "it cannot join twice");
    plan_world_free(w);
}
