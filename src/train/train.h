/* Outcomes → a trained orchestrator, in memory. Deterministic: the same data, options and seed give the same
 * bytes. Cross-validates as it goes: the linear half is trained once per fold and its fold models are averaged, so
 * every row has a prediction by a model that never saw it; base, trees and calibration are fitted on those. */
#pragma once

#include "data/dataset.h"
#include "judge/answer_table.h"
#include "predict/model_parts.h"
#include "train/linear_train.h"
#include "train/train_plans.h"

#define TRAIN_FOLDS      4
#define TRAIN_SAMPLE_MAX 8192 /* queries kept in the model for calibrating budgets */
#define TRAIN_ROWS_MIN   20
#define TRAIN_LATE_MAX   3 /* late sources of a training */

/* A source to be learnt (predict/model_source.h), and what it reads. */
struct train_source {
    const char *name; /* of its tensors */
    const char *kind;
    const char *encoder; /* NULL: none */
    const char *of;      /* a source before it; NULL: none */
    /* The encoder itself, where it is not one that encoder_named() knows; must stay as long as the result. */
    const struct encoder *instance;
};

struct train_options {
    const size_t *experts; /* indices into the data set; NULL: all */
    size_t expert_count;
    uint64_t seed;
    struct linear_options linear;
    struct forest_options forest;
    const struct train_source *sources; /* NULL: words and groups */
    size_t source_count;
    const struct train_source *late; /* of late kinds; each is kept only if it is worth it */
    size_t late_count;
    const char *
        encoding_cache; /* a folder for what encoders say of texts (encode/encoding_cache.h); NULL: none */
    const struct answer_table *answers; /* NULL: no plans are learnt */
    const char *plans;   /* NULL: found by search; else named, separated by ';' (predict/arm.h) */
    size_t combinations; /* 3: how many the search may take */
    void (*progress)(size_t done, size_t total, void *arg); /* may be NULL */
    void *progress_arg;
};

void train_options_default(struct train_options *o);

/* Cross-validated on the training queries. */
struct train_figures {
    double accuracy;      /* mean score over all queries, as expected where it was not asked */
    double mean_cost_usd; /* mean recorded (or computed) cost */
    double auc;           /* NAN when all scores are alike */
    /* Its standard error (Hanley & McNeil 1982), and how many right or wrong answers there are, whichever is rarer. */
    double auc_error, auc_rarer;
    double log_loss;
    double calibration_error;         /* expected calibration error, 10 equal-count bins */
    double length_log, length_log_sd; /* as in struct model_expert */
    size_t known;                     /* outcomes it was learnt from */
};

/* Whether the AUC might be that of a coin: 0.5 is within two standard errors, or there are fewer than
 * TRAIN_RARER_MIN right or wrong answers, on which the stages fitted to held-out predictions leave their mark. */
#define TRAIN_RARER_MIN 20
static inline bool train_auc_is_doubtful(const struct train_figures *f)
{
    return f->auc == f->auc && (f->auc_rarer < TRAIN_RARER_MIN || f->auc - 2 * f->auc_error <= 0.5);
}

/* What became of a late source (blend_fit.h). */
struct late_figures {
    struct str name;
    bool left_out;
    double penalty;
    /* What decisions gain by it, in scores a row, with standard errors: of rows held out as texts, and as whole domains
     * (NAN where there are too few of these). */
    double known_gain, known_error, fresh_gain, fresh_error;
    float weights[BLEND_SOURCE_TERMS];
};

struct trained {
    struct late_figures *late; /* [late_count] in the order of the options */
    size_t late_count;
    struct model_parts parts; /* the model; points into the arena */
    size_t experts, queries;
    struct train_figures *figures; /* [experts] */
    uint64_t fingerprint;          /* of texts, scores and costs */
    uint64_t seed;
    struct trained_plans plans;
    size_t arms;         /* experts and plans */
    struct arena *arena; /* owns everything but the forests */
};

/* Needs DATASET_ALL. ERR_INPUT: fewer than TRAIN_ROWS_MIN queries, or an expert without any outcome. */
NODISCARD enum status train_run(const struct dataset *d, const struct train_options *options,
                                struct trained **ret, struct error *err);
void trained_free(struct trained *t);

/* What model_estimate_text would say of the model as it will be loaded; estimates [arms]. */
NODISCARD enum status trained_estimate_text(const struct trained *t, struct str text,
                                            struct features *f, struct estimate *estimates,
                                            struct error *err);

/* Writes the model file (docs/model-file.md); it appears under its name only when it is whole. */
NODISCARD enum status model_write(const struct trained *t, const char *path, struct error *err);
