/* The figures with standard errors: measured once on all queries, then once for each bootstrap draw by the same
 * function.
 *
 * Belongs to one command's thread, and is where an evaluation spends its time: a draw allocates nothing and sorts
 * nothing. The draws depend on the seed alone, so two reports with one seed can be compared draw by draw. */
#include "eval/report_measure.h"

#include <math.h>

#include "base/check.h"
#include "eval/bootstrap.h"

#define MEASURE_FRACTIONS (REPORT_FRACTIONS_MAX + REPORT_CLAIMS)
/* From a most expensive point of this many times the cheapest on, places are spread by factors. */
#define PATH_LOG_RATIO 8

const double report_fractions[REPORT_FRACTIONS] = {0.35, 0.5, 2.0 / 3.0, 0.75, 1.0};
const double report_keeps[REPORT_KEEPS] = {0.95, 0.98, 0.99, 1.0};
#define PATH_ROUNDING 1e-12 /* the cheapest point is within the first cost */

static const double claim_fractions[REPORT_CLAIMS] = {2.0 / 3.0, 1.0, 0.5, 0.75};

/* Everything that a draw measures again. */
struct measurer {
    const struct eval_table *table;
    struct curve_start *reference; /* [queries] */
    struct curve curve;
    struct curve_point *points; /* [step_count + 1] */
    bool is_pair;
    struct pair pair;
    double fractions[MEASURE_FRACTIONS];
    size_t fraction_count;
    double path[REPORT_PATH_POINTS]; /* nano-USD per query */
};

struct measured {
    double accuracy[MEASURE_FRACTIONS], relative[MEASURE_FRACTIONS], difference[MEASURE_FRACTIONS];
    double path[REPORT_PATH_POINTS];
    double keeps[REPORT_KEEPS]; /* the last: matched */
    struct pair_figures pair;
};

/* One spread per double of struct measured. */
#define MEASURED_FIGURES (sizeof(struct measured) / sizeof(double))

static double fraction_reaching(const struct measurer *m, double score, double reference_cost)
{
    double cost = curve_cost_reaching(m->points, m->curve.step_count + 1, score);
    return reference_cost > 0 ? cost / reference_cost : NAN;
}

/* All figures of one draw; weights NULL: of the queries as they are. One function for both, so that a figure and its
 * error can never be computed in two ways. */
static void measure(struct measurer *m, const uint32_t *weights, struct measured *out)
{
    const struct eval_table *t = m->table;
    size_t count = m->curve.step_count + 1;
    double n = (double)t->queries, score = 0, nano_usd = 0, costs[REPORT_PATH_POINTS];
    for (size_t q = 0; q < t->queries; q++) {
        double times = weights ? weights[q] : 1;
        score += times * (double)m->reference[q].score;
        nano_usd += times * (double)m->reference[q].cost_nano_usd;
    }
    curve_trace(&m->curve, weights, m->points);
    for (size_t i = 0; i < MEASURE_FRACTIONS; i++) {
        double got = i < m->fraction_count
                         ? curve_score_at(m->points, count, m->fractions[i] * nano_usd)
                         : NAN;
        out->accuracy[i] = got / n;
        out->relative[i] = score > 0 ? got / score : NAN;
        out->difference[i] = (got - score) / n;
    }
    for (size_t i = 0; i < REPORT_PATH_POINTS; i++)
        costs[i] = m->path[i] * n;
    curve_scores_at(m->points, count, costs, REPORT_PATH_POINTS, out->path);
    for (size_t i = 0; i < REPORT_PATH_POINTS; i++)
        out->path[i] /= n;
    for (size_t i = 0; i < REPORT_KEEPS; i++)
        out->keeps[i] = fraction_reaching(m, report_keeps[i] * score, nano_usd);
    out->pair = m->is_pair ? pair_measure(&m->pair, weights) : (struct pair_figures){NAN, NAN, NAN};
}

static void draw_all(struct measurer *m, const struct report_options *o, uint32_t *weights,
                     struct report *r, struct spread spreads[MEASURED_FIGURES])
{
    union {
        struct measured measured;
        double figures[MEASURED_FIGURES];
    } u;
    struct rng rng;
    rng_seed(&rng, o->seed);
    for (size_t d = 0; d < o->draws; d++) {
        bootstrap_draw(&rng, weights, m->table->queries);
        measure(m, weights, &u.measured);
        for (size_t i = 0; i < MEASURED_FIGURES; i++)
            spread_add(&spreads[i], u.figures[i]);
        for (size_t i = 0; i < r->at_count; i++)
            r->draw_accuracy[d * r->at_count + i] = u.measured.accuracy[i];
        if (o->progress)
            o->progress(d + 1, o->arg);
    }
}

/* From what was measured to the report */

static double usd_per_1k(const struct report *r, double nano_usd)
{
    return nano_usd / (double)NANO_PER_USD * 1000 / (double)r->queries;
}

/* Figure i of those measured at fractions. */
static void at_set(const struct measurer *m, const struct measured *all,
                   const struct measured *errors, size_t i, struct report *r, struct report_at *at)
{
    at->fraction = m->fractions[i];
    at->usd_per_1k = at->fraction * r->experts[r->reference].usd_per_1k;
    at->accuracy = (struct figure){all->accuracy[i], errors->accuracy[i]};
    at->relative = (struct figure){all->relative[i], errors->relative[i]};
    at->difference = (struct figure){all->difference[i], errors->difference[i]};
    double nano_usd = 0;
    for (size_t q = 0; q < r->queries; q++)
        nano_usd += (double)m->reference[q].cost_nano_usd;
    bool found = curve_cut_at(m->points, r->steps + 1, at->fraction * nano_usd, &at->cut);
    at->spent_usd_per_1k =
        found ? usd_per_1k(r, curve_cut_cost_nano_usd(m->points, &at->cut)) : NAN;
}

static void path_set(const struct measurer *m, const struct measured *all,
                     const struct measured *errors, struct report *r)
{
    for (size_t i = 0; i < REPORT_PATH_POINTS; i++) {
        double cost = m->path[i] * (double)r->queries;
        CHECK(curve_cut_at(m->points, r->steps + 1, cost, &r->path[i].cut));
        r->path[i].usd_per_1k = usd_per_1k(r, cost);
        r->path[i].accuracy = (struct figure){all->path[i], errors->path[i]};
    }
}

static void keeps_set(const struct measurer *m, const struct measured *all,
                      const struct measured *errors, struct report *r)
{
    const struct report_expert *reference = &r->experts[r->reference];
    for (size_t i = 0; i < REPORT_KEEPS; i++) {
        struct report_keep *k = &r->keeps[i];
        k->share = report_keeps[i];
        k->fraction = (struct figure){all->keeps[i], errors->keeps[i]};
        double score = k->share * reference->accuracy.value * (double)r->queries;
        double cost = curve_cost_reaching(m->points, r->steps + 1, score);
        struct curve_cut cut = {0};
        k->usd_per_1k = usd_per_1k(r, cost);
        k->accuracy = k->lambda = NAN;
        if (!isnan(cost) && curve_cut_at(m->points, r->steps + 1, cost, &cut)) {
            k->accuracy = curve_cut_score(m->points, &cut) / (double)r->queries;
            k->lambda = cut.lambda;
        }
    }
}

static void figures_set(const struct measurer *m, const struct measured *all,
                        const struct measured *errors, struct report *r)
{
    for (size_t i = 0; i < r->at_count; i++)
        at_set(m, all, errors, i, r, &r->at[i]);
    for (size_t i = 0; i < REPORT_CLAIMS; i++)
        at_set(m, all, errors, r->at_count + i, r, &r->claims[i]);
    path_set(m, all, errors, r);
    keeps_set(m, all, errors, r);
    r->matched = r->keeps[REPORT_KEEPS - 1].fraction;
    r->apgr = (struct figure){all->pair.apgr, errors->pair.apgr};
    r->cpt50 = (struct figure){all->pair.cpt50, errors->pair.cpt50};
    r->cpt80 = (struct figure){all->pair.cpt80, errors->pair.cpt80};
}

/* Preparation */

/* The one other column of a pool of two that holds the reference; SIZE_MAX otherwise. */
static size_t pair_partner(const struct eval_table *t)
{
    size_t other = SIZE_MAX, pool = 0;
    for (size_t e = 0; e < t->experts; e++) {
        pool += eval_in_pool(t, e);
        if (eval_in_pool(t, e) && e != t->reference)
            other = e;
    }
    return pool == 2 && eval_in_pool(t, t->reference) ? other : SIZE_MAX;
}

/* Places from the cheapest point to the most expensive, spread by factors where these are far apart. */
static void path_spread(struct measurer *m, double queries)
{
    double low = (double)m->points[0].cost_nano_usd, high = low;
    for (size_t i = 0; i <= m->curve.step_count; i++)
        high = fmax(high, (double)m->points[i].cost_nano_usd);
    bool factors = low > 0 && high > PATH_LOG_RATIO * low;
    for (size_t i = 0; i < REPORT_PATH_POINTS; i++) {
        double at = (double)i / (REPORT_PATH_POINTS - 1);
        double cost = factors ? low * pow(high / low, at) : low + at * (high - low);
        m->path[i] = fmax(cost, low) * (1 + PATH_ROUNDING) / queries;
    }
}

static enum status measurer_make(const struct eval_table *t, const struct report *r,
                                 struct arena *a, struct measurer *ret, struct error *err)
{
    ret->table = t;
    enum status status = curve_make(t, a, &ret->curve, err);
    if (status != OK)
        return status;
    ret->points = ARENA_ARRAY(a, ret->curve.step_count + 1, struct curve_point);
    ret->reference = ARENA_ARRAY(a, t->queries, struct curve_start);
    if (!ret->points || !ret->reference)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t q = 0; q < t->queries; q++) {
        const struct outcome *o = eval_outcome(t, q, t->reference);
        ret->reference[q] = (struct curve_start){o->cost_nano_usd, o->score};
    }
    for (size_t i = 0; i < r->at_count; i++)
        ret->fractions[i] = r->at[i].fraction;
    for (size_t i = 0; i < REPORT_CLAIMS; i++)
        ret->fractions[r->at_count + i] = claim_fractions[i];
    ret->fraction_count = r->at_count + REPORT_CLAIMS;
    curve_trace(&ret->curve, NULL, ret->points);
    path_spread(ret, (double)t->queries);
    size_t weak = pair_partner(t);
    ret->is_pair = weak != SIZE_MAX;
    return ret->is_pair ? pair_make(t, weak, t->reference, a, &ret->pair, err) : OK;
}

static void measure_with_errors(struct measurer *m, const struct report_options *o,
                                uint32_t *weights, struct report *r)
{
    union {
        struct measured measured;
        double figures[MEASURED_FIGURES];
    } errors;
    struct spread spreads[MEASURED_FIGURES] = {0};
    struct measured all;
    draw_all(m, o, weights, r, spreads);
    for (size_t i = 0; i < MEASURED_FIGURES; i++)
        errors.figures[i] = spread_error(&spreads[i]);
    const struct spread *matched =
        &spreads[offsetof(struct measured, keeps) / sizeof(double) + REPORT_KEEPS - 1];
    r->matched_share = o->draws ? (double)matched->count / (double)o->draws : NAN;
    measure(m, NULL, &all); /* last: the points of all queries stay for the curve */
    figures_set(m, &all, &errors.measured, r);
}

enum status report_measure(const struct eval_table *t, const struct report_options *options,
                           struct arena *a, struct report *r, struct error *err)
{
    CHECK(r->at_count <= REPORT_FRACTIONS_MAX);
    struct measurer m = {0};
    enum status status = measurer_make(t, r, a, &m, err);
    if (status != OK)
        return status;
    uint32_t *weights = ARENA_ARRAY(a, t->queries, uint32_t);
    size_t drawn = options->draws * r->at_count;
    r->draw_accuracy = ARENA_ARRAY(a, drawn, double);
    if (!weights || (drawn > 0 && !r->draw_accuracy))
        return error_set(err, ERR_MEMORY, "out of memory");
    r->sweep = m.curve;
    r->points = m.points;
    r->steps = m.curve.step_count;
    r->is_pair = m.is_pair;
    r->weak = pair_partner(t);
    measure_with_errors(&m, options, weights, r);
    return OK;
}

struct figure report_difference(const struct report *a, const struct report *b, size_t i)
{
    CHECK(a->at_count == b->at_count && a->draws == b->draws && a->seed == b->seed);
    struct spread s = {0};
    for (size_t d = 0; d < a->draws; d++)
        spread_add(&s,
                   b->draw_accuracy[d * b->at_count + i] - a->draw_accuracy[d * a->at_count + i]);
    return (struct figure){b->at[i].accuracy.value - a->at[i].accuracy.value, spread_error(&s)};
}
