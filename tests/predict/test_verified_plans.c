/* Plans of the frontier, held to the model computed on a fine grid and to all sequences there are. */
#include <string.h>

#include "verified_world.h"

static const double sds[] = {0, 0.5, 1, 2};
#define SDS (sizeof(sds) / sizeof(sds[0]))

static void check_estimate(const struct world *w, const struct verified_plan *p)
{
    const struct estimate *e = &p->estimate;
    double cost = 0, most = 0;
    cr_assert_float_eq((double)e->quality, quality_of(w, p->members, p->member_count), NEAR);
    for (size_t i = 0; i < p->member_count; i++) {
        double asked = all_rejected(w, p->members, i, SIZE_MAX);
        cr_assert_float_eq((double)e->asked[i], asked, NEAR);
        cost += asked * price_of(w, p->members[i]);
        most += price_of(w, p->members[i]);
        for (size_t k = 0; k < i; k++)
            cr_assert_neq(p->members[k], p->members[i]);
    }
    cr_assert_float_eq((double)e->cost_nano_usd, cost, NEAR * most);
    cr_assert_eq(e->cost_max_nano_usd, (int64_t)most);
    cr_assert_eq(e->unweighed_nano_usd, 0);
    for (size_t i = p->member_count; i < PLAN_MEMBERS_MAX; i++)
        cr_assert_eq((double)e->asked[i], 0);
}

Test(verified_plans, estimates_are_those_of_the_model_and_rise_from_plan_to_plan)
{
    struct rng r;
    rng_seed(&r, 3);
    for (size_t d = 0; d < SDS; d++)
        for (size_t x = 0; x < ERRORS; x++) {
            struct world w = world_drawn(&r, EXPERTS, sds[d], errors[x][0], errors[x][1]);
            struct verified_plan plans[VERIFIED_PLANS_MAX];
            size_t n = verified_plans(&w.terms, w.experts, NULL, EXPERTS, 8, plans);
            cr_assert_geq(n, 1);
            cr_assert_leq(n, VERIFIED_PLANS_MAX);
            for (size_t i = 0; i < n; i++)
                check_estimate(&w, &plans[i]);
            for (size_t i = 1; i < n; i++) {
                cr_assert_gt(plans[i].estimate.quality, plans[i - 1].estimate.quality);
                cr_assert_gt(plans[i].estimate.cost_nano_usd, plans[i - 1].estimate.cost_nano_usd);
            }
        }
}

Test(verified_plans, a_perfect_check_of_independent_experts_goes_by_quality_per_usd)
{
    struct rng r;
    rng_seed(&r, 5);
    for (int round = 0; round < 200; round++) {
        struct world w = world_drawn(&r, EXPERTS, 0, 0, 0);
        struct verified_plan plans[VERIFIED_PLANS_MAX];
        size_t n = verified_plans(&w.terms, w.experts, NULL, EXPERTS, 8, plans);
        for (size_t k = 0; k < n; k++) {
            const struct verified_plan *p = &plans[k];
            double missed = 1;
            cr_assert_eq(p->member_count, k + 1);
            for (size_t i = 0; i <= k; i++) {
                size_t e = p->members[i];
                cr_assert_float_eq((double)p->estimate.asked[i], missed, 1e-5);
                missed *= 1 - (double)w.experts[e].quality;
                if (i == 0)
                    continue;
                size_t last = p->members[i - 1];
                cr_assert_geq((double)w.experts[last].quality / price_of(&w, last),
                              (double)w.experts[e].quality / price_of(&w, e) * (1 - 1e-3));
            }
            cr_assert_float_eq((double)p->estimate.quality, 1 - missed, 1e-5);
        }
    }
}

static double utility(const struct world *w, const size_t *order, size_t n, double lambda)
{
    double cost = 0;
    for (size_t i = 0; i < n; i++)
        cost += all_rejected(w, order, i, SIZE_MAX) * price_of(w, order[i]) * 1e-9;
    return quality_of(w, order, n) - lambda * cost;
}

#define LAMBDAS 6

static double lambda_at(size_t l)
{
    return 3 * pow(4, (double)l);
}

/* The most that any sequence of distinct experts is worth at each lambda. */
static void best_of_all(const struct world *w, size_t *order, size_t n, double best[LAMBDAS])
{
    for (size_t l = 0; n && l < LAMBDAS; l++)
        best[l] = fmax(best[l], utility(w, order, n, lambda_at(l)));
    for (size_t e = 0; e < w->count; e++) {
        if (is_among(order, n, e))
            continue;
        order[n] = e;
        best_of_all(w, order, n + 1, best);
    }
}

/* How much the best plan is worth less than the best sequence, at most over lambdas. */
static double shortfall(const struct world *w)
{
    struct verified_plan plans[VERIFIED_PLANS_MAX];
    size_t order[EXPERTS], n = verified_plans(&w->terms, w->experts, NULL, w->count, 8, plans);
    double best[LAMBDAS], worst = 0;
    for (size_t l = 0; l < LAMBDAS; l++)
        best[l] = -INFINITY;
    best_of_all(w, order, 0, best);
    for (size_t l = 0; l < LAMBDAS; l++) {
        double found = -INFINITY;
        for (size_t k = 0; k < n; k++)
            found = fmax(found, (double)plans[k].estimate.quality -
                                    lambda_at(l) * (double)plans[k].estimate.cost_nano_usd * 1e-9);
        /* Whoever is cheapest of all is an arm by itself. */
        for (size_t e = 0; e < w->count; e++)
            found = fmax(found, utility(w, &e, 1, lambda_at(l)));
        worst = fmax(worst, best[l] - found);
    }
    return worst;
}

Test(verified_plans, at_any_lambda_one_of_the_plans_is_the_best_of_all_sequences)
{
    struct rng r;
    rng_seed(&r, 7);
    for (int round = 0; round < 12; round++) {
        struct world w = world_drawn(&r, 2 + (size_t)round % 3, 0, 0, 0);
        cr_assert_leq(shortfall(&w), 2e-3, "%g", shortfall(&w));
    }
}

Test(verified_plans, with_errors_and_a_common_factor_the_best_sequence_is_nearly_reached)
{
    struct rng r;
    double sum = 0;
    int rounds = 0;
    rng_seed(&r, 9);
    for (size_t d = 0; d < SDS; d++)
        for (size_t x = 0; x < ERRORS; x++, rounds++) {
            struct world w = world_drawn(&r, 4, sds[d], errors[x][0], errors[x][1]);
            double lost = shortfall(&w);
            sum += lost;
            cr_assert_leq(lost, 0.02, "s %g, errors %g %g: %g", sds[d], (double)errors[x][0],
                          (double)errors[x][1], lost);
        }
    cr_assert_leq(sum / rounds, 3e-3, "%g", sum / rounds);
}

/* What a cheap weak expert passes wrongly is never asked again. */
Test(verified_plans, the_best_plan_is_not_held_back_by_who_was_cheap)
{
    const struct estimate experts[] = {{.quality = 0.3f, .cost_nano_usd = COST},
                                       {.quality = 0.8f, .cost_nano_usd = 20 * COST},
                                       {.quality = 0.75f, .cost_nano_usd = 30 * COST}};
    const struct verified_terms t = {.check = {0.2f, 0.2f, 0}, .shared_sd = 1};
    struct verified_plan plans[VERIFIED_PLANS_MAX];
    size_t n = verified_plans(&t, experts, NULL, 3, 8, plans);
    cr_assert_geq(n, 2);
    cr_assert_eq(plans[0].members[0], 0);
    cr_assert_neq(plans[n - 1].members[0], 0);
    cr_assert_gt(plans[n - 1].estimate.quality, 0.8f);
}

Test(verified_plans, few_places_are_for_the_good_in_the_end)
{
    struct estimate experts[40];
    struct verified_plan plans[VERIFIED_PLANS_MAX];
    const struct verified_terms t = {.shared_sd = 1};
    for (size_t i = 0; i < 40; i++)
        experts[i] = (struct estimate){.quality = i < 37 ? 0.1f : 0.6f + 0.01f * (float)i - 0.37f,
                                       .cost_nano_usd = (i < 37 ? 1 : 50) * COST};
    size_t n = verified_plans(&t, experts, NULL, 40, 3, plans);
    const struct verified_plan *best = &plans[n - 1];
    cr_assert_eq(best->member_count, 3);
    for (size_t i = 0; i < 3; i++)
        cr_assert_geq(best->members[i], 37);
    cr_assert_lt(plans[0].members[0], 37);
    n = verified_plans(&t, experts, NULL, 40, 8, plans);
    for (size_t e = 37; e < 40; e++)
        cr_assert(is_among(plans[n - 1].members, plans[n - 1].member_count, e));
}

Test(verified_plans, what_checks_have_said_lately_shifts_the_odds)
{
    const struct estimate experts[] = {{.quality = 0.5f, .cost_nano_usd = COST},
                                       {.quality = 0.8f, .cost_nano_usd = COST}};
    const float shift[] = {0, -3};
    struct verified_terms t = {.check = {0.1f, 0.2f, 0}, .shared_sd = 1};
    struct verified_plan plans[VERIFIED_PLANS_MAX];
    cr_assert_geq(verified_plans(&t, experts, NULL, 2, 8, plans), 1);
    cr_assert_eq(plans[0].members[0], 1);
    t.shift = shift;
    cr_assert_geq(verified_plans(&t, experts, NULL, 2, 8, plans), 1);
    cr_assert_eq(plans[0].members[0], 0);
    cr_assert_float_eq((double)plans[0].estimate.quality, 0.5, 1e-3);
}

Test(verified_plans, only_those_in_use_take_part_and_no_more_than_wanted)
{
    struct estimate experts[24];
    bool use[24];
    const struct verified_terms t = {.shared_sd = 1};
    struct verified_plan plans[VERIFIED_PLANS_MAX];
    for (size_t i = 0; i < 24; i++) {
        experts[i] = (struct estimate){.quality = 0.3f + 0.01f * (float)i, .cost_nano_usd = COST};
        use[i] = i != 23;
    }
    size_t n = verified_plans(&t, experts, use, 24, 3, plans);
    cr_assert_eq(plans[0].members[0], 22);
    for (size_t k = 0; k < n; k++)
        cr_assert_leq(plans[k].member_count, 3);
    cr_assert_eq(plans[n - 1].member_count, 3);
    n = verified_plans(&t, experts, NULL, 24, 100, plans);
    cr_assert_eq(plans[0].members[0], 23);
    cr_assert_eq(plans[n - 1].member_count, PLAN_MEMBERS_MAX);
    for (size_t i = 0; i < PLAN_MEMBERS_MAX; i++)
        cr_assert_eq(plans[n - 1].members[i], 23 - i);
    cr_assert_eq(verified_plans(&t, experts, use, 24, 0, plans), 0);
    cr_assert_eq(verified_plans(&t, experts, NULL, 0, 8, plans), 0);
    memset(use, 0, sizeof(use));
    cr_assert_eq(verified_plans(&t, experts, use, 24, 8, plans), 0);
}

Test(verified_plans, of_equals_the_first_is_asked_and_free_ones_by_quality)
{
    const struct estimate alike[] = {{.quality = 0.5f, .cost_nano_usd = 2 * COST},
                                     {.quality = 0.5f, .cost_nano_usd = 2 * COST}};
    const struct estimate free_ones[] = {{.quality = 0.2f}, {.quality = 0.6f}, {.quality = 0.4f}};
    const struct verified_terms t = {.shared_sd = 0};
    struct verified_plan plans[VERIFIED_PLANS_MAX];
    cr_assert_eq(verified_plans(&t, alike, NULL, 2, 1, plans), 1);
    cr_assert_eq(plans[0].members[0], 0);
    size_t n = verified_plans(&t, free_ones, NULL, 3, 8, plans);
    cr_assert_eq(plans[n - 1].member_count, 3);
    cr_assert_eq(plans[n - 1].estimate.cost_nano_usd, 0);
    cr_assert_float_eq((double)plans[n - 1].estimate.quality, 1 - 0.8 * 0.4 * 0.6, 1e-5);
}

Test(verified_plans, what_a_decision_leaves_out_of_a_cost_it_leaves_out_of_the_plan)
{
    struct estimate experts[] = {
        {.quality = 0.5f, .cost_nano_usd = 2 * COST, .unweighed_nano_usd = COST, .unfamiliar = 1},
        {.quality = 0.6f, .cost_nano_usd = 2 * COST, .unfamiliar = 1}};
    const struct verified_terms t = {.check = {.price_nano_usd = 100}, .shared_sd = 0};
    struct verified_plan plans[VERIFIED_PLANS_MAX];
    cr_assert_eq(verified_plans(&t, experts, NULL, 2, 8, plans), 2);
    cr_assert_eq(plans[0].members[0], 0); /* for .5 / 1 is more than .6 / 2 */
    cr_assert_eq(plans[0].estimate.cost_nano_usd, 2 * COST + 100);
    cr_assert_eq(plans[0].estimate.unweighed_nano_usd, COST);
    cr_assert_float_eq((double)plans[1].estimate.cost_nano_usd, 3.0 * COST + 150, 2);
    cr_assert_float_eq((double)plans[1].estimate.unweighed_nano_usd, COST, 2);
    cr_assert_eq(plans[1].estimate.cost_max_nano_usd, 4 * COST + 200);
    cr_assert_float_eq((double)plans[1].estimate.escalation, 0.5, 1e-5);
    cr_assert_eq((double)plans[1].estimate.unfamiliar, 1);
}

Test(verified_plans, any_numbers_give_probabilities)
{
    struct rng r;
    rng_seed(&r, 13);
    for (int round = 0; round < 20000; round++) {
        struct forged f;
        struct verified_plan plans[VERIFIED_PLANS_MAX];
        forge(&r, &f);
        size_t n = verified_plans(&f.terms, f.experts, NULL, EXPERTS, 8, plans);
        cr_assert_leq(n, VERIFIED_PLANS_MAX);
        for (size_t i = 0; i < n; i++) {
            const struct estimate *e = &plans[i].estimate;
            cr_assert(e->quality >= 0 && e->quality <= 1);
            cr_assert(e->escalation >= 0 && e->escalation <= 1);
            for (size_t k = 0; k < plans[i].member_count; k++)
                cr_assert(e->asked[k] >= 0 && e->asked[k] <= 1);
            cr_assert_geq(e->cost_max_nano_usd, e->cost_nano_usd);
            cr_assert_geq(e->cost_nano_usd, 0);
            cr_assert(plans[i].member_count >= 1 && plans[i].member_count <= EXPERTS);
        }
    }
}
