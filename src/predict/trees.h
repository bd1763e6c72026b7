/* The boosted half of the predictor: small trees on dense features whose leaves hold one value per expert, added to
 * given base logits. How they grow: trees_grow.h. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define TREE_LEAVES_MAX  8
#define TREE_NODES_MAX   (TREE_LEAVES_MAX - 1)
#define FOREST_TREES_MAX 4096

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

/* out[experts] += the leaves of every tree. */
void forest_predict(const struct forest *f, const float *features, float *out);
