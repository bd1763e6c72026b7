/* Shared by the files of training only: the table that training works on, and the work between table and result. */
#pragma once

#include "encode/encode.h"
#include "train/train.h"

#define UNKNOWN_GROUP 255

/* What one encoder says about every row. */
struct encoded_rows {
    const struct encoder *encoder;
    struct sparse_rows sparse; /* of its buckets */
    float *dense;              /* [rows × dense_count] */
};

struct train_table {
    const struct dataset *dataset;
    size_t rows, experts;
    const size_t *expert; /* [experts] data set indices */
    struct encoded_rows encoded[ENCODERS_MAX];
    size_t encoder_count;
    float *characters;             /* [rows] */
    struct script_counts *scripts; /* [rows] of them */
    float *scores;                 /* [rows × experts]; negative: unknown */
    float *
        targets; /* [rows × experts] to learn from: scores, and where there is none what is expected;
                                    * negative: nothing */
    float *weights;  /* [rows × experts] of the targets in every loss */
    float *lengths;  /* [rows]; standardised log output tokens, NAN: unknown */
    uint8_t *groups; /* [rows] */
    size_t group_count;
    uint8_t *folds; /* [rows] */
};

/* Everything but dataset, rows, experts, expert and the encoders, which are set. `cache`: the folder of encodings;
 * NULL: none. */
NODISCARD enum status train_table_fill(struct train_table *t, struct arena *a, uint64_t seed,
                                       const char *cache, struct error *err);
/* Rows of a fold (inside true) or of all others, in order; returns how many. */
size_t train_table_rows(const struct train_table *t, unsigned fold, bool inside, uint32_t *order);
/* What the encoders said about a row, as features have it; said [encoders]. */
void train_table_said(const struct train_table *t, size_t row, struct encoding *said);

struct source_kind;

/* Between the table and the result. Everything lives in the scratch arena but what the predictor points to. */
struct train_work {
    struct train_table table;
    const struct train_options *options;
    struct trained *out;
    struct predictor *predictor; /* of out */
    struct arena *scratch;
    const struct source_kind *kinds[SOURCES_MAX];
    void *learners[SOURCES_MAX];
    float *columns[SOURCES_MAX];                /* [rows × the source's columns] held out */
    float *features;                            /* [rows × predictor.features] held out */
    float *base_logits, *corrections, *quality; /* [rows × experts] held out */
    float *terms;                               /* [rows × experts × slopes of the wider fit] */
    float *contrast, *base, *calibration, *tokens, *scripts, *spread; /* of the predictor */
    uint32_t *order, *inside;
    size_t step;
};

void train_report(struct train_work *w);

/* The sources that the options name, and their encoders: their places in predictor and table. ERR_INPUT: unknown. */
NODISCARD enum status train_sources_choose(struct train_work *w, struct error *err);
/* Makes the learners, once the table is filled; sets the predictor's layout. */
NODISCARD enum status train_sources_create(struct train_work *w, struct error *err);
/* Learns all sources fold by fold and fills columns and features of every row by learners that never saw it. */
NODISCARD enum status train_sources_learn(struct train_work *w, struct rng *rng, struct error *err);
/* The sources of the model. */
NODISCARD enum status train_sources_finish(struct train_work *w, struct error *err);
/* The late ones that are left, once the blend is fitted. */
NODISCARD enum status train_sources_finish_late(struct train_work *w, struct error *err);
/* novelty[rows]: what is new to any source, of the table's own texts. scratch [rows] */
NODISCARD enum status train_sources_novelty(const struct train_work *w, float *novelty,
                                            float *scratch, struct error *err);
void train_sources_free(struct train_work *w);

/* Base, trees, calibration, spread and tokens on what the sources said; then figures, plans and the sample. */
NODISCARD enum status train_stages(struct train_work *w, struct rng *rng, struct error *err);

/* tokens [experts × TOKEN_PARAMETERS] from recorded tokens and the held-out length predictions [rows]. */
void train_fit_tokens(const struct train_table *t, const float *predicted_lengths, float *tokens);

/* scripts [experts × SCRIPTS]: input tokens of a character of each script, zero where too few queries tell; where some
 * do, the input's part of `tokens` is learnt again beside them. Returns whether any was. */
bool train_fit_scripts(const struct train_table *t, float *tokens, float *scripts);

/* Plans from held-out estimates; then the sample of all arms' estimates. quality [rows × experts], lengths [rows]. */
NODISCARD enum status train_arms(const struct train_table *t, const struct train_options *options,
                                 const float *quality, const float *lengths, struct rng *rng,
                                 struct trained *out, struct error *err);

/* Held-out quality [rows × experts] and lengths [rows] → figures. The predictor's tokens are fitted. */
NODISCARD enum status train_figures_fill(const struct train_table *t, const struct predictor *p,
                                         const float *quality, const float *lengths,
                                         struct train_figures *figures, struct error *err);
