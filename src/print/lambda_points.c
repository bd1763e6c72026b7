/* Three lambdas out of all. Training leaves held-out estimates of a sample of its queries in the model (every row was
 * estimated by a model that had not seen it); with the outcomes recorded for these queries they make a table as `eval`
 * has it, and its curve says what each lambda is worth.
 *
 * No text is read again, so it costs next to nothing. Plans are left out: their verdicts were learnt from these very
 * queries, and would flatter them by points. One thread; nothing is kept. */
#include "print/lambda_points.h"

#include <math.h>

#include "eval/curve.h"

/* Tables */

/* The row of the sample that query `q` is, looked for from *at on, since both are in file order; SIZE_MAX: none. */
static size_t sample_row(const struct trained *t, const struct dataset *d, size_t q, size_t *at)
{
    if (*at < t->parts.sample && t->parts.sample_hashes[*at] == d->queries[q].text_hash)
        return (*at)++;
    return SIZE_MAX;
}

static struct estimate held_out(const struct trained *t, size_t row, size_t arm)
{
    size_t at = row * t->arms + arm;
    int64_t cost = (int64_t)((double)t->parts.sample_cost_usd[at] * (double)NANO_PER_USD);
    return (struct estimate){
        .quality = t->parts.sample_quality[at], .cost_nano_usd = cost, .cost_max_nano_usd = cost};
}

static bool row_is_known(const struct dataset *d, size_t q, const size_t *experts, size_t count)
{
    for (size_t e = 0; e < count; e++) {
        const struct outcome *o = dataset_outcome(d, q, experts[e]);
        if (!o->known || !o->cost_known)
            return false;
    }
    return true;
}

/* One piece: the same walk over queries and sample fills names, estimates and outcomes. */
static enum status singles_table(const struct trained *t, const struct dataset *d, struct arena *a,
                                 struct eval_table *ret, struct error *err)
{
    size_t n = t->experts, kept = 0, at = 0;
    struct str *names = ARENA_ARRAY(a, n, struct str);
    size_t *experts = ARENA_ARRAY(a, n, size_t);
    struct estimate *estimates = ARENA_ARRAY(a, t->parts.sample * n, struct estimate);
    struct outcome *outcomes = ARENA_ARRAY(a, t->parts.sample * n, struct outcome);
    if (!names || !experts || !estimates || !outcomes)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t e = 0; e < n; e++) {
        names[e] = t->parts.experts[e].name;
        experts[e] = dataset_expert_index(d, names[e]);
    }
    for (size_t q = 0; q < d->query_count; q++) {
        size_t row = sample_row(t, d, q, &at);
        if (row == SIZE_MAX || !row_is_known(d, q, experts, n))
            continue;
        for (size_t e = 0; e < n; e++) {
            estimates[kept * n + e] = held_out(t, row, e);
            outcomes[kept * n + e] = *dataset_outcome(d, q, experts[e]);
        }
        kept++;
    }
    *ret = (struct eval_table){.queries = kept,
                               .experts = n,
                               .names = names,
                               .estimates = estimates,
                               .outcomes = outcomes};
    return OK;
}

/* Places */

static double usd(double nano_usd)
{
    return nano_usd / (double)NANO_PER_USD;
}

/* The policy `lambda` itself: mean, its standard error over queries, cost. */
static void measure(const struct curve *c, double lambda, struct arena *a, struct lambda_point *p)
{
    const struct eval_table *t = c->table;
    uint32_t *choices = ARENA_ARRAY(a, t->queries, uint32_t);
    size_t steps = 0;
    double sum = 0, squares = 0, cost = 0, n = (double)t->queries;
    while (steps < c->step_count && c->steps[steps].lambda > lambda)
        steps++;
    p->there = choices != NULL;
    if (!choices)
        return;
    curve_choices(c, steps, choices);
    for (size_t q = 0; q < t->queries; q++) {
        const struct outcome *o = eval_outcome(t, q, choices[q]);
        sum += (double)o->score;
        squares += (double)o->score * (double)o->score;
        cost += usd((double)o->cost_nano_usd);
    }
    p->lambda = lambda;
    p->quality = sum / n;
    p->quality_error = sqrt(fmax(squares / n - p->quality * p->quality, 0) / n);
    p->usd_per_1k = 1000 * cost / n;
}

/* Two digits; upwards spends less, downwards buys more. */
static double rounded(double lambda, bool up)
{
    if (!(lambda > 0))
        return 0;
    double unit = pow(10, floor(log10(lambda)) - 1);
    return (up ? ceil(lambda / unit - 1e-9) : floor(lambda / unit + 1e-9)) * unit;
}

/* The policy near operating point i, whose choices hold below its lambda down to that of the next. */
static void take(const struct curve *c, const struct curve_point *points, size_t i, bool up,
                 struct arena *a, struct lambda_point *p)
{
    double next = i < c->step_count ? points[i + 1].lambda : 0;
    measure(c, rounded(isinf(points[i].lambda) ? 2 * next : next, up), a, p);
}

static size_t knee_of(const struct curve_point *points, size_t last)
{
    double width = (double)(points[last].cost_nano_usd - points[0].cost_nano_usd);
    double height = 0, best = -INFINITY;
    size_t top = 0, knee = 0;
    for (size_t i = 0; i <= last; i++)
        top = points[i].score > points[top].score ? i : top;
    height = points[top].score - points[0].score;
    for (size_t i = 0; i <= top && width > 0 && height > 0; i++) {
        double above = (points[i].score - points[0].score) / height -
                       (double)(points[i].cost_nano_usd - points[0].cost_nano_usd) / width;
        if (above > best) {
            best = above;
            knee = i;
        }
    }
    return knee;
}

/* One piece: each place is looked for on the same trace. */
static enum status find_places(const struct curve *c, struct arena *a, struct lambda_points *ret,
                               struct error *err)
{
    size_t last = c->step_count, i = 0;
    double n = (double)c->table->queries, half = ret->best_usd_per_1k / 2000 * n;
    struct curve_point *points = ARENA_ARRAY(a, last + 1, struct curve_point);
    struct curve_cut cut;
    if (!points)
        return error_set(err, ERR_MEMORY, "out of memory");
    curve_trace(c, NULL, points);
    while (i < last && points[i].score < ret->best_quality * n - 1e-6)
        i++;
    if (points[i].score >= ret->best_quality * n - 1e-6)
        take(c, points, i, false, a, &ret->at[LAMBDA_MATCHES]);
    if (last > 0)
        take(c, points, knee_of(points, last), false, a, &ret->at[LAMBDA_KNEE]);
    if (curve_cut_at(points, last + 1, half * (double)NANO_PER_USD, &cut))
        take(c, points, cut.steps, true, a, &ret->at[LAMBDA_HALF]);
    return OK;
}

static void find_best(const struct eval_table *t, struct lambda_points *ret)
{
    double n = (double)t->queries;
    ret->best_quality = -1;
    for (size_t e = 0; e < eval_single_count(t); e++) {
        double sum = 0, squares = 0, cost = 0;
        for (size_t q = 0; q < t->queries; q++) {
            const struct outcome *o = eval_outcome(t, q, e);
            sum += (double)o->score;
            squares += (double)o->score * (double)o->score;
            cost += usd((double)o->cost_nano_usd);
        }
        if (sum / n <= ret->best_quality)
            continue;
        ret->best = t->names[e];
        ret->best_quality = sum / n;
        ret->best_error = sqrt(fmax(squares / n - sum / n * (sum / n), 0) / n);
        ret->best_usd_per_1k = 1000 * cost / n;
    }
}

enum status lambda_points_of(const struct eval_table *table, struct arena *a,
                             struct lambda_points *ret, struct error *err)
{
    struct curve c;
    *ret = (struct lambda_points){.queries = table->queries};
    if (table->queries < LAMBDA_ROWS_MIN || table->experts < 2)
        return OK;
    find_best(table, ret);
    enum status status = curve_make(table, a, &c, err);
    return status == OK ? find_places(&c, a, ret, err) : status;
}

enum status lambda_points_find(const struct trained *t, const struct dataset *d, struct arena *a,
                               struct lambda_points *ret, struct error *err)
{
    struct eval_table table;
    enum status status = singles_table(t, d, a, &table, err);
    return status == OK ? lambda_points_of(&table, a, ret, err) : status;
}
