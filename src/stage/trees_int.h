/* Shared by tree_bins.c and trees_grow.c only. */
#pragma once

#include "stage/trees_grow.h"

struct tree_bins {
    size_t rows, features;
    uint8_t *bins; /* [rows × features]; bin b holds edges[b - 1] <= value < edges[b] */
    float edges[TREE_FEATURES_MAX][TREE_BINS];
    uint8_t edge_counts[TREE_FEATURES_MAX];
};
