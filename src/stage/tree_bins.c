/* Features cut at their quantiles, once for all trees. */
#include <stdlib.h>

#include "base/check.h"
#include "stage/trees_int.h"

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Distinct quantiles as cuts; a constant feature gets none. */
static void find_edges(float *sorted, size_t rows, float *edges, uint8_t *count)
{
    qsort(sorted, rows, sizeof(*sorted), compare_floats);
    *count = 0;
    for (size_t b = 1; b < TREE_BINS; b++) {
        float edge = sorted[b * rows / TREE_BINS];
        if (edge > sorted[0] && (!*count || edge > edges[*count - 1]))
            edges[(*count)++] = edge;
    }
}

static uint8_t find_bin(const float *edges, uint8_t count, float value)
{
    uint8_t bin = 0;
    while (bin < count && value >= edges[bin])
        bin++;
    return bin;
}

static bool fill_bins(struct tree_bins *b, const float *features)
{
    float *column = malloc(b->rows * sizeof(*column));
    if (!column)
        return false;
    for (size_t f = 0; f < b->features; f++) {
        for (size_t i = 0; i < b->rows; i++)
            column[i] = features[i * b->features + f];
        find_edges(column, b->rows, b->edges[f], &b->edge_counts[f]);
        for (size_t i = 0; i < b->rows; i++)
            b->bins[i * b->features + f] =
                find_bin(b->edges[f], b->edge_counts[f], features[i * b->features + f]);
    }
    free(column);
    return true;
}

enum status tree_bins_create(const float *features, size_t rows, size_t feature_count,
                             struct tree_bins **ret, struct error *err)
{
    CHECK(feature_count <= TREE_FEATURES_MAX);
    struct tree_bins *b = calloc(1, sizeof(*b));
    if (!b)
        return error_set(err, ERR_MEMORY, "out of memory");
    b->rows = rows;
    b->features = feature_count;
    b->bins = malloc(rows * feature_count);
    if (!b->bins || !fill_bins(b, features)) {
        tree_bins_free(b);
        return error_set(err, ERR_MEMORY, "out of memory");
    }
    *ret = b;
    return OK;
}

void tree_bins_free(struct tree_bins *b)
{
    if (!b)
        return;
    free(b->bins);
    free(b);
}
