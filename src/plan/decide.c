/* One preference order decides: the chosen expert is its first, the fallbacks are the rest of it. */
#include "plan/decide.h"

#include "base/check.h"

static double utility(double lambda, const struct estimate *e)
{
    double usd = (double)estimate_weighed_nano_usd(e) / (double)NANO_PER_USD;
    return (double)e->quality - lambda * usd;
}

/* Whether a is preferred to b by its value, or where those are equal by its price. */
static bool above(double value_a, double value_b, const struct estimate *a,
                  const struct estimate *b)
{
    if (value_a != value_b)
        return value_a > value_b;
    return a->cost_nano_usd < b->cost_nano_usd;
}

/* Whether `a` goes strictly before `b`. */
static bool preferred(const struct policy *p, double lambda, const struct estimate *a,
                      const struct estimate *b)
{
    if (p->min_quality <= 0)
        return above(utility(lambda, a), utility(lambda, b), a, b);
    bool a_good = (double)a->quality >= p->min_quality;
    bool b_good = (double)b->quality >= p->min_quality;
    if (a_good != b_good)
        return a_good;
    if (a_good && a->cost_nano_usd != b->cost_nano_usd)
        return a->cost_nano_usd < b->cost_nano_usd;
    return above((double)a->quality, (double)b->quality, a, b);
}

static bool affordable(const struct policy *p, const struct estimate *e)
{
    return p->max_cost_nano_usd <= 0 || (e->cost_nano_usd <= p->max_cost_nano_usd &&
                                         e->cost_max_nano_usd <= p->max_cost_nano_usd);
}

enum status decide(const struct policy *p, double lambda, const struct estimate *estimates,
                   const bool *eligible, size_t count, struct decision *ret, struct error *err)
{
    CHECK(p);
    CHECK(lambda >= 0);
    size_t best = SIZE_MAX, candidates = 0;
    for (size_t i = 0; i < count; i++) {
        if (eligible && !eligible[i])
            continue;
        candidates++;
        if (!affordable(p, &estimates[i]))
            continue;
        if (best == SIZE_MAX || preferred(p, lambda, &estimates[i], &estimates[best]))
            best = i;
    }
    if (candidates == 0)
        return error_set(err, ERR_NOT_FOUND, "no expert can serve this request");
    if (best == SIZE_MAX)
        return error_set(err, ERR_BUDGET,
                         "every expert is predicted to cost more than max_cost allows");
    *ret = (struct decision){.arm = best,
                             .quality = (double)estimates[best].quality,
                             .cost_nano_usd = estimates[best].cost_nano_usd,
                             .lambda = lambda};
    return OK;
}

size_t decide_fallbacks(const struct policy *p, double lambda, const struct estimate *estimates,
                        const bool *eligible, size_t count, size_t first, size_t *order)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == first || (eligible && !eligible[i]) || !affordable(p, &estimates[i]))
            continue;
        size_t at = n++;
        for (; at > 0 && preferred(p, lambda, &estimates[i], &estimates[order[at - 1]]); at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    return n;
}
