/* An orchestrator model: immutable once loaded, shared by any number of threads. Estimates, for a query's
 * features, every expert's probability of a good answer and its expected cost.
 *
 * The file is a safetensors file (__metadata__ holds experts, prices, encoder, fingerprint,
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
    size_t outcomes;      /* it was learnt from */
    bool hidden;          /* taken out (train/model_edit.h) */
    bool apart;           /* added: the others are estimated as if it were not there */
    /* Days, "2026-11-30": when it was added, when it was taken out. Empty: it was trained, it is there. */
    struct str since, until;
    /* cross-validated on the training queries; NAN: unknown */
    double auc; /* also when all scores were alike */
    double log_loss;
    double calibration_error; /* expected calibration error, 10 equal-count bins */
    /* Mean of ln((1 + output tokens) / (1 + expected ones)): below 0, as the expected ones are right on average and
     * lengths are skewed. NAN where none were recorded. */
    double length_log, length_log_sd; /* and its spread from answer to answer */
};

NODISCARD enum status model_load(const char *path, struct model **ret, struct error *err);
/* From bytes (fuzzing, tests). The bytes are copied. */
NODISCARD enum status model_load_bytes(const void *bytes, size_t len, struct model **ret,
                                       struct error *err);
void model_free(struct model *m);

size_t model_expert_count(const struct model *m);
const struct model_expert *model_expert_at(const struct model *m, size_t index);
size_t model_expert_index(const struct model *m, struct str name); /* SIZE_MAX when absent */
/* Sets and returns ERR_NOT_FOUND: there is none of that name, and who is there. */
enum status model_expert_unknown(const struct model *m, struct str name, struct error *err);
/* Arms (predict/arm.h): first the experts, each a single, in order; then the plans that were learnt. */
size_t model_arm_count(const struct model *m); /* at most MODEL_ARMS_MAX */
const struct plan *model_arm_at(const struct model *m, size_t arm);
/* Whose words the model's features are; returns how many. *ret lives as long as the model. */
size_t model_encoders(const struct model *m, const struct encoder *const **ret);
uint64_t
model_checksum(const struct model *m); /* of the file's bytes: identifies the model in a decision */
/* Whether a query with this text hash was trained on. */
bool model_trained_on(const struct model *m, uint64_t text_hash);

/* Text → estimates, the one way of decisions and of evaluation.
 *
 * `f` (features_init) takes what the model's encoders say about the text; it belongs to the request, one text at a
 * time, and may be read afterwards (f->characters). estimates[model_arm_count]: costs at the trained prices;
 * plan_price() gives those of plans at other prices. Any bytes are fine. Fails only for want of memory, or because
 * an encoder that is not in this process does not answer; the estimates are untouched then. Blocks as long as the
 * encoders do: of n-grams some microseconds per KB. */
NODISCARD enum status model_estimate_text(const struct model *m, struct str text,
                                          struct features *f, struct estimate *estimates,
                                          struct error *err);

/* The same for a thread that must not block: what is under way until `done` is called. */
struct estimate_task;

/* Called once, on the thread that began and never from inside model_estimate_begin. `err` is set unless `status` is
 * OK. The task is gone when it is called. */
typedef void estimate_done(enum status status, const struct error *err, void *arg);

/* OK: all encoders answered at once; the estimates are there, `done` is never called, *ret_task is untouched.
 * AGAIN: `done` will be called, unless *ret_task is cancelled first; `m`, the bytes of `text`, `f` and `estimates`
 * must stay until then. Anything else is a failure, after which `done` is never called. */
NODISCARD enum status model_estimate_begin(const struct model *m, struct str text,
                                           struct features *f, struct estimate *estimates,
                                           estimate_done *done, void *arg,
                                           struct estimate_task **ret_task, struct error *err);
/* Nothing is called or touched any more when it returns. NULL is fine. */
void model_estimate_cancel(struct estimate_task *task);

/* The second half alone: estimates from features that model_encode filled. No failure. */
NODISCARD enum status model_encode(const struct model *m, struct str text, struct features *f,
                                   struct error *err);
void model_estimate(const struct model *m, const struct features *f, struct estimate *estimates);

/* Groups of domains that the model tells apart, for whoever shows what it knows; 0: none. A name says which domains
 * they are, "math, physics"; empty: the file does not say. Qualities are mean training scores. */
size_t model_group_count(const struct model *m);
struct str model_group_name(const struct model *m, size_t group);
double model_group_quality(const struct model *m, size_t group, size_t expert);

/* How many input tokens a character more of a prompt is to an expert: learnt where tokens were recorded, else 1/4. */
double model_tokens_per_character(const struct model *m, size_t expert);
/* And so many characters, of which scripts[SCRIPTS] are what they count by themselves: by what was learnt of those. */
double model_input_tokens(const struct model *m, size_t expert, double characters,
                          const double *scripts);
/* How many tokens four characters a token are too many, by what was learnt of scripts[SCRIPTS]; negative: too few. */
double model_script_excess(const struct model *m, size_t expert, const double *scripts);

/* s of verified plans (predict/verified.h): as learnt, or VERIFIED_SHARED_SD of files that do not say. */
float model_shared_sd(const struct model *m);

/* What to do next in a plan (arm >= model_expert_count): once the first members have answered, whether to ask the last;
 * once all have, whose answer stands. No failure. */
void model_plan_verdict(const struct model *m, size_t arm, const struct plan_state *state,
                        struct plan_verdict *ret);

/* The expected cost of an estimate at another price than the trained one. */
int64_t model_cost_nano_usd(const struct price *p, const struct estimate *e);

/* The held-out estimates of a random part of the training queries, by which policies are calibrated. */
struct model_sample {
    size_t rows, arms;               /* arms = model_arm_count */
    const float *quality, *cost_usd; /* [rows × arms], at the trained prices */
};
struct model_sample model_sample(const struct model *m);
/* Its costs at other prices, into cost_usd[rows × arms]. prices[model_expert_count]. */
void model_sample_price(const struct model *m, const struct price *prices, float *cost_usd);
/* Whether those are any other. */
bool model_sample_is_repriced(const struct model *m, const struct price *prices);

/* Lambda (quality per USD) at which the mean predicted cost over the training queries is `usd_per_1k`, choosing
 * among the arms with use[i] (NULL: all): the calibrated start of budget control. Monotone; clamps at the ends. */
double model_lambda_for_budget(const struct model *m, const bool *use, double usd_per_1k);
/* The same by a sample, perhaps at other prices. */
double model_sample_lambda(const struct model_sample *s, const bool *use, double usd_per_1k);
