/* The last part of training: plans over the experts, and a sample of held-out estimates of all arms, from which a
 * budget gets its first lambda. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "train/train_int.h"

#define CHECK_TREES         120 /* per fold */
#define CHECK_FEATURE_SHARE 0.5f

static void estimate_rows(const struct train_table *t, const struct trained *out,
                          const float *quality, const float *lengths, struct estimate *estimates)
{
    for (size_t row = 0; row < t->rows; row++)
        for (size_t e = 0; e < t->experts; e++) {
            struct estimate *to = &estimates[row * t->experts + e];
            *to = (struct estimate){.quality = quality[row * t->experts + e]};
            predictor_tokens(&out->parts.predictor, e, t->characters[row], &t->scripts[row],
                             lengths[row], &to->input_tokens, &to->output_tokens);
            to->cost_nano_usd = model_cost_nano_usd(&out->parts.experts[e].price, to);
            to->cost_max_nano_usd = to->cost_nano_usd;
        }
}

static enum status find_plans(const struct train_table *t, const struct train_options *options,
                              const struct estimate *estimates, struct rng *rng,
                              struct trained *out, struct error *err)
{
    struct plan_options plans = {.named = options->plans,
                                 .combinations_max = options->combinations,
                                 .forest = options->forest,
                                 .rng = rng};
    plans.forest.trees = CHECK_TREES;
    plans.forest.feature_share = CHECK_FEATURE_SHARE;
    struct plan_rows rows = {.dataset = t->dataset,
                             .answers = options->answers,
                             .rows = t->rows,
                             .experts = t->experts,
                             .expert = t->expert,
                             .folds = t->folds,
                             .fold_count = TRAIN_FOLDS,
                             .estimates = estimates,
                             .characters = t->characters};
    return train_plans(&rows, &plans, out->arena, &out->plans, err);
}

/* quality, cost [arms] */
static void keep_row(const struct trained *out, const struct estimate *experts, float *quality,
                     float *cost)
{
    struct estimate plans[PLANS_MAX];
    plan_set_estimate(&out->plans.set, experts, plans);
    for (size_t i = 0; i < out->arms; i++) {
        const struct estimate *e = i < out->experts ? &experts[i] : &plans[i - out->experts];
        quality[i] = e->quality;
        cost[i] = (float)((double)e->cost_nano_usd / (double)NANO_PER_USD);
    }
}

/* How long the row's text is. */
static void keep_text(const struct train_table *t, size_t row, const float *lengths, size_t width,
                      float *text)
{
    text[SAMPLE_TEXT_CHARACTERS] = t->characters[row];
    text[SAMPLE_TEXT_LENGTH] = lengths[row];
    for (size_t s = 0; SAMPLE_TEXT + s < width; s++)
        text[SAMPLE_TEXT + s] = (float)t->scripts[row].of[s];
}

/* A random part of the training queries, in file order. */
static enum status keep_sample(const struct train_table *t, const struct estimate *estimates,
                               const float *lengths, struct rng *rng, struct trained *out,
                               struct error *err)
{
    size_t sample = t->rows < TRAIN_SAMPLE_MAX ? t->rows : TRAIN_SAMPLE_MAX, kept = 0;
    size_t width = SAMPLE_TEXT + (out->parts.predictor.scripts ? SCRIPTS : 0);
    float *quality = ARENA_ARRAY(out->arena, sample * out->arms, float),
          *cost = ARENA_ARRAY(out->arena, sample * out->arms, float),
          *text = ARENA_ARRAY(out->arena, sample * width, float);
    uint64_t *hashes = ARENA_ARRAY(out->arena, sample, uint64_t);
    if (!quality || !cost || !text || !hashes)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t row = 0; row < t->rows && kept < sample; row++) {
        if (rng_below(rng, t->rows - row) >= sample - kept)
            continue;
        keep_row(out, estimates + row * t->experts, quality + kept * out->arms,
                 cost + kept * out->arms);
        keep_text(t, row, lengths, width, text + kept * width);
        hashes[kept++] = t->dataset->queries[row].text_hash;
    }
    CHECK(kept == sample);
    out->parts.sample = sample;
    out->parts.sample_quality = quality;
    out->parts.sample_cost_usd = cost;
    out->parts.sample_text = text;
    out->parts.sample_text_width = width;
    out->parts.sample_hashes = hashes;
    return OK;
}

enum status train_arms(const struct train_table *t, const struct train_options *options,
                       const float *quality, const float *lengths, struct rng *rng,
                       struct trained *out, struct error *err)
{
    struct estimate *estimates = calloc(t->rows * t->experts + 1, sizeof(*estimates));
    if (!estimates)
        return error_set(err, ERR_MEMORY, "out of memory");
    estimate_rows(t, out, quality, lengths, estimates);
    enum status status = OK;
    if (options->answers && options->combinations > 0)
        status = find_plans(t, options, estimates, rng, out, err);
    out->arms = t->experts + out->plans.set.count;
    out->parts.plans = out->plans.set;
    if (status == OK)
        status = keep_sample(t, estimates, lengths, rng, out, err);
    free(estimates);
    return status;
}
