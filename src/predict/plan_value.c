/* What a set of arms is worth: see plan_value.h. */
#include "predict/plan_value.h"

#include <math.h>

#define LAMBDA_MIN   1e-3
#define LAMBDA_MAX   1e9
#define LAMBDA_STEPS 40

static double usd(int64_t nano_usd)
{
    return (double)nano_usd / (double)NANO_PER_USD;
}

static size_t best_single(const struct plan_rows *r, size_t row, double lambda, double *promised)
{
    const struct estimate *e = r->estimates + row * r->experts;
    size_t best = 0;
    for (size_t i = 0; i < r->experts; i++) {
        double utility = (double)e[i].quality - lambda * usd(e[i].cost_nano_usd);
        if (i == 0 || utility > *promised) {
            *promised = utility;
            best = i;
        }
    }
    return best;
}

static double mean_cost(const struct plan_rows *r, double lambda)
{
    double total = 0, promised;
    for (size_t row = 0; row < r->rows; row++) {
        size_t e = best_single(r, row, lambda, &promised);
        total += usd(r->estimates[row * r->experts + e].cost_nano_usd);
    }
    return total / (double)r->rows;
}

static double lambda_for(const struct plan_rows *r, double cost)
{
    double low = LAMBDA_MIN, high = LAMBDA_MAX;
    for (int step = 0; step < LAMBDA_STEPS; step++) {
        double mid = sqrt(low * high);
        if (mean_cost(r, mid) > cost)
            low = mid;
        else
            high = mid;
    }
    return high;
}

enum status plan_value_singles(const struct plan_rows *r, struct arena *a, struct plan_value *ret,
                               struct error *err)
{
    struct plan_value v = {.rows = r->rows};
    v.promised = ARENA_ARRAY(a, r->rows * PLAN_LAMBDAS, float);
    v.kept = ARENA_ARRAY(a, r->rows * PLAN_LAMBDAS, float);
    v.shares = ARENA_ARRAY(a, r->experts, float);
    if (!v.promised || !v.kept || !v.shares)
        return error_set(err, ERR_MEMORY, "out of memory");
    double least = mean_cost(r, LAMBDA_MAX), most = mean_cost(r, 0);
    for (size_t l = 0; l < PLAN_LAMBDAS; l++) {
        double at = ((double)l + 0.5) / PLAN_LAMBDAS;
        v.lambdas[l] = lambda_for(r, least + at * (most - least));
        for (size_t row = 0; row < r->rows; row++) {
            double promised = 0;
            size_t e = best_single(r, row, v.lambdas[l], &promised);
            const struct outcome *o = dataset_outcome(r->dataset, row, r->expert[e]);
            v.promised[l * r->rows + row] = (float)promised;
            v.kept[l * r->rows + row] =
                o->known && o->cost_known
                    ? (float)((double)o->score - v.lambdas[l] * usd(o->cost_nano_usd))
                    : NAN;
            v.shares[e] += 1 / (float)(PLAN_LAMBDAS * r->rows);
        }
    }
    *ret = v;
    return OK;
}

static double promise_of(const struct estimate *e, double lambda)
{
    return (double)e->quality - lambda * usd(e->cost_nano_usd);
}

static double utility_of(const struct plan_result *result, double lambda)
{
    return (double)result->score - lambda * (double)result->cost_usd;
}

double plan_value_gain(const struct plan_value *v, const struct estimate *estimates,
                       const struct plan_result *results, const bool *usable)
{
    double gain = 0, count = 0;
    for (size_t l = 0; l < PLAN_LAMBDAS; l++)
        for (size_t row = 0; row < v->rows; row++) {
            size_t at = l * v->rows + row;
            if (!usable[row] || isnan(v->kept[at]))
                continue;
            count++;
            if (promise_of(&estimates[row], v->lambdas[l]) > (double)v->promised[at])
                gain += utility_of(&results[row], v->lambdas[l]) - (double)v->kept[at];
        }
    return count > 0 ? gain / count : 0;
}

void plan_value_add(struct plan_value *v, const struct estimate *estimates,
                    const struct plan_result *results, const bool *usable)
{
    for (size_t l = 0; l < PLAN_LAMBDAS; l++)
        for (size_t row = 0; row < v->rows; row++) {
            size_t at = l * v->rows + row;
            double promise = promise_of(&estimates[row], v->lambdas[l]);
            if (!usable[row] || promise <= (double)v->promised[at])
                continue;
            v->promised[at] = (float)promise;
            v->kept[at] = (float)utility_of(&results[row], v->lambdas[l]);
        }
}

/* Utility gained at one lambda if all usable rows take the combination. */
static double course_gain_at(const struct plan_value *v, const struct plan_rows *r,
                             const struct plan_course *c, size_t l, bool join)
{
    struct plan arm = c->plan;
    double gain = 0, count = 0;
    arm.gain_per_usd = (float)v->lambdas[l];
    for (size_t row = 0; row < r->rows; row++) {
        float *kept = &v->kept[l * r->rows + row];
        if (!c->usable[row] || isnan(*kept))
            continue;
        struct plan_result result = plan_course_result(r, c, &arm, row);
        double utility = utility_of(&result, v->lambdas[l]);
        gain += utility - (double)*kept;
        count++;
        if (join)
            *kept = (float)utility;
    }
    return count > 0 ? gain / count : 0;
}

double plan_value_course_gain(const struct plan_value *v, const struct plan_rows *r,
                              const struct plan_course *c)
{
    double gain = 0;
    for (size_t l = 0; l < PLAN_LAMBDAS; l++)
        gain += fmax(course_gain_at(v, r, c, l, false), 0) / PLAN_LAMBDAS;
    return gain;
}

void plan_value_course_add(struct plan_value *v, const struct plan_rows *r,
                           const struct plan_course *c)
{
    for (size_t l = 0; l < PLAN_LAMBDAS; l++)
        if (course_gain_at(v, r, c, l, false) > 0)
            course_gain_at(v, r, c, l, true);
}
