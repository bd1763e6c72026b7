/* What a set of arms is worth: see plan_value.h. Choices are made by estimates and paid by what was recorded, so a
 * plan that only looks good gains nothing. Where an outcome was not recorded the row says nothing (NAN), rather than
 * that nothing was gained. Functions over arrays of the caller's arena; they are called some hundred times in a
 * search, each over all rows and lambdas. */
#include "train/plan_value.h"

#include <math.h>

#define LAMBDA_MIN   1e-3
#define LAMBDA_MAX   1e9
#define LAMBDA_STEPS 40

static size_t best_single(const struct plan_rows *r, size_t row, double lambda, double *promised)
{
    const struct estimate *e = r->estimates + row * r->experts;
    size_t best = 0;
    for (size_t i = 0; i < r->experts; i++) {
        double utility = (double)e[i].quality - lambda * money_usd(e[i].cost_nano_usd);
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
        total += money_usd(r->estimates[row * r->experts + e].cost_nano_usd);
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

/* Lambdas, and for each what routing among singles promises and keeps: the base that plans are measured against. */
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
                    ? (float)((double)o->score - v.lambdas[l] * money_usd(o->cost_nano_usd))
                    : NAN;
            v.shares[e] += 1 / (float)(PLAN_LAMBDAS * r->rows);
        }
    }
    *ret = v;
    return OK;
}

static double promise_of(const struct estimate *e, double lambda)
{
    return (double)e->quality - lambda * money_usd(e->cost_nano_usd);
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

static struct plan_result course_at(const struct plan_rows *r, const void *course, double lambda,
                                    size_t row)
{
    const struct plan_course *c = course;
    struct plan arm = c->plan;
    arm.gain_per_usd = (float)lambda;
    return plan_course_result(r, c, &arm, row);
}

struct plan_worth plan_value_course(const struct plan_course *c)
{
    return (struct plan_worth){c->usable, course_at, c};
}

/* What a row gains at a lambda by taking the combination; false where that is not known. */
static bool row_gain(const struct plan_value *v, const struct plan_rows *r,
                     const struct plan_worth *w, size_t l, size_t row, double *ret)
{
    float kept = v->kept[l * r->rows + row];
    if (!w->usable[row] || isnan(kept))
        return false;
    struct plan_result result = w->at(r, w->course, v->lambdas[l], row);
    *ret = utility_of(&result, v->lambdas[l]) - (double)kept;
    return true;
}

/* Sums of what the even and the odd rows gain at one lambda. */
static void half_gains(const struct plan_value *v, const struct plan_rows *r,
                       const struct plan_worth *w, size_t l, double gains[2])
{
    double gain;
    gains[0] = gains[1] = 0;
    for (size_t row = 0; row < r->rows; row++)
        if (row_gain(v, r, w, l, row, &gain))
            gains[row % 2] += gain;
}

/* Two passes: which lambdas take it, by the other half of the rows; then the mean gain and its error over all. */
double plan_value_course_gain(const struct plan_value *v, const struct plan_rows *r,
                              const struct plan_worth *w, double *ret_error)
{
    bool takes[PLAN_LAMBDAS][2];
    double sum = 0, squares = 0, n = 0;
    for (size_t l = 0; l < PLAN_LAMBDAS; l++) {
        double gains[2];
        half_gains(v, r, w, l, gains);
        takes[l][0] = gains[1] > 0;
        takes[l][1] = gains[0] > 0;
    }
    for (size_t row = 0; row < r->rows; row++) {
        double mean = 0, known = 0, gain;
        for (size_t l = 0; l < PLAN_LAMBDAS; l++)
            if (row_gain(v, r, w, l, row, &gain)) {
                mean += takes[l][row % 2] ? gain : 0;
                known++;
            }
        if (known == 0)
            continue;
        sum += mean / known;
        squares += mean / known * (mean / known);
        n++;
    }
    double mean = n > 0 ? sum / n : 0;
    if (ret_error)
        *ret_error = n > 1 ? sqrt(fmax(squares / n - mean * mean, 0) / (n - 1)) : INFINITY;
    return mean;
}

void plan_value_course_add(struct plan_value *v, const struct plan_rows *r,
                           const struct plan_worth *w)
{
    for (size_t l = 0; l < PLAN_LAMBDAS; l++) {
        double gains[2], gain;
        half_gains(v, r, w, l, gains);
        if (gains[0] + gains[1] <= 0)
            continue;
        for (size_t row = 0; row < r->rows; row++)
            if (row_gain(v, r, w, l, row, &gain))
                v->kept[l * r->rows + row] += (float)gain;
    }
}
