/* The course of training: fold models → held-out predictions → base, trees, calibration, tokens. */
#include "train/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "predict/fmath.h"
#include "train/doubt_fit.h"
#include "train/fit.h"
#include "train/groups.h"
#include "train/train_int.h"

#define ARENA_CAP  ((size_t)8 << 30)
#define BASE_RIDGE 20.0
/* Of the queries: as many stand for the prior, whatever their number. */
#define FINAL_RIDGE_SHARE 0.02
#define PLATT_RIDGE_SHARE 0.3
#define SCRATCH_FLOATS    ((size_t)NGRAM_BUCKETS * 3)

void train_options_default(struct train_options *o)
{
    *o = (struct train_options){
        .seed = 1,
        .linear = {.epochs = 2, .learning_rate = 0.08f, .group_learning_rate = 0.8f},
        .forest = {.trees = 100,
                   .leaves = 8,
                   .learning_rate = 0.05f,
                   .l2 = 5,
                   .row_share = 0.7f,
                   .feature_share = 0.3f,
                   .curvature_min = 3},
        .combinations = 3,
    };
}

/* Everything between the table and the result. Float arrays live in the arena of the work. */
struct work {
    struct train_table table;
    const struct train_options *options;
    struct trained *out;
    struct predictor *predictor; /* of out */
    struct arena *arena;
    float *weights, *fold_weights, *scratch; /* malloc: large */
    float *bias, *fold_bias, *group_quality, *fold_group_quality, *contrast, *base, *calibration,
        *tokens, *doubt;
    float *linear;         /* [rows × width] held-out outputs of the linear stage */
    float *dense;          /* [rows × DENSE_FEATURES] */
    float *first, *second; /* [rows × experts] */
    float *base_logits, *corrections, *quality; /* [rows × experts] held-out */
    float *terms;                               /* [rows × experts × SLOPES] */
    uint32_t *order, *inside;
    size_t step;
};

#define STEPS (2 * TRAIN_FOLDS + 4)

static void report(struct work *w)
{
    if (w->options->progress)
        w->options->progress(++w->step, STEPS, w->options->progress_arg);
}

static void *take(struct work *w, size_t count, bool *good)
{
    float *p = ARENA_ARRAY(w->arena, count, float);
    *good &= p != NULL;
    return p;
}

static enum status allocate(struct work *w, struct error *err)
{
    const struct linear_shape *s = &w->predictor->shape;
    size_t rows = w->table.rows, experts = s->experts;
    bool good = true;
    struct arena *keep = w->out->arena, *mine = w->arena;
    w->arena = keep;
    w->bias = take(w, s->width, &good);
    w->group_quality = take(w, s->groups * experts, &good);
    w->contrast = take(w, experts, &good);
    w->base = take(w, experts + SLOPES, &good);
    w->calibration = take(w, SLOPES + 2 * experts, &good);
    w->tokens = take(w, experts * TOKEN_PARAMETERS, &good);
    w->doubt = take(w, DOUBT_TERMS, &good);
    w->arena = mine;
    w->fold_bias = take(w, s->width, &good);
    w->fold_group_quality = take(w, s->groups * experts, &good);
    w->linear = take(w, rows * s->width, &good);
    w->dense = take(w, rows * DENSE_FEATURES, &good);
    w->first = take(w, rows * experts, &good);
    w->second = take(w, rows * experts, &good);
    w->base_logits = take(w, rows * experts, &good);
    w->corrections = take(w, rows * experts, &good);
    w->quality = take(w, rows * experts, &good);
    w->terms = take(w, rows * experts * SLOPES, &good);
    w->order = take(w, rows, &good);
    w->inside = take(w, rows, &good);
    w->weights = calloc((size_t)NGRAM_BUCKETS * s->width, sizeof(float));
    w->fold_weights = malloc((size_t)NGRAM_BUCKETS * s->width * sizeof(float));
    w->scratch = malloc(SCRATCH_FLOATS * sizeof(float));
    good &= w->weights && w->fold_weights && w->scratch;
    return good ? OK
                : error_set(err, ERR_MEMORY, "out of memory for %zu queries × %zu experts", rows,
                            experts);
}

/* Unit vector of the experts' mean scores around their mean: which way "strong rather than weak" points. */
static void find_contrast(const struct work *w)
{
    size_t experts = w->table.experts;
    double level[EXPERTS_MAX], mean = 0, norm = 0;
    for (size_t e = 0; e < experts; e++) {
        double sum = 0, known = 0;
        for (size_t i = e; i < w->table.rows * experts; i += experts)
            if (w->table.scores[i] >= 0) {
                sum += (double)w->table.scores[i];
                known++;
            }
        level[e] = known > 0 ? sum / known : 0;
        mean += level[e] / (double)experts;
    }
    for (size_t e = 0; e < experts; e++)
        norm += (level[e] - mean) * (level[e] - mean);
    for (size_t e = 0; e < experts; e++)
        w->contrast[e] = norm > 1e-12 ? (float)((level[e] - mean) / sqrt(norm)) : 0;
}

WIDE_LOOPS static void average_into(float *sum, const float *part, size_t n, float share)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += part[i] * share;
}

static void predict_fold(struct work *w, unsigned fold)
{
    struct predictor p = *w->predictor;
    p.group_quality = w->fold_group_quality;
    p.contrast = w->contrast;
    size_t width = p.shape.width, experts = p.shape.experts;
    const struct sparse_rows *sparse = &w->table.sparse;
    size_t count = train_table_rows(&w->table, fold, true, w->inside);
    for (size_t k = 0; k < count; k++) {
        size_t i = w->inside[k], from = sparse->starts[i];
        linear_predict(w->fold_weights, w->fold_bias, width, sparse->buckets + from,
                       sparse->values + from, sparse->starts[i + 1] - from, w->linear + i * width);
        predictor_stack(&p, w->linear + i * width, w->table.stats + i * NGRAM_STATS,
                        w->dense + i * DENSE_FEATURES, w->first + i * experts,
                        w->second + i * experts);
    }
}

static void train_linear_fold(struct work *w, unsigned fold, struct rng *rng)
{
    struct train_table *t = &w->table;
    const struct linear_shape *s = &w->predictor->shape;
    struct linear_targets targets = {t->scores, t->groups, t->lengths};
    size_t count = train_table_rows(t, fold, false, w->order);
    groups_quality(t->scores, t->groups, s->groups, s->experts, w->order, count,
                   w->fold_group_quality);
    linear_train(s, &t->sparse, &targets, &w->options->linear, w->order, count, rng,
                 w->fold_weights, w->fold_bias, w->scratch);
    predict_fold(w, fold);
    average_into(w->weights, w->fold_weights, (size_t)NGRAM_BUCKETS * s->width, 1.0f / TRAIN_FOLDS);
    average_into(w->bias, w->fold_bias, s->width, 1.0f / TRAIN_FOLDS);
    report(w);
}

static void split_levels(const float *x, size_t experts, float *terms, size_t at)
{
    float mean = 0;
    for (size_t e = 0; e < experts; e++)
        mean += x[e] / (float)experts;
    for (size_t e = 0; e < experts; e++) {
        terms[e * SLOPES + at] = mean;
        terms[e * SLOPES + at + 1] = x[e] - mean;
    }
}

/* Intercepts and slopes over (common, deviation) of two sources of logits. */
static enum status fit_levels(struct work *w, const float *first, const float *second,
                              const double *prior, double ridge, float *intercepts, float *slopes,
                              struct error *err)
{
    size_t rows = w->table.rows, experts = w->table.experts;
    for (size_t i = 0; i < rows; i++) {
        split_levels(first + i * experts, experts, w->terms + i * experts * SLOPES, 0);
        split_levels(second + i * experts, experts, w->terms + i * experts * SLOPES, 2);
    }
    return fit_shared_logistic(w->terms, w->table.scores, rows, experts, SLOPES, prior, ridge,
                               intercepts, slopes, err);
}

static enum status fit_base(struct work *w, struct error *err)
{
    static const double prior[SLOPES] = {0.7, 0.5, 0.5, 0.5};
    size_t experts = w->table.experts;
    enum status status =
        fit_levels(w, w->first, w->second, prior, BASE_RIDGE, w->base, w->base + experts, err);
    for (size_t i = 0; i < w->table.rows && status == OK; i++)
        predictor_combine(experts, w->first + i * experts, w->second + i * experts, w->base,
                          w->base + experts, w->base_logits + i * experts);
    return status;
}

/* A forest per fold, learnt on the other folds; together they are the model's forest. */
static enum status train_forest_fold(struct work *w, const struct tree_bins *bins, unsigned fold,
                                     struct rng *rng, struct error *err)
{
    struct forest *forest = &w->predictor->forest;
    size_t before = forest->tree_count, experts = w->table.experts;
    size_t count = train_table_rows(&w->table, fold, false, w->order);
    enum status status = forest_train(bins, w->base_logits, w->table.scores, w->order, count,
                                      &w->options->forest, 1.0f / TRAIN_FOLDS, rng, forest, err);
    if (status != OK)
        return status;
    struct forest fresh = {.tree_count = forest->tree_count - before,
                           .experts = experts,
                           .trees = forest->trees + before,
                           .leaves = forest->leaves + before * TREE_LEAVES_MAX * experts};
    size_t held_out = train_table_rows(&w->table, fold, true, w->inside);
    for (size_t k = 0; k < held_out; k++) {
        float *t = w->corrections + (size_t)w->inside[k] * experts;
        forest_predict(&fresh, w->dense + (size_t)w->inside[k] * DENSE_FEATURES, t);
        for (size_t e = 0; e < experts; e++)
            t[e] *= TRAIN_FOLDS; /* undo the share that averaging gives each fold's forest */
    }
    report(w);
    return OK;
}

static enum status train_forest(struct work *w, struct rng *rng, struct error *err)
{
    struct tree_bins *bins = NULL;
    enum status status = tree_bins_create(w->dense, w->table.rows, DENSE_FEATURES, &bins, err);
    for (unsigned fold = 0; fold < TRAIN_FOLDS && status == OK; fold++)
        status = train_forest_fold(w, bins, fold, rng, err);
    tree_bins_free(bins);
    return status;
}

/* A decision takes the highest of several estimates and so prefers those that err upwards, which the log loss does not
 * know. Hence the prior: deviations count half, until the data say otherwise. */
static enum status fit_calibration(struct work *w, struct error *err)
{
    static const double prior[SLOPES] = {1, 0.5, 1, 0.5};
    static const float no_intercepts[EXPERTS_MAX];
    size_t rows = w->table.rows, experts = w->table.experts;
    float intercepts[EXPERTS_MAX], *slopes = w->calibration;
    enum status status = fit_levels(w, w->base_logits, w->corrections, prior,
                                    FINAL_RIDGE_SHARE * (double)rows, intercepts, slopes, err);
    if (status != OK)
        return status;
    for (size_t i = 0; i < rows; i++)
        predictor_combine(experts, w->base_logits + i * experts, w->corrections + i * experts,
                          no_intercepts, slopes, w->terms + i * experts);
    for (size_t e = 0; e < experts; e++)
        fit_platt(w->terms, w->table.scores, rows, experts, e, PLATT_RIDGE_SHARE * (double)rows,
                  &slopes[SLOPES + e], &slopes[SLOPES + experts + e]);
    return OK;
}

static void finish_predictor(struct work *w)
{
    struct predictor *p = w->predictor;
    size_t cells = (size_t)NGRAM_BUCKETS * p->shape.width;
    groups_quality(w->table.scores, w->table.groups, p->shape.groups, p->shape.experts, w->order,
                   train_table_rows(&w->table, TRAIN_FOLDS, false, w->order), w->group_quality);
    uint16_t *packed = (uint16_t *)w->fold_weights; /* its floats are no longer needed */
    for (size_t i = 0; i < cells; i++)
        packed[i] = linear_to_bf16(w->weights[i]);
    memcpy(w->weights, packed, cells * sizeof(*packed));
    p->weights = (const uint16_t *)w->weights;
    p->bias = w->bias;
    p->group_quality = w->group_quality;
    p->contrast = w->contrast;
    p->base = w->base;
    p->calibration = w->calibration;
    p->tokens = w->tokens;
    p->doubt = w->doubt;
}

static void estimate_held_out(struct work *w)
{
    size_t experts = w->table.experts;
    for (size_t i = 0; i < w->table.rows; i++)
        predictor_calibrate(w->predictor, w->base_logits + i * experts,
                            w->corrections + i * experts, w->quality + i * experts);
}

/* On held-out quality; what later stages no longer need serves as scratch. */
static void fit_doubt(struct work *w)
{
    size_t rows = w->table.rows;
    float *entropy = w->terms, *novelty = w->terms + rows;
    uint8_t *times = (uint8_t *)w->scratch;
    doubt_own_novelty(&w->table.sparse, rows, times, novelty);
    for (size_t i = 0; i < rows; i++)
        entropy[i] = w->dense[i * DENSE_FEATURES + STACK_ENTROPY];
    doubt_fit(w->quality, w->table.scores, rows, w->table.experts, entropy, novelty, w->doubt);
}

static void gather_lengths(const struct work *w, float *lengths)
{
    size_t width = w->predictor->shape.width, at = w->table.experts + w->table.group_count;
    for (size_t i = 0; i < w->table.rows; i++)
        lengths[i] = w->linear[i * width + at];
}

static enum status run_stages(struct work *w, struct error *err)
{
    struct rng rng;
    rng_seed(&rng, hash64_mix(w->options->seed, 2));
    find_contrast(w);
    for (unsigned fold = 0; fold < TRAIN_FOLDS; fold++)
        train_linear_fold(w, fold, &rng);
    enum status status = fit_base(w, err);
    report(w);
    if (status == OK)
        status = train_forest(w, &rng, err);
    if (status == OK)
        status = fit_calibration(w, err);
    if (status != OK)
        return status;
    finish_predictor(w);
    estimate_held_out(w);
    fit_doubt(w);
    report(w);
    gather_lengths(w, w->terms);
    train_fit_tokens(&w->table, w->terms, w->tokens);
    status = train_figures_fill(&w->table, w->quality, w->out->figures, err);
    if (status == OK)
        status = train_arms(&w->table, w->options, w->quality, w->terms, &rng, w->out, err);
    report(w);
    return status;
}

static int compare_hashes(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint64_t hash_outcome(uint64_t h, const struct outcome *o)
{
    uint32_t score = 0;
    memcpy(&score, &o->score, sizeof(score));
    h = hash64_mix(h, (uint64_t)o->known << 32 | score);
    return hash64_mix(h, o->cost_known ? (uint64_t)o->cost_nano_usd : UINT64_MAX);
}

static enum status describe(struct work *w, struct error *err)
{
    struct trained *t = w->out;
    const struct dataset *d = w->table.dataset;
    t->expert = ARENA_ARRAY(t->arena, t->experts, struct model_expert);
    t->figures = ARENA_ARRAY(t->arena, t->experts, struct train_figures);
    t->text_hashes = ARENA_ARRAY(t->arena, t->queries, uint64_t);
    if (!t->expert || !t->figures || !t->text_hashes)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t e = 0; e < t->experts; e++) {
        const struct dataset_expert *from = &d->experts[w->table.expert[e]];
        t->expert[e] =
            (struct model_expert){.name = arena_copy(t->arena, from->name), .price = from->price};
        if (!t->expert[e].name.ptr)
            return error_set(err, ERR_MEMORY, "out of memory");
        t->fingerprint = hash64_mix(t->fingerprint, hash64(from->name, 0));
    }
    for (size_t i = 0; i < t->queries; i++) {
        t->text_hashes[i] = d->queries[i].text_hash;
        t->fingerprint = hash64_mix(t->fingerprint, d->queries[i].text_hash);
        for (size_t e = 0; e < t->experts; e++)
            t->fingerprint =
                hash_outcome(t->fingerprint, dataset_outcome(d, i, w->table.expert[e]));
    }
    qsort(t->text_hashes, t->queries, sizeof(*t->text_hashes), compare_hashes);
    return OK;
}

static enum status check_input(const struct train_table *t, struct error *err)
{
    const struct dataset *d = t->dataset;
    if (t->rows < TRAIN_ROWS_MIN)
        return error_set(err, ERR_INPUT, "%.*s: %zu queries; training wants at least %d",
                         STR_FMT(d->path), t->rows, TRAIN_ROWS_MIN);
    for (size_t e = 0; e < t->experts; e++) {
        size_t known = 0;
        for (size_t i = 0; i < t->rows; i++)
            known += dataset_outcome(d, i, t->expert[e])->known;
        if (!known)
            return error_set(
                err, ERR_INPUT,
                "%.*s: no outcome of expert '%.*s'; leave it out with --experts or add "
                "its rows to outcomes.csv",
                STR_FMT(d->path), STR_FMT(d->experts[t->expert[e]].name));
    }
    return OK;
}

static enum status run(struct work *w, struct error *err)
{
    struct trained *t = w->out;
    enum status status = check_input(&w->table, err);
    if (status == OK)
        status = train_table_fill(&w->table, w->arena, w->options->seed, err);
    if (status != OK)
        return status;
    report(w);
    w->predictor->shape = (struct linear_shape){t->experts, w->table.group_count,
                                                linear_width(t->experts, w->table.group_count)};
    w->predictor->forest.experts = t->experts;
    status = allocate(w, err);
    if (status == OK)
        status = describe(w, err);
    if (status == OK)
        status = run_stages(w, err);
    for (size_t e = 0; e < t->experts && status == OK; e++) {
        t->expert[e].accuracy = t->figures[e].accuracy;
        t->expert[e].mean_cost_usd = t->figures[e].mean_cost_usd;
    }
    return status;
}

static enum status run_in(struct arena *mine, struct trained *out, const struct dataset *d,
                          const struct train_options *options, struct error *err)
{
    size_t *all = ARENA_ARRAY(mine, d->expert_count + 1, size_t);
    if (!all)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t e = 0; e < d->expert_count; e++)
        all[e] = e;
    out->experts = options->experts ? options->expert_count : d->expert_count;
    out->queries = d->query_count;
    out->seed = options->seed;
    struct work w = {.table = {.dataset = d,
                               .rows = d->query_count,
                               .experts = out->experts,
                               .expert = options->experts ? options->experts : all},
                     .options = options,
                     .out = out,
                     .predictor = &out->predictor,
                     .arena = mine};
    enum status status = run(&w, err);
    free(w.fold_weights);
    free(w.scratch);
    if (w.weights && (status != OK || arena_defer(out->arena, free, w.weights) != OK)) {
        free(w.weights);
        status = status != OK ? status : error_set(err, ERR_MEMORY, "out of memory");
    }
    return status;
}

enum status train_run(const struct dataset *d, const struct train_options *options,
                      struct trained **ret, struct error *err)
{
    CHECK(d->outcomes != NULL || d->query_count == 0);
    struct trained *out = calloc(1, sizeof(*out));
    struct arena *mine = arena_create(ARENA_CAP);
    enum status status = ERR_MEMORY;
    if (out && mine && (out->arena = arena_create(ARENA_CAP)))
        status = run_in(mine, out, d, options, err);
    else
        error_set(err, ERR_MEMORY, "out of memory");
    arena_free(mine);
    if (status != OK)
        trained_free(out);
    else
        *ret = out;
    return status;
}

void trained_free(struct trained *t)
{
    if (!t)
        return;
    forest_done(&t->predictor.forest);
    trained_plans_done(&t->plans);
    arena_free(t->arena);
    free(t);
}
