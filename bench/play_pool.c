/* The world of bench_play. A model goes through a file, as in use: only what the file keeps can be measured. Experts
 * without a single bought cell are no part of the model, and so of no choice; but where the cheapest expert is missing
 * the points of the curve would be others, and that is an error. Nothing of a fold's test part may be looked at by
 * whoever buys. One thread. */
#include "play_pool.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "data/split.h"
#include "data/subset.h"
#include "eval/baseline.h"
#include "eval/build.h"
#include "eval/curve.h"
#include "judge/rescore.h"
#include "play_votes.h"
#include "train/model_edit.h"
#include "train/train.h"

#define ARENA_CAP      ((size_t)4 << 30)
#define NAMES_LIST_MAX 65536
#define SEED           7100 /* of fold and training; apart from all others */

static const double point_shares[PLAY_POINTS] = {.05, .1, .15, .2, .3, .4, .5, .6, .7, .8, .9, 1};

static enum status no_memory(struct error *err)
{
    return error_set(err, ERR_MEMORY, "out of memory");
}

/* The pool */

static size_t dearest(const struct dataset *d)
{
    size_t best = 0;
    int64_t most = -1;
    for (size_t e = 0; e < d->expert_count; e++) {
        int64_t sum = 0;
        for (size_t q = 0; q < d->query_count; q++)
            sum += dataset_outcome(d, q, e)->cost_nano_usd;
        if (sum > most) {
            most = sum;
            best = e;
        }
    }
    return best;
}

static enum status pool_narrow(const struct dataset *d, const size_t *experts, size_t count,
                               struct play_pool *p, struct error *err)
{
    size_t all[DATASET_EXPERTS_MAX];
    struct dataset *few;
    uint32_t *rows = ARENA_ARRAY(p->arena, d->query_count + 1, uint32_t);
    if (!rows)
        return no_memory(err);
    enum status status = dataset_subset_experts(d, experts, count, &few, err);
    if (status != OK)
        return status;
    for (size_t e = 0; e < count; e++)
        all[e] = e;
    size_t known = eval_known_queries(few, all, count, rows);
    status = dataset_subset(few, rows, known, &p->all, err);
    if (status == OK)
        status = arena_defer(p->arena, (void (*)(void *))dataset_free, few);
    return status;
}

static enum status pool_read(const struct play_pool_options *o, struct dataset *d,
                             struct play_pool *p, struct error *err)
{
    struct judge_figures judged[DATASET_EXPERTS_MAX];
    size_t experts[DATASET_EXPERTS_MAX], count = d->expert_count;
    for (size_t e = 0; e < count; e++)
        experts[e] = e;
    enum status status = OK;
    if (o->experts)
        status = dataset_expert_list(d, o->experts, experts, &count, err);
    if (status == OK && !o->recorded)
        status = judge_rescore(d, experts, count, JUDGE_AUTO, NULL, NULL, judged, err);
    if (status == OK)
        status = pool_narrow(d, experts, count, p, err);
    if (status != OK)
        return status;
    p->reference =
        o->reference ? dataset_expert_index(p->all, str_from(o->reference)) : dearest(p->all);
    if (p->reference == SIZE_MAX)
        return error_set(err, ERR_NOT_FOUND, "'%s' is not in the pool", o->reference);
    return OK;
}

enum status play_pool_load(const struct play_pool_options *o, struct play_pool *ret,
                           struct error *err)
{
    struct play_pool p = {.arena = arena_create(ARENA_CAP)};
    struct dataset *d = NULL;
    char path[PATH_MAX];
    if (!p.arena)
        return no_memory(err);
    snprintf(path, sizeof(path), "%s/%s", o->data, o->dataset);
    enum status status = dataset_load(path, DATASET_ALL, &d, err);
    if (status == OK)
        status = arena_defer(p.arena, (void (*)(void *))dataset_free, d);
    if (status == OK)
        status = pool_read(o, d, &p, err);
    if (status != OK)
        play_pool_free(&p);
    else
        *ret = p;
    return status;
}

void play_pool_free(struct play_pool *p)
{
    dataset_free(p->all);
    arena_free(p->arena);
}

/* Measuring */

static void points_of(const struct eval_table *t, double *usd_per_1k)
{
    struct report_baseline reference = baseline_single(t, t->reference);
    for (size_t i = 0; i < PLAY_POINTS; i++)
        usd_per_1k[i] = point_shares[i] * reference.usd_per_1k;
}

/* Both figures over the points that some single expert can pay. */
struct area {
    double router, hull;
    size_t points;
};

/* One piece: curve and mixes are taken at the same points. */
static enum status area_take(const struct eval_table *t, struct arena *a, struct area *ret,
                             struct error *err)
{
    struct curve curve;
    struct report_expert singles[DATASET_EXPERTS_MAX];
    double usd[PLAY_POINTS], n = (double)t->queries;
    enum status status = curve_make(t, a, &curve, err);
    if (status != OK)
        return status;
    struct curve_point *points = ARENA_ARRAY(a, curve.step_count + 1, struct curve_point);
    if (!points)
        return no_memory(err);
    curve_trace(&curve, NULL, points);
    points_of(t, usd);
    for (size_t e = 0; e < t->experts; e++) {
        struct report_baseline b = baseline_single(t, e);
        singles[e] = (struct report_expert){.accuracy = b.accuracy, .usd_per_1k = b.usd_per_1k};
    }
    struct area area = {0};
    for (size_t i = 0; i < PLAY_POINTS; i++) {
        double nano = usd[i] / 1000 * n * (double)NANO_PER_USD;
        double mix = baseline_mix_at(t, singles, usd[i]);
        double score = curve_score_at(points, curve.step_count + 1, nano);
        if (isnan(mix))
            continue;
        area.hull += mix;
        area.router += isnan(score) ? points[0].score / n : score / n;
        area.points++;
    }
    area.router /= (double)area.points;
    area.hull /= (double)area.points;
    *ret = area;
    return OK;
}

static enum status names_of(const struct model *m, struct buf *b, struct error *err)
{
    for (size_t i = 0; i < model_expert_count(m); i++)
        buf_addf(b, "%s%.*s", i ? "," : "", STR_FMT(model_expert_at(m, i)->name));
    return buf_status(b, err);
}

static enum status measure_in(const struct play_fold *f, const struct model *m, struct arena *a,
                              const char *names, struct area *ret, struct error *err)
{
    struct str reference = f->test->experts[f->pool->reference].name;
    struct eval_pool pool = {.experts = names,
                             .reference = arena_printf(a, "%.*s", STR_FMT(reference))};
    struct eval_set set;
    if (!pool.reference)
        return no_memory(err);
    enum status status = eval_set_build(m, f->test, &pool, a, &set, err);
    if (status != OK)
        return status;
    CHECK(set.trained_on == 0); /* or it is not held out */
    CHECK(set.left_out == 0);
    return area_take(&set.table, a, ret, err);
}

static enum status fold_area(const struct play_fold *f, const struct model *m, struct area *ret,
                             struct error *err)
{
    struct buf names;
    buf_init(&names, NAMES_LIST_MAX);
    struct arena *a = arena_create(ARENA_CAP);
    enum status status = a ? names_of(m, &names, err) : no_memory(err);
    if (status == OK)
        status = measure_in(f, m, a, names.ptr, ret, err);
    arena_free(a);
    buf_done(&names);
    return status;
}

enum status play_fold_measure(const struct play_fold *f, const struct model *m, double *ret,
                              struct error *err)
{
    struct area area;
    enum status status = fold_area(f, m, &area, err);
    if (status == OK && area.points != f->points)
        return error_set(err, ERR_INPUT,
                         "the cheapest expert was never bought: nothing to compare");
    if (status == OK)
        *ret = area.router;
    return status;
}

/* Buying and learning */

bool purchase_buy(struct purchase *p, size_t question, size_t expert)
{
    const struct dataset *d = p->fold->train;
    size_t at = question * d->expert_count + expert;
    int64_t cost = d->outcomes[at].cost_nano_usd;
    if (p->bought[at] || cost > p->left_nano_usd)
        return false;
    p->bought[at] = true;
    p->left_nano_usd -= cost;
    p->count++;
    return true;
}

/* Hides what is not bought in `part`, whose row i is row rows[i] of the fold. Returns how many experts have cells. */
static size_t hide(const struct purchase *p, const uint32_t *rows, struct dataset *part,
                   size_t *experts)
{
    size_t width = part->expert_count, seen[DATASET_EXPERTS_MAX] = {0}, count = 0;
    for (size_t i = 0; i < part->query_count; i++)
        for (size_t e = 0; e < width; e++) {
            struct outcome *o = &part->outcomes[i * width + e];
            size_t at = rows[i] * width + e;
            if (p->bought[at] && p->labels) {
                o->known = p->labels[at] >= 0;
                o->score = o->known ? p->labels[at] : 0;
            } else if (!p->bought[at]) {
                *o = (struct outcome){0};
            }
            seen[e] += o->known;
        }
    for (size_t e = 0; e < width; e++)
        if (seen[e])
            experts[count++] = e;
    return count;
}

static size_t bought_rows(const struct purchase *p, uint32_t *rows)
{
    size_t count = 0, width = p->fold->train->expert_count;
    for (size_t q = 0; q < p->fold->train->query_count; q++) {
        bool any = false;
        for (size_t e = 0; e < width; e++)
            any |= p->bought[q * width + e];
        if (any)
            rows[count++] = (uint32_t)q;
    }
    return count;
}

/* One piece: what is made on the way must go whatever happens. */
enum status purchase_train(struct purchase *p, struct model **ret, struct error *err)
{
    size_t experts[DATASET_EXPERTS_MAX];
    struct dataset *part = NULL;
    struct trained *trained;
    struct train_options options;
    uint32_t *rows = calloc(p->fold->train->query_count + 1, sizeof(*rows));
    if (!rows)
        return no_memory(err);
    enum status status = p->labels ? purchase_vote(p, err) : OK;
    if (status == OK)
        status = dataset_subset(p->fold->train, rows, bought_rows(p, rows), &part, err);
    if (status == OK) {
        train_options_default(&options);
        options.experts = experts;
        options.expert_count = hide(p, rows, part, experts);
        options.seed = SEED + p->fold->seed;
        status = train_run(part, &options, &trained, err);
        dataset_free(part);
    }
    if (status == OK) {
        status = model_parts_load(&trained->parts, ret, err);
        trained_free(trained);
    }
    free(rows);
    return status;
}

/* Folds */

static enum status cut(const struct play_fold *f, bool inside, struct dataset **ret,
                       struct error *err)
{
    const struct dataset *d = f->pool->all;
    size_t count = 0;
    uint32_t *rows = calloc(d->query_count + 1, sizeof(*rows));
    if (!rows)
        return no_memory(err);
    for (size_t q = 0; q < d->query_count; q++)
        if ((split_fold(d->queries[q].text_hash, SEED, PLAY_FOLDS) == f->seed % PLAY_FOLDS) ==
            inside)
            rows[count++] = (uint32_t)q;
    enum status status = dataset_subset(d, rows, count, ret, err);
    free(rows);
    return status;
}

static enum status fold_bounds(struct play_fold *f, struct error *err)
{
    size_t cells = f->train->query_count * f->train->expert_count;
    struct purchase all = {.fold = f, .bought = calloc(cells + 1, sizeof(bool)), .count = cells};
    struct model *m = NULL;
    struct area area;
    if (!all.bought)
        return no_memory(err);
    for (size_t i = 0; i < cells; i++) {
        all.bought[i] = true;
        f->whole_nano_usd += f->train->outcomes[i].cost_nano_usd;
    }
    enum status status = purchase_train(&all, &m, err);
    if (status == OK)
        status = fold_area(f, m, &area, err);
    if (status == OK) {
        f->full = area.router;
        f->hull = area.hull;
        f->points = area.points;
    }
    model_free(m);
    free(all.bought);
    return status;
}

enum status play_fold_make(const struct play_pool *pool, uint64_t seed, struct play_fold *ret,
                           struct error *err)
{
    struct play_fold f = {.pool = pool, .seed = seed};
    enum status status = cut(&f, false, &f.train, err);
    if (status == OK)
        status = cut(&f, true, &f.test, err);
    if (status == OK)
        status = fold_bounds(&f, err);
    if (status != OK)
        play_fold_free(&f);
    else
        *ret = f;
    return status;
}

void play_fold_free(struct play_fold *f)
{
    dataset_free(f->train);
    dataset_free(f->test);
}
