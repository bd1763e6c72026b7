/* The model of predict/verified.h computed another way: on a fine grid over u, in doubles. */
#pragma once

#include <float.h>
#include <math.h>

#include <criterion/criterion.h>

#include "base/rng.h"
#include "predict/verified.h"

#define GRID    1201
#define EXPERTS 5
#define COST    1000000
#define NEAR    1e-3 /* eleven nodes against the grid */

static inline double grid_u(size_t k)
{
    return -7 + 14.0 * (double)k / (GRID - 1);
}

static inline double grid_weight(size_t k)
{
    double u = grid_u(k);
    return exp(-u * u / 2) / sqrt(2 * acos(-1)) * 14 / (GRID - 1);
}

static inline double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static inline double mean_right(double a, double s)
{
    double sum = 0;
    for (size_t k = 0; k < GRID; k++)
        sum += grid_weight(k) * sigmoid(a + s * grid_u(k));
    return sum;
}

/* a of an expert whose mean over u is `quality`, by halving. */
static inline double place(double quality, double s)
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

static inline struct world world_drawn(struct rng *r, size_t count, double s, float pass,
                                       float alarm)
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

static inline double price_of(const struct world *w, size_t i)
{
    return (double)(w->experts[i].cost_nano_usd + w->terms.check.price_nano_usd);
}

/* P(the first `n` of order[] are all rejected, and member `right` of the order is right; SIZE_MAX: whoever is) */
static inline double all_rejected(const struct world *w, const size_t *order, size_t n,
                                  size_t right)
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
static inline double passes_right(const struct world *w, const size_t *order, size_t i)
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
static inline double quality_of(const struct world *w, const size_t *order, size_t n)
{
    double passed = 0, stands = 0;
    for (size_t i = 0; i < n; i++) {
        passed += passes_right(w, order, i);
        stands = fmax(stands, all_rejected(w, order, n, i));
    }
    return passed + stands;
}

static const float errors[][2] = {{0, 0}, {0.1f, 0}, {0, 0.2f}, {0.05f, 0.1f}, {0.3f, 0.4f}};
#define ERRORS (sizeof(errors) / sizeof(errors[0]))

/* Numbers that nobody means. */
struct forged {
    struct estimate experts[EXPERTS];
    float shift[EXPERTS];
    struct verified_terms terms;
};

static inline void forge(struct rng *r, struct forged *f)
{
    static const float odd[] = {NAN, INFINITY, -INFINITY, 0, 1, -1, 2, 0.5f, FLT_MAX, 1e-30f};
    static const int64_t costs[] = {0, 1, -5, INT64_MAX, INT64_MIN + 1, 1000000};
    const size_t odds = sizeof(odd) / sizeof(odd[0]), prices = sizeof(costs) / sizeof(costs[0]);
    f->terms = (struct verified_terms){
        .check = {odd[rng_below(r, odds)], odd[rng_below(r, odds)], costs[rng_below(r, prices)]},
        .shared_sd = odd[rng_below(r, odds)],
        .shift = rng_below(r, 2) ? f->shift : NULL};
    for (size_t i = 0; i < EXPERTS; i++) {
        f->experts[i] = (struct estimate){.quality = odd[rng_below(r, odds)],
                                          .cost_nano_usd = costs[rng_below(r, prices)]};
        f->shift[i] = odd[rng_below(r, odds)];
    }
}

static inline bool is_among(const size_t *order, size_t n, size_t expert)
{
    for (size_t i = 0; i < n; i++)
        if (order[i] == expert)
            return true;
    return false;
}
