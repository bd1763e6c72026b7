/* Texts parted in two, and those again: bisecting spherical k-means (Dhillon & Modha 2001; Steinbach, Karypis & Kumar
 * 2000). Words alone say where a part ends. What was missed on the texts says only whether it is parted at all, so that
 * a text whose answers nobody knows finds its place by the same rule. */
#pragma once

#include "base/rng.h"
#include "gaps/corpus.h"

#define SPLIT_LEAF UINT32_MAX

struct split_rules {
    size_t least; /* texts of a part */
    size_t most;  /* a part with more is parted whatever was missed */
    double
        telling; /* others where their halves differ in what was missed by so many standard errors */
};

/* How many texts have found their leaves so far, of all trees. */
typedef void split_placed(size_t texts, void *arg);

struct split_node {
    const float *direction; /* [words] from its low half to its high one; NULL: a leaf */
    double threshold; /* texts that lie further than this in that direction are of the high half */
    uint32_t low, high; /* nodes */
    uint32_t leaf;      /* number of the leaf */
};

struct split_forest {
    const struct corpus *corpus;
    struct split_node *nodes; /* [node_count] of a capacity that the leaves cannot exceed */
    size_t node_count, leaf_count, placed;
    split_placed *progress; /* NULL: nobody is told */
    void *arg;
};

/* What is known of the rows of the corpus. */
struct split_missed {
    const float *missed; /* [rows] 0..1 */
    const float *noise;  /* [rows] its variance, where it is an estimate */
};

/* Room for trees over all rows of the corpus, `roots` of them. */
NODISCARD enum status split_forest_init(const struct corpus *c, size_t least, size_t roots,
                                        struct arena *a, struct split_forest *ret,
                                        struct error *err);
/* One more tree, over rows[count], which are put in another order. *ret_root is its node. */
NODISCARD enum status split_grow(struct split_forest *f, uint32_t *rows, size_t count,
                                 const struct split_rules *rules, const struct split_missed *missed,
                                 struct rng *rng, struct arena *a, uint32_t *ret_root,
                                 struct error *err);
/* The number of the leaf that a text belongs to. */
uint32_t split_leaf(const struct split_forest *f, uint32_t root, const struct corpus_row *row);
/* Adds a text to sum[words]. */
void split_add(const struct corpus_row *row, float *sum);
/* Makes a sum of texts a direction of length 1, and returns the length that it had. */
double split_normalize(float *sum, size_t words);
