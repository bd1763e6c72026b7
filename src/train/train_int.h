/* Shared by the files of training only: the table that training works on. */
#pragma once

#include "train/train.h"

#define UNKNOWN_GROUP 255

struct train_table {
    const struct dataset *dataset;
    size_t rows, experts;
    const size_t *expert; /* [experts] data set indices */
    struct sparse_rows sparse;
    float *stats;      /* [rows × NGRAM_STATS] */
    float *characters; /* [rows] */
    float *scores;     /* [rows × experts]; negative: unknown */
    float *lengths;    /* [rows]; standardised log output tokens, NAN: unknown */
    uint8_t *groups;   /* [rows] */
    size_t group_count;
    uint8_t *folds; /* [rows] */
};

NODISCARD enum status train_table_fill(struct train_table *t, struct arena *a, uint64_t seed,
                                       struct error *err);
/* Rows of a fold (inside true) or of all others, in order; returns how many. */
size_t train_table_rows(const struct train_table *t, unsigned fold, bool inside, uint32_t *order);

/* tokens [experts × TOKEN_PARAMETERS] from recorded tokens and the held-out length predictions [rows]. */
void train_fit_tokens(const struct train_table *t, const float *predicted_lengths, float *tokens);

/* Plans from held-out estimates; then the sample of all arms' estimates. quality [rows × experts], lengths [rows]. */
NODISCARD enum status train_arms(const struct train_table *t, const struct train_options *options,
                                 const float *quality, const float *lengths, struct rng *rng,
                                 struct trained *out, struct error *err);

/* Held-out quality [rows × experts] → figures. */
NODISCARD enum status train_figures_fill(const struct train_table *t, const float *quality,
                                         struct train_figures *figures, struct error *err);
