/* An orchestrator model: immutable once loaded, shared by any number of threads. Estimates, for a query's
 * features, every expert's probability of a good answer and its expected cost.
 *
 * The file is a safetensors file (mmap-able; __metadata__ holds experts, prices, encoder, fingerprint,
 * calibration and cross-validated figures as JSON). A damaged or foreign file is refused, never trusted. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/money.h"
#include "base/str.h"
#include "encode/encode.h"
#include "predict/arm.h"
#include "predict/plan_set.h"

#define MODEL_EXPERTS_MAX 256
#define MODEL_PLANS_MAX   PLANS_MAX
#define MODEL_ARMS_MAX    (MODEL_EXPERTS_MAX + MODEL_PLANS_MAX)

struct model;

struct model_expert {
    struct str name;
    struct price price;   /* as trained; the gateway's configuration overrides it */
    double accuracy;      /* mean training score */
    double mean_cost_usd; /* mean training cost */
};

NODISCARD enum status model_load(const char *path, struct model **ret, struct error *err);
/* From bytes (fuzzing, tests). The bytes are copied. */
NODISCARD enum status model_load_bytes(const void *bytes, size_t len, struct model **ret,
                                       struct error *err);
void model_free(struct model *m);

size_t model_expert_count(const struct model *m);
const struct model_expert *model_expert_at(const struct model *m, size_t index);
size_t model_expert_index(const struct model *m, struct str name); /* SIZE_MAX when absent */
/* Arms (predict/arm.h): first the experts, each a single, in order; then the plans that were learnt. */
size_t model_arm_count(const struct model *m); /* at most MODEL_ARMS_MAX */
const struct plan *model_arm_at(const struct model *m, size_t arm);
const struct encoder *model_encoder(const struct model *m);
uint64_t
model_checksum(const struct model *m); /* of the file's bytes: identifies the model in a decision */
/* Whether a query with this text hash was trained on. */
bool model_trained_on(const struct model *m, uint64_t text_hash);

/* estimates[model_arm_count]. `f` must come from model_encoder(m). Costs at the trained prices; plan_price() gives
 * those of plans at other prices. No failure. */
void model_estimate(const struct model *m, const struct features *f, struct estimate *estimates);

/* How many input tokens a character more of a prompt is to an expert: learnt where tokens were recorded, else 1/4. */
double model_tokens_per_character(const struct model *m, size_t expert);

/* What to do next in a plan (arm >= model_expert_count): once the first members have answered, whether to ask the last;
 * once all have, whose answer stands. No failure. */
void model_plan_check(const struct model *m, size_t arm, const struct plan_state *state,
                      struct plan_verdict *ret);

/* The expected cost of an estimate at another price than the trained one. */
int64_t model_cost_nano_usd(const struct price *p, const struct estimate *e);

/* The held-out estimates of a random part of the training queries, by which policies are calibrated. */
struct model_sample {
    size_t rows, arms;               /* arms = model_arm_count */
    const float *quality, *cost_usd; /* [rows × arms], at the trained prices */
};
struct model_sample model_sample(const struct model *m);

/* Lambda (quality per USD) at which the mean predicted cost over the training queries is `usd_per_1k`, choosing
 * among the arms with use[i] (NULL: all): the calibrated start of budget control. Monotone; clamps at the ends. */
double model_lambda_for_budget(const struct model *m, const bool *use, double usd_per_1k);
