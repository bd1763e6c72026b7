/* Growing the trees of predict/trees.h: boosted, with second-order leaves (Friedman 2001; Chen & Guestrin 2016). One
 * tree serves all experts: its shape is found on a few random projections of the experts' gradients (Iosipoi &
 * Vakhrushev 2022, "SketchBoost"), its leaves are exact for each expert.
 *
 * Shapes: dense features float [rows × features]; base logits, scores and weights float [rows × experts]; weights
 * may be NULL: all 1. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "base/rng.h"
#include "predict/trees.h"

#define TREE_FEATURES_MAX 160 /* of a panel of eight */
#define TREE_BINS         32

void forest_done(struct forest *f);

struct forest_options {
    size_t trees;        /* 80 */
    size_t leaves;       /* 6 */
    float learning_rate; /* 0.05 */
    float l2;            /* 5: added to a leaf's curvature */
    float row_share;     /* 0.7: of the rows, drawn for each tree */
    float feature_share; /* 0.3 */
    float curvature_min; /* 3: per child */
};

struct tree_bins; /* features cut at quantiles, computed once for all folds */
NODISCARD enum status tree_bins_create(const float *features, size_t rows, size_t feature_count,
                                       struct tree_bins **ret, struct error *err);
void tree_bins_free(struct tree_bins *b);

/* Appends options->trees trees to *forest (leaves scaled by `scale`), learnt on the rows order[count]. */
NODISCARD enum status forest_train(const struct tree_bins *bins, const float *base,
                                   const float *scores, const float *weights, const uint32_t *order,
                                   size_t count, const struct forest_options *options, float scale,
                                   struct rng *rng, struct forest *forest, struct error *err);
