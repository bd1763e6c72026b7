/* A pool → the figures of the paper's claims, and for a claim that does not hold the reasons. One thread, called once
 * for each pool by paper.c; results live in its arena. Nothing here prints (paper_write.c does) or reads the pools file
 * (paper_pools.c). A claim that does not hold is a result and not an error: a status is only for what could not be
 * measured. */
#include <math.h>

#include "base/check.h"
#include "data/subset.h"
#include "eval/folds.h"
#include "judge/rescore.h"
#include "paper.h"

#define SEED 1000 /* of the folds */

const struct paper_says paper_says[REPORT_CLAIMS] = {
    [CLAIM_TWO_THIRDS] = {"on par at 2/3 of its cost", "on par", 0, false},
    [CLAIM_EQUAL_COST] = {"over 5 points more at equal cost", "+5.3 points", 0.05, false},
    [CLAIM_HALF] = {"nearly its accuracy at half its cost", "nearly", 0.98, true},
    [CLAIM_THREE_QUARTERS] = {"above it at 25 % less cost", "+0.2 points", 0, false},
};

struct figure paper_figure(const struct paper_claim *c, enum report_claim which)
{
    return paper_says[which].relative ? c->relative : c->difference;
}

/* One piece: the part shares the texts of the whole, so both are given up together. */
static enum status pool_load(const struct paper_pools *pools, const struct paper_pool *pool,
                             const char *data, struct arena *a, struct dataset **ret_all,
                             struct dataset **ret, size_t *ret_reference, struct error *err)
{
    size_t experts[PAPER_EXPERTS_MAX + 1], count;
    char *path = arena_printf(a, "%s/%.*s", data, STR_FMT(pool->dataset));
    struct judge_figures *figures = ARENA_ARRAY(a, PAPER_EXPERTS_MAX + 1, struct judge_figures);
    struct dataset *d, *part;
    if (!path || !figures)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = dataset_load(path, DATASET_ALL, &d, err);
    if (status != OK)
        return status;
    status = paper_pool_find(pools, pool, d, experts, &count, ret_reference, err);
    if (status == OK)
        status = dataset_subset_experts(d, experts, count, &part, err);
    if (status == OK && pool->rescored) {
        status = judge_rescore(part, NULL, 0, JUDGE_AUTO, NULL, NULL, figures, err);
        if (status != OK)
            dataset_free(part);
    }
    if (status != OK) {
        dataset_free(d);
        return status;
    }
    *ret_all = d; /* the part shares its texts */
    *ret = part;
    return OK;
}

/* Reasons */

static double score_of(const struct eval_table *t, size_t q, size_t column)
{
    return (double)eval_outcome(t, q, column)->score;
}

/* Counts query q answered by `column`, `times` over. */
static void why_add(const struct eval_table *t, size_t q, size_t column, double times,
                    struct paper_why *w)
{
    double gain = score_of(t, q, column) - score_of(t, q, t->reference);
    times /= (double)t->queries;
    w->elsewhere += column != t->reference ? times : 0;
    w->won += gain > 0 ? times * gain : 0;
    w->lost += gain < 0 ? times * -gain : 0;
}

static double could_win(const struct eval_table *t)
{
    size_t singles = eval_single_count(t);
    double sum = 0;
    for (size_t q = 0; q < t->queries; q++) {
        double reference = score_of(t, q, t->reference), best = reference;
        for (size_t e = 0; e < singles; e++)
            best = eval_in_pool(t, e) ? fmax(best, score_of(t, q, e)) : best;
        sum += best - reference;
    }
    return sum / (double)t->queries;
}

static void why_fill(const struct eval_table *t, const struct report *r,
                     const struct curve_cut *cut, uint32_t *choices, struct paper_why *w)
{
    *w = (struct paper_why){.could_win = could_win(t)};
    curve_choices(&r->sweep, cut->steps, choices);
    for (size_t q = 0; q < t->queries; q++)
        why_add(t, q, choices[q], 1, w);
    if (cut->share > 0) { /* mixed with the next policy */
        const struct curve_step *next = &r->sweep.steps[cut->steps];
        why_add(t, next->query, choices[next->query], -cut->share, w);
        why_add(t, next->query, next->to, cut->share, w);
    }
}

/* Figures */

/* The same table without its plans. */
static enum status report_singles(const struct eval_table *t, const struct report_options *o,
                                  struct arena *a, struct report *ret, struct error *err)
{
    struct eval_table singles = *t;
    bool *pool = ARENA_ARRAY(a, t->experts, bool);
    if (!pool)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < t->experts; i++)
        pool[i] = eval_in_pool(t, i) && !eval_is_plan(t, i);
    singles.pool = pool;
    return report_make(&singles, o, a, ret, err);
}

static double cheapest(const struct eval_table *t, const struct report *r)
{
    double best = INFINITY;
    for (size_t e = 0; e < r->expert_count; e++)
        if (eval_in_pool(t, e))
            best = fmin(best, r->experts[e].usd_per_1k);
    return best;
}

/* The pools file sees to it that there is one. */
static size_t best_other(const struct eval_table *t, const struct report *r)
{
    size_t best = SIZE_MAX;
    for (size_t e = 0; e < r->expert_count; e++)
        if (eval_in_pool(t, e) && e != t->reference &&
            (best == SIZE_MAX || r->experts[e].accuracy.value > r->experts[best].accuracy.value))
            best = e;
    CHECK(best != SIZE_MAX);
    return best;
}

static void claim_fill(enum report_claim which, const struct report *r,
                       const struct report *singles, struct paper_claim *c)
{
    const struct report_at *at = &r->claims[which];
    c->difference = at->difference;
    c->relative = at->relative;
    c->accuracy = at->accuracy.value;
    c->mix = at->mix;
    c->singles = (struct figure){NAN, NAN};
    if (singles)
        c->singles = paper_says[which].relative ? singles->claims[which].relative
                                                : singles->claims[which].difference;
    struct figure f = paper_figure(c, which);
    double over = f.value - paper_says[which].bar;
    c->reproduced = over >= 0; /* NaN: no */
    c->within_error = fabs(over) < 2 * f.error;
}

static void result_fill(const struct eval_set *cv, const struct report *r, struct paper_result *ret)
{
    const struct report_expert *reference = &r->experts[r->reference];
    const struct report_expert *other = &r->experts[best_other(&cv->table, r)];
    ret->queries = r->queries;
    ret->left_out = cv->left_out;
    ret->reference = reference->name;
    ret->reference_accuracy = reference->accuracy;
    ret->reference_usd_per_1k = reference->usd_per_1k;
    ret->other = other->name;
    ret->other_accuracy = other->accuracy;
    ret->cheapest_usd_per_1k = cheapest(&cv->table, r);
}

static enum status measure(struct dataset *d, const struct folds_options *pool,
                           const struct paper_options *options, struct arena *a,
                           struct paper_result *ret, struct error *err)
{
    const struct report_options report_options = {.draws = options->draws, .seed = SEED};
    struct report *r = ARENA_NEW(a, struct report), *singles = NULL;
    struct eval_set cv;
    if (!r)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = eval_folds_build(d, pool, a, &cv, err);
    if (status == OK)
        status = report_make(&cv.table, &report_options, a, r, err);
    if (status == OK && cv.table.plans) {
        singles = ARENA_NEW(a, struct report);
        status = singles ? report_singles(&cv.table, &report_options, a, singles, err)
                         : error_set(err, ERR_MEMORY, "out of memory");
    }
    uint32_t *choices = status == OK ? ARENA_ARRAY(a, cv.table.queries, uint32_t) : NULL;
    if (status != OK || !choices)
        return status != OK ? status : error_set(err, ERR_MEMORY, "out of memory");
    result_fill(&cv, r, ret);
    for (int i = 0; i < REPORT_CLAIMS; i++) {
        claim_fill(i, r, singles, &ret->claims[i]);
        if (!isnan(r->claims[i].spent_usd_per_1k))
            why_fill(&cv.table, r, &r->claims[i].cut, choices, &ret->claims[i].why);
    }
    return OK;
}

/* The pool is the first experts of the data set. */
static enum status pool_names(const struct dataset *d, size_t experts, size_t reference,
                              struct arena *a, struct folds_options *folds, struct error *err)
{
    char *names = arena_printf(a, "%.*s", STR_FMT(d->experts[0].name));
    for (size_t i = 1; i < experts && names; i++)
        names = arena_printf(a, "%s,%.*s", names, STR_FMT(d->experts[i].name));
    folds->experts = names;
    folds->reference = arena_printf(a, "%.*s", STR_FMT(d->experts[reference].name));
    return names && folds->reference ? OK : error_set(err, ERR_MEMORY, "out of memory");
}

/* Everything but the names, which are copied, goes with the scratch arena. */
enum status paper_measure(const struct paper_pools *pools, const struct paper_pool *pool,
                          const struct paper_options *options, struct arena *a,
                          struct paper_result *ret, struct error *err)
{
    struct paper_result result = {.pool = pool,
                                  .plans = pool->plans && !options->singles_only,
                                  .experts = pool->experts->count};
    struct dataset *all = NULL, *d = NULL;
    struct folds_options folds = {.folds = PAPER_FOLDS,
                                  .plans = result.plans ? NULL : "none",
                                  .needs_texts = result.plans,
                                  .seed = SEED,
                                  .progress = options->progress,
                                  .arg = options->arg};
    size_t reference = 0;
    struct arena *scratch = arena_create((size_t)8 << 30);
    enum status status = scratch ? OK : error_set(err, ERR_MEMORY, "out of memory");
    if (status == OK)
        status = pool_load(pools, pool, options->data, scratch, &all, &d, &reference, err);
    if (status == OK)
        status = pool_names(d, result.experts, reference, scratch, &folds, err);
    if (status == OK)
        status = measure(d, &folds, options, scratch, &result, err);
    if (status == OK) {
        result.reference = arena_copy(a, result.reference);
        result.other = arena_copy(a, result.other);
        if (result.reference.ptr && result.other.ptr)
            *ret = result;
        else
            status = error_set(err, ERR_MEMORY, "out of memory");
    }
    dataset_free(d);
    dataset_free(all);
    arena_free(scratch);
    return status;
}
