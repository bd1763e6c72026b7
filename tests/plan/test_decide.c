/* Decisions against brute force. */
#include "plan/decide.h"

#include <string.h>

#include <criterion/criterion.h>

#include "base/rng.h"

#define COUNT 6

/* Few distinct values, so that ties are common. */
static void random_estimates(struct rng *r, struct estimate *e, bool *eligible)
{
    for (size_t i = 0; i < COUNT; i++) {
        e[i] = (struct estimate){.quality = (float)rng_below(r, 5) / 4,
                                 .cost_nano_usd = (int64_t)rng_below(r, 4) * NANO_PER_USD};
        eligible[i] = rng_below(r, 4) > 0;
    }
}

static bool allowed(const struct policy *p, const struct estimate *e, const bool *eligible,
                    size_t i)
{
    return eligible[i] && (!p->max_cost_nano_usd || e[i].cost_nano_usd <= p->max_cost_nano_usd);
}

/* Whether nobody allowed beats `chosen`, in the words of the header. */
static bool is_best(const struct policy *p, double lambda, const struct estimate *e,
                    const bool *eligible, size_t chosen)
{
    bool any_good = false;
    for (size_t i = 0; i < COUNT; i++)
        any_good |= allowed(p, e, eligible, i) && (double)e[i].quality >= p->min_quality;
    for (size_t i = 0; i < COUNT; i++) {
        if (!allowed(p, e, eligible, i) || i == chosen)
            continue;
        double usd_i = (double)e[i].cost_nano_usd / 1e9;
        double usd_c = (double)e[chosen].cost_nano_usd / 1e9;
        double value_i = (double)e[i].quality - lambda * usd_i;
        double value_c = (double)e[chosen].quality - lambda * usd_c;
        if (p->min_quality > 0 && any_good) {
            if ((double)e[chosen].quality < p->min_quality)
                return false;
            if ((double)e[i].quality < p->min_quality)
                continue;
            value_i = -usd_i;
            value_c = -usd_c;
            usd_i = -(double)e[i].quality; /* of equally cheap ones the better */
            usd_c = -(double)e[chosen].quality;
        } else if (p->min_quality > 0) {
            value_i = (double)e[i].quality;
            value_c = (double)e[chosen].quality;
        }
        if (value_i > value_c || (value_i == value_c && usd_i < usd_c) ||
            (value_i == value_c && usd_i == usd_c && i < chosen))
            return false;
    }
    return true;
}

static struct policy random_policy(struct rng *r)
{
    struct policy p = {0};
    if (rng_below(r, 2))
        p.min_quality = (double)rng_below(r, 5) / 4;
    if (rng_below(r, 2))
        p.max_cost_nano_usd = (int64_t)(1 + rng_below(r, 3)) * NANO_PER_USD;
    return p;
}

Test(decide, agrees_with_brute_force)
{
    struct rng r;
    rng_seed(&r, 1);
    size_t seen[3] = {0};
    for (int round = 0; round < 50000; round++) {
        struct estimate e[COUNT];
        bool eligible[COUNT];
        random_estimates(&r, e, eligible);
        struct policy p = random_policy(&r);
        double lambda = (double)rng_below(&r, 4) / 4;
        bool any = false, any_eligible = false;
        for (size_t i = 0; i < COUNT; i++) {
            any |= allowed(&p, e, eligible, i);
            any_eligible |= eligible[i];
        }
        struct decision d = {.arm = 99};
        enum status st = decide(&p, lambda, e, eligible, COUNT, &d, NULL);
        cr_assert_eq(st, any ? OK : any_eligible ? ERR_BUDGET : ERR_NOT_FOUND);
        seen[st == OK ? 0 : st == ERR_BUDGET ? 1 : 2]++;
        if (st != OK) {
            cr_assert_eq(d.arm, 99, "outputs stay untouched on failure");
            continue;
        }
        cr_assert(is_best(&p, lambda, e, eligible, d.arm), "round %d chose %zu", round, d.arm);
        cr_assert_eq(d.cost_nano_usd, e[d.arm].cost_nano_usd);
        cr_assert_eq(d.quality, (double)e[d.arm].quality);
        cr_assert_eq(d.lambda, lambda);
    }
    cr_assert(seen[0] > 1000 && seen[1] > 100 && seen[2] > 1, "every outcome was met");
}

/* The fallbacks are what decide() would choose if everybody before them were gone. */
Test(decide, fallbacks_are_repeated_decisions)
{
    struct rng r;
    rng_seed(&r, 2);
    for (int round = 0; round < 5000; round++) {
        struct estimate e[COUNT];
        bool eligible[COUNT];
        random_estimates(&r, e, eligible);
        struct policy p = random_policy(&r);
        struct decision d;
        size_t order[COUNT];
        if (decide(&p, 0.5, e, eligible, COUNT, &d, NULL) != OK)
            continue;
        size_t count = decide_fallbacks(&p, 0.5, e, eligible, COUNT, d.arm, order);
        eligible[d.arm] = false;
        for (size_t i = 0; i < count; i++) {
            cr_assert_eq(decide(&p, 0.5, e, eligible, COUNT, &d, NULL), OK);
            cr_assert_eq(d.arm, order[i]);
            eligible[d.arm] = false;
        }
        cr_assert_neq(decide(&p, 0.5, e, eligible, COUNT, &d, NULL), OK);
    }
}

Test(decide, without_eligibility_everybody_may_serve)
{
    struct estimate e[2] = {{.quality = 0.5f, .cost_nano_usd = 10},
                            {.quality = 0.6f, .cost_nano_usd = 20}};
    struct policy p = {0};
    struct decision d;
    cr_assert_eq(decide(&p, 0, e, NULL, 2, &d, NULL), OK);
    cr_assert_eq(d.arm, 1);
}

Test(decide, says_why_nobody_is_left)
{
    struct estimate e[1] = {{.quality = 0.5f, .cost_nano_usd = 10}};
    struct policy p = {.max_cost_nano_usd = 9};
    struct decision d;
    struct error err;
    cr_assert_eq(decide(&p, 0, e, NULL, 1, &d, &err), ERR_BUDGET);
    cr_assert_not_null(strstr(err.text, "max_cost"));
    cr_assert_eq(decide(&p, 0, e, NULL, 0, &d, &err), ERR_NOT_FOUND);
}

/* Neither the choice nor anybody it may fall back to is predicted over the cap, all calls of a plan made. */
Test(decide, max_cost_is_never_exceeded_by_a_prediction)
{
    struct rng r;
    rng_seed(&r, 12);
    size_t plans = 0, refused = 0;
    for (int round = 0; round < 20000; round++) {
        struct estimate e[COUNT] = {0};
        size_t order[COUNT];
        for (size_t i = 0; i < COUNT; i++) {
            e[i].quality = (float)rng_uniform(&r);
            e[i].cost_nano_usd = e[i].cost_max_nano_usd = 1 + (int64_t)rng_below(&r, 1000000);
        }
        struct plan panel = {.kind = PLAN_PANEL,
                             .member_count = 3,
                             .members = {0, 1, 2},
                             .next_cost_ratio = (float)(0.5 + 2 * rng_uniform(&r))};
        const struct estimate *members[PLAN_MEMBERS_MAX] = {&e[0], &e[1], &e[2]};
        e[3].escalation = (float)rng_uniform(&r);
        plan_price(&panel, members, &e[3]);
        struct policy p = {.max_cost_nano_usd = 1 + (int64_t)rng_below(&r, 1500000),
                           .min_quality = rng_below(&r, 2) ? rng_uniform(&r) : 0};
        double lambda = rng_uniform(&r) * 3000;
        struct decision d;
        enum status st = decide(&p, lambda, e, NULL, COUNT, &d, NULL);
        if (st != OK) {
            cr_assert_eq(st, ERR_BUDGET);
            refused++;
            continue;
        }
        plans += d.arm == 3;
        cr_assert_leq(e[d.arm].cost_nano_usd, p.max_cost_nano_usd);
        cr_assert_leq(e[d.arm].cost_max_nano_usd, p.max_cost_nano_usd);
        size_t n = decide_fallbacks(&p, lambda, e, NULL, COUNT, d.arm, order);
        for (size_t i = 0; i < n; i++)
            cr_assert_leq(e[order[i]].cost_max_nano_usd, p.max_cost_nano_usd);
        if (d.arm == 3) /* asking everybody is within the cap, too */
            cr_assert_leq(e[0].cost_nano_usd + e[1].cost_nano_usd, p.max_cost_nano_usd);
    }
    cr_assert(plans > 100 && refused > 100, "%zu plans, %zu refused", plans, refused);
}

/* By money the second is worth it only at the true cost; the cap still looks at what it really costs. */
Test(decide, what_is_weighed_decides_and_what_it_costs_is_capped)
{
    const struct estimate e[] = {
        {.quality = 0.5f, .cost_nano_usd = NANO_PER_USD, .cost_max_nano_usd = NANO_PER_USD},
        {.quality = 0.9f,
         .cost_nano_usd = 9 * NANO_PER_USD,
         .cost_max_nano_usd = 9 * (int64_t)NANO_PER_USD,
         .unweighed_nano_usd = 7 * (int64_t)NANO_PER_USD},
    };
    struct policy p = {0};
    struct decision d;
    cr_assert_eq(decide(&p, 0.2, e, NULL, 2, &d, NULL), OK);
    cr_assert_eq(d.arm, 1);
    cr_assert_eq(d.cost_nano_usd, 9 * (int64_t)NANO_PER_USD);
    p.max_cost_nano_usd = 8 * (int64_t)NANO_PER_USD;
    cr_assert_eq(decide(&p, 0.2, e, NULL, 2, &d, NULL), OK);
    cr_assert_eq(d.arm, 0);
}
