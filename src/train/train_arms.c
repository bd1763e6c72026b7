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
            predictor_tokens(&out->predictor, e, t->characters[row], lengths[row],
                             &to->input_tokens, &to->output_tokens);
            to->cost_nano_usd = model_cost_nano_usd(&out->expert[e].price, to);
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

static void keep_row(const struct trained *out, const struct estimate *experts, size_t at)
{
    struct estimate plans[PLANS_MAX];
    float *quality = out->sample_quality + at * out->arms,
          *cost = out->sample_cost_usd + at * out->arms;
    plan_set_estimate(&out->plans.set, experts, plans);
    for (size_t i = 0; i < out->arms; i++) {
        const struct estimate *e = i < out->experts ? &experts[i] : &plans[i - out->experts];
        quality[i] = e->quality;
        cost[i] = (float)((double)e->cost_nano_usd / (double)NANO_PER_USD);
    }
}

/* A random part of the training queries, in file order. */
static enum status keep_sample(const struct train_table *t, const struct estimate *estimates,
                               struct rng *rng, struct trained *out, struct error *err)
{
    out->sample = t->rows < TRAIN_SAMPLE_MAX ? t->rows : TRAIN_SAMPLE_MAX;
    out->sample_quality = ARENA_ARRAY(out->arena, out->sample * out->arms, float);
    out->sample_cost_usd = ARENA_ARRAY(out->arena, out->sample * out->arms, float);
    if (!out->sample_quality || !out->sample_cost_usd)
        return error_set(err, ERR_MEMORY, "out of memory");
    size_t kept = 0;
    for (size_t row = 0; row < t->rows && kept < out->sample; row++) {
        if (rng_below(rng, t->rows - row) >= out->sample - kept)
            continue;
        keep_row(out, estimates + row * t->experts, kept++);
    }
    CHECK(kept == out->sample);
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
    enum status st = OK;
    if (options->answers && options->combinations > 0)
        st = find_plans(t, options, estimates, rng, out, err);
    out->arms = t->experts + out->plans.set.count;
    if (st == OK)
        st = keep_sample(t, estimates, rng, out, err);
    free(estimates);
    return st;
}
