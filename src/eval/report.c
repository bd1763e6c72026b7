/* Puts the figures together: once on all queries, then once per bootstrap draw for their standard errors. */
#include "eval/report.h"

#include <math.h>

#include "base/check.h"
#include "eval/baseline.h"
#include "eval/bootstrap.h"

const double report_fractions[REPORT_FRACTIONS] = {0.5, 2.0 / 3.0, 0.75, 1.0};

/* Everything that a draw measures again. */
struct measurer {
    const struct eval_table *table;
    struct curve_start *reference; /* [queries] */
    struct curve curve;
    struct curve_point *points; /* [step_count + 1] */
    bool is_pair;
    struct pair pair;
};

struct measured {
    double accuracy[REPORT_FRACTIONS], relative[REPORT_FRACTIONS], difference[REPORT_FRACTIONS];
    double matched;
    struct pair_figures pair;
};

static void measure(struct measurer *m, const uint32_t *weights, struct measured *out)
{
    const struct eval_table *t = m->table;
    size_t count = m->curve.step_count + 1;
    double n = (double)t->queries, score = 0, nano_usd = 0;
    for (size_t q = 0; q < t->queries; q++) {
        double times = weights ? weights[q] : 1;
        score += times * (double)m->reference[q].score;
        nano_usd += times * (double)m->reference[q].cost_nano_usd;
    }
    curve_trace(&m->curve, weights, m->points);
    for (size_t i = 0; i < REPORT_FRACTIONS; i++) {
        double got = curve_score_at(m->points, count, report_fractions[i] * nano_usd);
        out->accuracy[i] = got / n;
        out->relative[i] = score > 0 ? got / score : NAN;
        out->difference[i] = (got - score) / n;
    }
    double reaching = curve_cost_reaching(m->points, count, score);
    out->matched = nano_usd > 0 ? reaching / nano_usd : NAN;
    out->pair = m->is_pair ? pair_measure(&m->pair, weights) : (struct pair_figures){NAN, NAN, NAN};
}

/* One spread per double of struct measured. */
#define MEASURED_FIGURES (sizeof(struct measured) / sizeof(double))

static void draw_all(struct measurer *m, const struct report_options *o, uint32_t *weights,
                     struct spread spreads[MEASURED_FIGURES])
{
    union {
        struct measured measured;
        double figures[MEASURED_FIGURES];
    } u;
    struct rng r;
    rng_seed(&r, o->seed);
    for (size_t d = 0; d < o->draws; d++) {
        bootstrap_draw(&r, weights, m->table->queries);
        measure(m, weights, &u.measured);
        for (size_t i = 0; i < MEASURED_FIGURES; i++)
            spread_add(&spreads[i], u.figures[i]);
        if (o->progress)
            o->progress(d + 1, o->arg);
    }
}

static void figures_set(const struct measured *all, const struct measured *errors, struct report *r)
{
    double reference_cost = r->experts[r->reference].usd_per_1k;
    for (size_t i = 0; i < REPORT_FRACTIONS; i++) {
        struct report_at *at = &r->at[i];
        at->fraction = report_fractions[i];
        at->usd_per_1k = report_fractions[i] * reference_cost;
        at->accuracy = (struct figure){all->accuracy[i], errors->accuracy[i]};
        at->relative = (struct figure){all->relative[i], errors->relative[i]};
        at->difference = (struct figure){all->difference[i], errors->difference[i]};
    }
    r->matched = (struct figure){all->matched, errors->matched};
    r->apgr = (struct figure){all->pair.apgr, errors->pair.apgr};
    r->cpt50 = (struct figure){all->pair.cpt50, errors->pair.cpt50};
    r->cpt80 = (struct figure){all->pair.cpt80, errors->pair.cpt80};
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
    draw_all(m, o, weights, spreads);
    for (size_t i = 0; i < MEASURED_FIGURES; i++)
        errors.figures[i] = spread_error(&spreads[i]);
    const struct spread *matched = &spreads[offsetof(struct measured, matched) / sizeof(double)];
    r->matched_share = o->draws ? (double)matched->count / (double)o->draws : NAN;
    measure(m, NULL, &all); /* last: the points of all queries stay for the curve */
    figures_set(&all, &errors.measured, r);
}

/* ---- experts, baselines, curve */

static enum status expert_fill(const struct eval_table *t, size_t e, float *columns,
                               struct arena *a, struct report_expert *out, struct error *err)
{
    struct report_baseline single = baseline_single(t, e);
    *out = (struct report_expert){.name = t->names[e],
                                  .in_pool = eval_in_pool(t, e),
                                  .accuracy = single.accuracy,
                                  .usd_per_1k = single.usd_per_1k,
                                  .auc = NAN,
                                  .ece = NAN};
    if (!out->in_pool)
        return OK;
    float *predicted = columns, *score = columns + t->queries;
    for (size_t q = 0; q < t->queries; q++) {
        predicted[q] = eval_estimate(t, q, e)->quality;
        score[q] = eval_outcome(t, q, e)->score;
    }
    out->ece = metrics_ece(predicted, score, t->queries);
    return metrics_auc(predicted, score, t->queries, a, &out->auc, err);
}

static enum status experts_fill(const struct eval_table *t, struct arena *a, struct report *r,
                                struct error *err)
{
    float *columns = ARENA_ARRAY(a, 2 * t->queries, float);
    r->experts = ARENA_ARRAY(a, t->experts, struct report_expert);
    if (!columns || !r->experts)
        return error_set(err, ERR_MEMORY, "out of memory");
    r->expert_count = t->experts;
    for (size_t e = 0; e < t->experts; e++) {
        enum status st = expert_fill(t, e, columns, a, &r->experts[e], err);
        if (st != OK)
            return st;
    }
    r->best_single = baseline_best_single(t);
    r->random_mix = baseline_random(t);
    r->oracle = baseline_oracle(t);
    return OK;
}

/* Keeps at most REPORT_CURVE_POINTS of the sweep: both ends, and whatever first passes each equal share of the cost
 * between them. */
static void curve_thin(const struct measurer *m, struct report *r)
{
    const struct curve_point *points = m->points;
    size_t last = m->curve.step_count;
    double queries = (double)r->queries;
    double low = (double)points[0].cost_nano_usd, high = (double)points[last].cost_nano_usd;
    double stride = (high - low) / (REPORT_CURVE_POINTS - 1);
    for (size_t i = 0; i <= last; i++) {
        double next = low + stride * (double)r->curve_count;
        if (i != 0 && i != last && (double)points[i].cost_nano_usd < next)
            continue;
        if (r->curve_count == REPORT_CURVE_POINTS - 1 && i != last)
            continue;
        r->curve[r->curve_count++] = (struct report_curve_point){
            points[i].lambda, (double)points[i].cost_nano_usd / NANO_PER_USD * 1000 / queries,
            points[i].score / queries};
    }
}

/* The one other expert of a pool of two that holds the reference; SIZE_MAX otherwise. */
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

static enum status measurer_make(const struct eval_table *t, struct arena *a, struct measurer *ret,
                                 struct error *err)
{
    ret->table = t;
    enum status st = curve_make(t, a, &ret->curve, err);
    if (st != OK)
        return st;
    ret->points = ARENA_ARRAY(a, ret->curve.step_count + 1, struct curve_point);
    ret->reference = ARENA_ARRAY(a, t->queries, struct curve_start);
    if (!ret->points || !ret->reference)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t q = 0; q < t->queries; q++) {
        const struct outcome *o = eval_outcome(t, q, t->reference);
        ret->reference[q] = (struct curve_start){o->cost_nano_usd, o->score};
    }
    size_t weak = pair_partner(t);
    ret->is_pair = weak != SIZE_MAX;
    return ret->is_pair ? pair_make(t, weak, t->reference, a, &ret->pair, err) : OK;
}

enum status report_make(const struct eval_table *t, const struct report_options *options,
                        struct arena *a, struct report *ret, struct error *err)
{
    CHECK(t->reference < t->experts);
    if (t->queries == 0)
        return error_set(
            err, ERR_INPUT,
            "no query has both score and cost of every compared expert; compare fewer");
    struct report r = {.queries = t->queries,
                       .reference = t->reference,
                       .draws = options->draws,
                       .seed = options->seed};
    struct measurer m = {0};
    enum status st = measurer_make(t, a, &m, err);
    if (st == OK)
        st = experts_fill(t, a, &r, err);
    if (st != OK)
        return st;
    uint32_t *weights = ARENA_ARRAY(a, t->queries, uint32_t);
    r.curve = ARENA_ARRAY(a, REPORT_CURVE_POINTS, struct report_curve_point);
    if (!weights || !r.curve)
        return error_set(err, ERR_MEMORY, "out of memory");
    r.is_pair = m.is_pair;
    r.weak = pair_partner(t);
    r.steps = m.curve.step_count;
    measure_with_errors(&m, options, weights, &r);
    for (size_t i = 0; i < REPORT_FRACTIONS; i++)
        r.at[i].mix = baseline_mix_at(t, r.experts, r.at[i].usd_per_1k);
    curve_thin(&m, &r);
    *ret = r;
    return OK;
}
