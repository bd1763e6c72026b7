/* The course of training: table → sources, held out → base, trees, calibration, tokens → plans. It runs on the
 * thread that calls, takes as long as it takes and tells how far it is; nothing here is for a thread that serves.
 * The same data, options and seed give the same bytes, so everything random comes from one generator, in one order.
 * What the model keeps lives in the arena of the result, everything else in one that goes when training ends. */
#include "train/train.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/json.h"
#include "train/train_int.h"
#include "train/unseen.h"

#define ARENA_CAP          ((size_t)8 << 30)
#define TRAINING_BYTES_MAX 256

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

#define STEPS(late) (2 * TRAIN_FOLDS + 4 + ((late) ? UNSEEN_FOLDS : 0))

void train_report(struct train_work *w)
{
    if (w->options->progress)
        w->options->progress(++w->step, STEPS(w->options->late_count), w->options->progress_arg);
}

static void *take(struct arena *a, size_t count, bool *good)
{
    float *p = ARENA_ARRAY(a, count, float);
    *good = *good && p;
    return p;
}

static enum status allocate(struct train_work *w, struct error *err)
{
    size_t rows = w->table.rows, experts = w->table.experts, sources = w->predictor->source_count;
    size_t slopes = LEVEL_SLOPES * (sources > 2 ? sources : 2);
    struct arena *keep = w->out->arena, *scratch = w->scratch;
    bool good = true;
    w->contrast = take(keep, experts, &good);
    w->base = take(keep, experts + LEVEL_SLOPES * sources, &good);
    w->calibration = take(keep, CALIBRATION_SLOPES + 2 * experts, &good);
    w->tokens = take(keep, experts * TOKEN_PARAMETERS, &good);
    w->scripts = take(keep, experts * SCRIPTS, &good);
    w->spread = take(keep, SPREAD_TERMS, &good);
    w->base_logits = take(scratch, rows * experts, &good);
    w->corrections = take(scratch, rows * experts, &good);
    w->quality = take(scratch, rows * experts, &good);
    w->terms = take(scratch, rows * experts * slopes, &good);
    w->order = take(scratch, rows, &good);
    w->inside = take(scratch, rows, &good);
    return good ? OK
                : error_set(err, ERR_MEMORY, "out of memory for %zu queries × %zu experts", rows,
                            experts);
}

/* Unit vector of the experts' mean scores around their mean: which way "strong rather than weak" points. What is
 * expected counts, too, or an expert that was asked on hard questions alone would look weak. */
static void find_contrast(const struct train_work *w)
{
    size_t experts = w->table.experts;
    double level[EXPERTS_MAX], mean = 0, norm = 0;
    for (size_t e = 0; e < experts; e++) {
        double sum = 0, known = 0;
        for (size_t i = e; i < w->table.rows * experts; i += experts)
            if (w->table.targets[i] >= 0) {
                sum += (double)w->table.targets[i] * (double)w->table.weights[i];
                known += (double)w->table.weights[i];
            }
        level[e] = known > 0 ? sum / known : 0;
        mean += level[e] / (double)experts;
    }
    for (size_t e = 0; e < experts; e++)
        norm += (level[e] - mean) * (level[e] - mean);
    for (size_t e = 0; e < experts; e++)
        w->contrast[e] = norm > 1e-12 ? (float)((level[e] - mean) / sqrt(norm)) : 0;
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

/* What the model file says about where it comes from. */
static enum status describe_training(struct trained *t, struct error *err)
{
    char text[TRAINING_BYTES_MAX];
    int len = snprintf(text, sizeof(text),
                       "{\"queries\":%zu,\"seed\":%" PRIu64
                       ",\"folds\":%d,\"fingerprint\":\"%016" PRIx64 "\"}",
                       t->queries, t->seed, TRAIN_FOLDS, t->fingerprint);
    CHECK(len > 0 && (size_t)len < sizeof(text));
    t->parts.training = arena_copy(t->arena, (struct str){text, (size_t)len});
    t->parts.leeroo = STR(LEEROO_VERSION);
    return t->parts.training.ptr ? OK : error_set(err, ERR_MEMORY, "out of memory");
}

static enum status describe_experts(struct train_work *w, struct error *err)
{
    struct trained *t = w->out;
    struct model_expert *experts = ARENA_ARRAY(t->arena, t->experts, struct model_expert);
    t->figures = ARENA_ARRAY(t->arena, t->experts, struct train_figures);
    if (!experts || !t->figures)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t e = 0; e < t->experts; e++) {
        const struct dataset_expert *from = &w->table.dataset->experts[w->table.expert[e]];
        experts[e] =
            (struct model_expert){.name = arena_copy(t->arena, from->name), .price = from->price};
        if (!experts[e].name.ptr)
            return error_set(err, ERR_MEMORY, "out of memory");
        t->fingerprint = hash64_mix(t->fingerprint, hash64(from->name, 0));
    }
    t->parts.experts = experts;
    model_parts_list(&t->parts);
    return OK;
}

static enum status describe(struct train_work *w, struct error *err)
{
    struct trained *t = w->out;
    const struct dataset *d = w->table.dataset;
    uint64_t *hashes = ARENA_ARRAY(t->arena, t->queries, uint64_t);
    if (!hashes)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = describe_experts(w, err);
    if (status != OK)
        return status;
    for (size_t i = 0; i < t->queries; i++) {
        hashes[i] = d->queries[i].text_hash;
        t->fingerprint = hash64_mix(t->fingerprint, d->queries[i].text_hash);
        for (size_t e = 0; e < t->experts; e++)
            t->fingerprint =
                hash_outcome(t->fingerprint, dataset_outcome(d, i, w->table.expert[e]));
    }
    qsort(hashes, t->queries, sizeof(*hashes), compare_hashes);
    t->parts.text_hashes = hashes;
    t->parts.text_count = t->queries;
    return describe_training(t, err);
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

/* The figures of each expert belong to the model, too. */
static void note_figures(struct trained *t)
{
    for (size_t e = 0; e < t->experts; e++) {
        struct model_expert *x = &t->parts.experts[e];
        const struct train_figures *f = &t->figures[e];
        x->accuracy = f->accuracy;
        x->mean_cost_usd = f->mean_cost_usd;
        x->outcomes = f->known;
        x->auc = f->auc;
        x->log_loss = f->log_loss;
        x->calibration_error = f->calibration_error;
        x->length_log = f->length_log;
        x->length_log_sd = f->length_log_sd;
    }
}

static enum status run_stages(struct train_work *w, struct error *err)
{
    struct rng rng;
    rng_seed(&rng, hash64_mix(w->options->seed, 2));
    find_contrast(w);
    w->predictor->contrast = w->contrast;
    enum status status = train_sources_learn(w, &rng, err);
    return status == OK ? train_stages(w, &rng, err) : status;
}

static enum status run(struct train_work *w, struct error *err)
{
    struct trained *t = w->out;
    enum status status = check_input(&w->table, err);
    if (status == OK)
        status = train_sources_choose(w, err);
    if (status == OK)
        status = train_table_fill(&w->table, w->scratch, w->options->seed,
                                  w->options->encoding_cache, err);
    if (status != OK)
        return status;
    train_report(w);
    status = allocate(w, err);
    if (status == OK)
        status = describe(w, err);
    if (status == OK)
        status = train_sources_create(w, err);
    if (status == OK)
        status = run_stages(w, err);
    if (status != OK)
        return status;
    note_figures(t);
    return model_parts_level(&t->parts, t->arena, err);
}

static enum status run_in(struct arena *scratch, struct trained *out, const struct dataset *d,
                          const struct train_options *options, struct error *err)
{
    size_t *all = ARENA_ARRAY(scratch, d->expert_count + 1, size_t);
    if (!all)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t e = 0; e < d->expert_count; e++)
        all[e] = e;
    out->experts = options->experts ? options->expert_count : d->expert_count;
    out->queries = d->query_count;
    out->seed = options->seed;
    out->parts.predictor.experts = out->parts.predictor.forest.experts = out->experts;
    struct train_work w = {.table = {.dataset = d,
                                     .rows = d->query_count,
                                     .experts = out->experts,
                                     .expert = options->experts ? options->experts : all},
                           .options = options,
                           .out = out,
                           .predictor = &out->parts.predictor,
                           .scratch = scratch};
    enum status status = run(&w, err);
    train_sources_free(&w);
    return status;
}

enum status train_run(const struct dataset *d, const struct train_options *options,
                      struct trained **ret, struct error *err)
{
    CHECK(d->outcomes || d->query_count == 0);
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
    forest_done(&t->parts.predictor.forest);
    trained_plans_done(&t->plans);
    arena_free(t->arena);
    free(t);
}

enum status trained_estimate_text(const struct trained *t, struct str text, struct features *f,
                                  struct estimate *estimates, struct error *err)
{
    const struct predictor *p = &t->parts.predictor;
    enum status status = features_encode(f, p->encoders, p->encoder_count, text, err);
    if (status == OK)
        model_parts_estimate(&t->parts, f, estimates);
    return status;
}
