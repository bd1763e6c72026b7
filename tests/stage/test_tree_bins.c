/* Cutting features into bins. */
#include <math.h>

#include <criterion/criterion.h>

#include "stage/trees_int.h"

/* The definition: bin b holds edges[b - 1] <= value < edges[b]. */
static void expect_sound(const struct tree_bins *b, const float *features)
{
    for (size_t f = 0; f < b->features; f++) {
        cr_assert_lt(b->edge_counts[f], TREE_BINS);
        for (size_t k = 1; k < b->edge_counts[f]; k++)
            cr_assert_lt((double)b->edges[f][k - 1], (double)b->edges[f][k]);
        for (size_t i = 0; i < b->rows; i++) {
            uint8_t bin = b->bins[i * b->features + f];
            double value = (double)features[i * b->features + f];
            cr_assert_leq(bin, b->edge_counts[f]);
            cr_assert(bin == 0 || (double)b->edges[f][bin - 1] <= value);
            cr_assert(bin == b->edge_counts[f] || value < (double)b->edges[f][bin]);
        }
    }
}

Test(tree_bins, are_quantiles)
{
    enum { ROWS = 3200, FEATURES = 5 };
    static float features[ROWS * FEATURES];
    struct tree_bins *b;
    for (size_t i = 0; i < ROWS; i++) {
        float x = (float)(i * 7919 % ROWS);
        features[i * FEATURES + 0] = x;                   /* all distinct */
        features[i * FEATURES + 1] = 4;                   /* constant */
        features[i * FEATURES + 2] = (float)(i % 2);      /* two values */
        features[i * FEATURES + 3] = i == 7 ? 1.0f : 0;   /* one stands out */
        features[i * FEATURES + 4] = expf(x / ROWS * 20); /* skewed */
    }
    cr_assert_eq(tree_bins_create(features, ROWS, FEATURES, &b, NULL), OK);
    expect_sound(b, features);
    size_t counts[TREE_BINS] = {0};
    for (size_t i = 0; i < ROWS; i++)
        counts[b->bins[i * FEATURES]]++;
    for (size_t k = 0; k < TREE_BINS; k++)
        cr_assert_eq(counts[k], ROWS / TREE_BINS);
    cr_assert_eq(b->edge_counts[0], TREE_BINS - 1);
    cr_assert_eq(b->edge_counts[1], 0);
    cr_assert_eq(b->edge_counts[2], 1);
    cr_assert_eq((double)b->edges[2][0], 1);
    cr_assert_eq(b->edge_counts[3], 0); /* too rare to be a quantile */
    cr_assert_eq(b->edge_counts[4], TREE_BINS - 1);
    tree_bins_free(b);
}

Test(tree_bins, of_very_few_rows)
{
    const float features[3] = {2, 1, 3};
    struct tree_bins *b;
    cr_assert_eq(tree_bins_create(features, 3, 1, &b, NULL), OK);
    expect_sound(b, features);
    cr_assert_eq(b->edge_counts[0], 2);
    tree_bins_free(b);
    cr_assert_eq(tree_bins_create(features, 1, 1, &b, NULL), OK);
    cr_assert_eq(b->edge_counts[0], 0);
    tree_bins_free(b);
    tree_bins_free(NULL);
}
