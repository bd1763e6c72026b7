/* Puts the figures together: every column alone, baselines, the curve and which experts answer along it.
 *
 * Belongs to one command's thread. Everything that it makes lives in the caller's arena and points into the table,
 * which must outlive the report; a report is never changed after report_make. */
#include "eval/report.h"

#include <math.h>

#include "base/check.h"
#include "eval/baseline.h"
#include "eval/report_measure.h"

/* Share of the queries on which a plan asks its last member. */
static double escalation(const struct eval_table *t, size_t column)
{
    if (!eval_is_plan(t, column))
        return 0;
    double count = 0;
    for (size_t q = 0; q < t->queries; q++)
        count += eval_plan_run(t, q, column)->calls >> (eval_plan_size(t, q, column) - 1) & 1;
    return count / (double)t->queries;
}

static enum status expert_fill(const struct eval_table *t, size_t e, float *columns,
                               struct arena *a, struct report_expert *out, struct error *err)
{
    struct report_baseline single = baseline_single(t, e);
    *out = (struct report_expert){.name = t->names[e],
                                  .in_pool = eval_in_pool(t, e),
                                  .accuracy = single.accuracy,
                                  .usd_per_1k = single.usd_per_1k,
                                  .auc = NAN,
                                  .ece = NAN,
                                  .escalation = escalation(t, e)};
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

static enum status columns_fill(const struct eval_table *t, struct arena *a, struct report *r,
                                struct error *err)
{
    float *columns = ARENA_ARRAY(a, 2 * t->queries, float);
    r->experts = ARENA_ARRAY(a, t->experts, struct report_expert);
    if (!columns || !r->experts)
        return error_set(err, ERR_MEMORY, "out of memory");
    r->columns = t->experts;
    r->expert_count = eval_single_count(t);
    for (size_t e = 0; e < t->experts; e++) {
        enum status status = expert_fill(t, e, columns, a, &r->experts[e], err);
        if (status != OK)
            return status;
    }
    r->best_single = baseline_best_single(t);
    r->random_mix = baseline_random(t);
    r->oracle = baseline_oracle(t);
    return OK;
}

/* Keeps at most REPORT_CURVE_POINTS of the sweep: both ends, and whatever first passes each equal share of the cost
 * between them. */
static void curve_thin(struct report *r)
{
    const struct curve_point *points = r->points;
    size_t last = r->steps;
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

struct report_curve_point report_curve_end(const struct report *r)
{
    const struct curve_point *end = &r->points[r->steps];
    double queries = (double)r->queries;
    return (struct report_curve_point){
        0, (double)end->cost_nano_usd / NANO_PER_USD * 1000 / queries, end->score / queries};
}

/* Which experts answer */

/* shares[columns] at a place on the curve; `choices` [queries] is scratch. */
static void shares_fill(const struct report *r, const struct curve_cut *cut, uint32_t *choices,
                        double *shares)
{
    double each = 1 / (double)r->queries;
    curve_choices(&r->sweep, cut->steps, choices);
    for (size_t q = 0; q < r->queries; q++)
        shares[choices[q]] += each;
    if (cut->share > 0) {
        const struct curve_step *next = &r->sweep.steps[cut->steps];
        shares[choices[next->query]] -= each * cut->share;
        shares[next->to] += each * cut->share;
    }
}

static enum status shares_all(struct arena *a, struct report *r, struct error *err)
{
    size_t places = REPORT_PATH_POINTS + r->at_count + REPORT_CLAIMS;
    double *shares = ARENA_ARRAY(a, places * r->columns, double);
    uint32_t *choices = ARENA_ARRAY(a, r->queries, uint32_t);
    if (!shares || !choices)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < places; i++, shares += r->columns) {
        if (i < REPORT_PATH_POINTS) {
            r->path[i].shares = shares;
            shares_fill(r, &r->path[i].cut, choices, shares);
            continue;
        }
        size_t at = i - REPORT_PATH_POINTS;
        struct report_at *p = at < r->at_count ? &r->at[at] : &r->claims[at - r->at_count];
        p->shares = shares;
        if (!isnan(p->spent_usd_per_1k))
            shares_fill(r, &p->cut, choices, shares);
    }
    return OK;
}

/* Verified plans */

static enum status verified_fill(const struct eval_table *t, struct arena *a, struct report *r,
                                 struct error *err)
{
    if (!t->verified)
        return OK;
    struct report_verified *v = ARENA_NEW(a, struct report_verified);
    struct verified_point *at = ARENA_ARRAY(a, r->at_count, struct verified_point);
    uint32_t *choices = ARENA_ARRAY(a, r->queries, uint32_t);
    if (!v || !at || !choices)
        return error_set(err, ERR_MEMORY, "out of memory");
    const struct report_expert *single = &r->experts[r->best_single.expert];
    double queries = (double)r->queries, score = single->accuracy.value * queries;
    double cost = curve_cost_reaching(r->points, r->steps + 1, score);
    struct curve_cut cut;
    *v = (struct report_verified){.believed = {t->verified->believed[0], t->verified->believed[1]},
                                  .at = at,
                                  .accuracy = single->accuracy.value,
                                  .usd = cost / NANO_PER_USD / queries,
                                  .single_usd = single->usd_per_1k / 1000};
    for (size_t i = 0; i < r->at_count; i++)
        if (!isnan(r->at[i].spent_usd_per_1k))
            at[i] = verified_at(&r->sweep, &r->at[i].cut, choices);
    if (!isnan(cost) && curve_cut_at(r->points, r->steps + 1, cost, &cut))
        v->matched = verified_at(&r->sweep, &cut, choices);
    r->verified = v;
    return OK;
}

static void fractions_set(const struct report_options *options, struct report *r)
{
    const double *fractions = options->fractions ? options->fractions : report_fractions;
    r->at_count = options->fractions ? options->fraction_count : REPORT_FRACTIONS;
    CHECK(r->at_count <= REPORT_FRACTIONS_MAX);
    for (size_t i = 0; i < r->at_count; i++)
        r->at[i].fraction = fractions[i];
}

/* The order matters: the columns give the reference's cost, which the measuring needs; the mixes need the costs of the
 * measured points; the curve is thinned last. */
enum status report_make(const struct eval_table *t, const struct report_options *options,
                        struct arena *a, struct report *ret, struct error *err)
{
    CHECK(t->reference < eval_single_count(t));
    if (t->queries == 0)
        return error_set(
            err, ERR_INPUT,
            "no query has both score and cost of every compared expert; compare fewer");
    struct report r = {.queries = t->queries,
                       .reference = t->reference,
                       .draws = options->draws,
                       .seed = options->seed};
    fractions_set(options, &r);
    enum status status = columns_fill(t, a, &r, err);
    if (status == OK)
        status = report_measure(t, options, a, &r, err);
    if (status == OK)
        status = shares_all(a, &r, err);
    if (status == OK)
        status = verified_fill(t, a, &r, err);
    if (status != OK)
        return status;
    r.curve = ARENA_ARRAY(a, REPORT_CURVE_POINTS, struct report_curve_point);
    if (!r.curve)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < r.at_count; i++)
        r.at[i].mix = baseline_mix_at(t, r.experts, r.at[i].usd_per_1k);
    for (size_t i = 0; i < REPORT_CLAIMS; i++)
        r.claims[i].mix = baseline_mix_at(t, r.experts, r.claims[i].usd_per_1k);
    curve_thin(&r);
    *ret = r;
    return OK;
}
