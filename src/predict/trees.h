/* The boosted half of the predictor: small trees on dense features whose leaves hold one value per expert, added to
 * given base logits (Friedman 2001, second-order leaves as in Chen & Guestrin 2016). One tree serves all experts: its
 * shape is found on a few random projections of the experts' gradients (Iosipoi & Vakhrushev 2022, "SketchBoost"), its
 * leaves are exact for each expert.
 *
 * Shapes: dense features float [rows × features]; base logits and scores float [rows × experts]. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/rng.h"

#define TREE_LEAVES_MAX   8
#define TREE_NODES_MAX    (TREE_LEAVES_MAX - 1)
#define TREE_FEATURES_MAX 128
#define TREE_BINS         32
#define FOREST_TREES_MAX  4096

/* A tree with n nodes has n + 1 leaves. children: >= 0 a node (always a later one), < 0 leaf number -1 - child. Goes
 * left when feature < threshold. */
struct tree {
    uint8_t nodes;
    uint8_t features[TREE_NODES_MAX];
    int8_t left[TREE_NODES_MAX], right[TREE_NODES_MAX];
    float thresholds[TREE_NODES_MAX];
};
_Static_assert(sizeof(struct tree) == 52, "struct tree is stored as it is");

struct forest {
    size_t tree_count, experts;
    struct tree *trees; /* [tree_count] */
    float *leaves;      /* [tree_count × TREE_LEAVES_MAX × experts] */
};

void forest_done(struct forest *f);
/* out[experts] += the leaves of every tree. */
void forest_predict(const struct forest *f, const float *features, float *out);

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
                                   const float *scores, const uint32_t *order, size_t count,
                                   const struct forest_options *options, float scale,
                                   struct rng *rng, struct forest *forest, struct error *err);
