/* What follows the sources: base, trees, calibration, spread, tokens. All are fitted on held-out predictions, each
 * on those of the stage before it, or they would trust the sources as far as these remember their training. On one
 * thread, in this order; arrays of the work are filled by one stage and read by the next, and what is no longer
 * needed serves as scratch, which is said where it happens. */
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "fit/fit.h"
#include "stage/guard_fit.h"
#include "stage/guard_kinds.h"
#include "stage/shared_fit.h"
#include "train/blend_fit.h"
#include "train/source_kind.h"
#include "train/spread_fit.h"

#define BASE_RIDGE 20.0
/* Of the queries: as many stand for the prior, whatever their number. */
#define FINAL_RIDGE_SHARE 0.02
#define PLATT_RIDGE_SHARE 0.3

/* Where one source of logits lies for all rows: row i at x + i × stride. */
struct logits {
    const float *x;
    size_t stride;
};

/* Common level and deviations of x[experts] as two of the `count` terms of each expert. */
static void split_levels(const float *x, size_t experts, float *terms, size_t count, size_t at)
{
    float mean = 0;
    for (size_t e = 0; e < experts; e++)
        mean += x[e] / (float)experts;
    for (size_t e = 0; e < experts; e++) {
        terms[e * count + at] = mean;
        terms[e * count + at + 1] = x[e] - mean;
    }
}

/* Intercepts and slopes over (common, deviation) of `count` sources of logits. */
static enum status fit_levels(struct train_work *w, const struct logits *from, size_t count,
                              const double *prior, double ridge, float *intercepts, float *slopes,
                              struct error *err)
{
    size_t rows = w->table.rows, experts = w->table.experts, terms = LEVEL_SLOPES * count;
    for (size_t i = 0; i < rows; i++)
        for (size_t k = 0; k < count; k++)
            split_levels(from[k].x + i * from[k].stride, experts, w->terms + i * experts * terms,
                         terms, LEVEL_SLOPES * k);
    return fit_shared_logistic(w->terms, w->table.targets, w->table.weights, rows, experts, terms,
                               prior, ridge, intercepts, slopes, err);
}

/* logits [rows × experts] */
static void combine_rows(const struct train_work *w, const struct logits *from, size_t count,
                         const float *intercepts, const float *slopes, float *logits)
{
    size_t experts = w->table.experts;
    for (size_t i = 0; i < w->table.rows; i++) {
        const float *x[SOURCES_MAX];
        for (size_t k = 0; k < count; k++)
            x[k] = from[k].x + i * from[k].stride;
        predictor_combine(w->predictor, x, count, intercepts, slopes, logits + i * experts);
    }
}

static enum status fit_base(struct train_work *w, struct error *err)
{
    const struct predictor *p = w->predictor;
    size_t experts = w->table.experts;
    double prior[LEVEL_SLOPES * SOURCES_MAX];
    struct logits from[SOURCES_MAX];
    for (size_t s = 0; s < p->source_count; s++) {
        from[s] = (struct logits){w->columns[s], p->sources[s].columns};
        memcpy(prior + LEVEL_SLOPES * s, w->kinds[s]->prior, sizeof(w->kinds[s]->prior));
    }
    enum status status =
        fit_levels(w, from, p->source_count, prior, BASE_RIDGE, w->base, w->base + experts, err);
    if (status == OK)
        combine_rows(w, from, p->source_count, w->base, w->base + experts, w->base_logits);
    return status;
}

/* A forest per fold, learnt on the other folds; together they are the model's forest. */
static enum status train_forest_fold(struct train_work *w, const struct tree_bins *bins,
                                     unsigned fold, struct rng *rng, struct error *err)
{
    struct forest *forest = &w->predictor->forest;
    size_t before = forest->tree_count, experts = w->table.experts;
    size_t count = train_table_rows(&w->table, fold, false, w->order);
    enum status status =
        forest_train(bins, w->base_logits, w->table.targets, w->table.weights, w->order, count,
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
        forest_predict(&fresh, w->features + (size_t)w->inside[k] * w->predictor->features, t);
        for (size_t e = 0; e < experts; e++)
            t[e] *= TRAIN_FOLDS; /* undo the share that averaging gives each fold's forest */
    }
    train_report(w);
    return OK;
}

static enum status train_forest(struct train_work *w, struct rng *rng, struct error *err)
{
    struct tree_bins *bins = NULL;
    enum status status =
        tree_bins_create(w->features, w->table.rows, w->predictor->features, &bins, err);
    for (unsigned fold = 0; fold < TRAIN_FOLDS && status == OK; fold++)
        status = train_forest_fold(w, bins, fold, rng, err);
    tree_bins_free(bins);
    return status;
}

/* A decision takes the highest of several estimates and so prefers those that err upwards, which the log loss does not
 * know. Hence the prior: deviations count half, until the data say otherwise. */
static enum status fit_calibration(struct train_work *w, struct error *err)
{
    static const double prior[CALIBRATION_SLOPES] = {1, 0.5, 1, 0.5};
    static const float no_intercepts[EXPERTS_MAX];
    size_t rows = w->table.rows, experts = w->table.experts;
    const struct logits from[] = {{w->base_logits, experts}, {w->corrections, experts}};
    float intercepts[EXPERTS_MAX], *slopes = w->calibration;
    enum status status =
        fit_levels(w, from, 2, prior, FINAL_RIDGE_SHARE * (double)rows, intercepts, slopes, err);
    if (status != OK)
        return status;
    combine_rows(w, from, 2, no_intercepts, slopes, w->terms);
    for (size_t e = 0; e < experts; e++)
        fit_platt(w->terms, w->table.targets, w->table.weights, rows, experts, e,
                  PLATT_RIDGE_SHARE * (double)rows, &slopes[CALIBRATION_SLOPES + e],
                  &slopes[CALIBRATION_SLOPES + experts + e]);
    return OK;
}

static void estimate_held_out(struct train_work *w)
{
    size_t experts = w->table.experts;
    for (size_t i = 0; i < w->table.rows; i++)
        predictor_calibrate(w->predictor, w->base_logits + i * experts,
                            w->corrections + i * experts, w->quality + i * experts);
}

/* On held-out quality; what later stages no longer need serves as scratch: entropies and novelties of the rows are left
 * in `terms`. The spread is that of the base stage's estimates, so that it is the same whether or not late sources say
 * anything. */
static enum status fit_spread(struct train_work *w, struct error *err)
{
    const struct predictor *p = w->predictor;
    size_t rows = w->table.rows;
    float *entropy = w->terms, *novelty = w->terms + rows;
    enum status status = train_sources_novelty(w, novelty, entropy, err);
    if (status != OK)
        return status;
    for (size_t i = 0; i < rows; i++)
        entropy[i] = p->entropy_at == NOWHERE ? 0 : w->features[i * p->features + p->entropy_at];
    spread_fit(w->quality, w->table.scores, w->table.weights, rows, w->table.experts, entropy,
               novelty, w->spread);
    return OK;
}

static void gather_lengths(const struct train_work *w, float *lengths)
{
    size_t s = w->predictor->length_source;
    const struct source *source = s == NOWHERE ? NULL : &w->predictor->sources[s];
    for (size_t i = 0; i < w->table.rows; i++)
        lengths[i] = source ? w->columns[s][i * source->columns + source->length_at] : 0;
}

/* Leaves the lengths in `terms`. */
static void fit_tokens(struct train_work *w)
{
    gather_lengths(w, w->terms);
    train_fit_tokens(&w->table, w->terms, w->tokens);
    bool any = train_fit_scripts(&w->table, w->tokens, w->scripts);
    w->predictor->scripts = any ? w->scripts : NULL;
}

/* Of the novelties that fit_spread has left in `terms`, where entropies and novelties stay. */
static enum status fit_guard(struct train_work *w, struct error *err)
{
    const struct predictor *p = w->predictor;
    float *novelty = w->terms + w->table.rows, *lengths = novelty + w->table.rows;
    gather_lengths(w, lengths);
    const struct guard_texts texts = {.rows = w->table.rows,
                                      .statistics = p->statistics,
                                      .said = w->features,
                                      .stride = p->features,
                                      .novelty = novelty,
                                      .lengths = lengths,
                                      .characters = w->table.characters};
    return guard_fit(&texts, w->out->arena, &w->predictor->guard, err);
}

/* Recorded tokens of every outcome, into what earlier stages no longer need. */
static void gather_tokens(struct train_work *w, float *input, float *output)
{
    size_t experts = w->table.experts;
    for (size_t i = 0; i < w->table.rows * experts; i++) {
        const struct outcome *o =
            dataset_outcome(w->table.dataset, i / experts, w->table.expert[i % experts]);
        input[i] = o->tokens_known ? (float)o->input_tokens : -1;
        output[i] = o->tokens_known ? (float)o->output_tokens : -1;
    }
}

/* Behind figures and tokens. */
static enum status fit_guard_kinds(struct train_work *w, struct error *err)
{
    struct predictor *p = w->predictor;
    float levels[EXPERTS_MAX], input[EXPERTS_MAX], output[EXPERTS_MAX];
    const struct guard_outcomes outcomes = {.rows = w->table.rows,
                                            .experts = w->table.experts,
                                            .said = w->features,
                                            .stride = p->features,
                                            .scores = w->table.scores,
                                            .weights = w->table.weights,
                                            .input_tokens = w->base_logits,
                                            .output_tokens = w->corrections,
                                            .levels = levels,
                                            .usual_input = input,
                                            .usual_output = output};
    if (!p->guard.kinds)
        return OK;
    for (size_t e = 0; e < p->experts; e++) {
        levels[e] = guard_level(w->out->figures[e].accuracy);
        predictor_usual_tokens(p, e, 0, &input[e], &output[e]);
    }
    gather_tokens(w, w->base_logits, w->corrections);
    return guard_kinds_fit(&outcomes, w->out->arena, &p->guard, err);
}

/* For plans whose answers are checked: how much experts are right and wrong together. */
static void fit_shared(struct train_work *w)
{
    const struct shared_rows rows = {.rows = w->table.rows,
                                     .experts = w->table.experts,
                                     .quality = w->quality,
                                     .scores = w->table.scores,
                                     .weights = w->table.weights};
    w->out->parts.shared_sd_known = shared_fit(&rows, &w->out->parts.shared_sd);
}

/* The parts of the predictor that are the stages'. */
static void hand_over(struct train_work *w)
{
    struct predictor *p = w->predictor;
    CHECK(p->contrast == w->contrast);
    p->base = w->base;
    p->calibration = w->calibration;
    p->tokens = w->tokens;
    p->spread = w->spread;
}

/* One piece: the stages, in their order. */
enum status train_stages(struct train_work *w, struct rng *rng, struct error *err)
{
    enum status status = fit_base(w, err);
    train_report(w);
    if (status == OK)
        status = train_forest(w, rng, err);
    if (status == OK)
        status = fit_calibration(w, err);
    if (status == OK)
        status = train_sources_finish(w, err);
    if (status != OK)
        return status;
    hand_over(w);
    estimate_held_out(w);
    status = fit_spread(w, err);
    if (status == OK)
        status = fit_guard(w, err);
    if (status == OK)
        status = train_blend(w, w->terms + w->table.rows, w->terms, err);
    if (status == OK)
        status = train_sources_finish_late(w, err);
    if (status != OK)
        return status;
    train_report(w);
    fit_shared(w);
    fit_tokens(w);
    status =
        train_figures_fill(&w->table, w->predictor, w->quality, w->terms, w->out->figures, err);
    if (status == OK)
        status = fit_guard_kinds(w, err);
    if (status == OK)
        status = train_arms(&w->table, w->options, w->quality, w->terms, rng, w->out, err);
    train_report(w);
    return status;
}
