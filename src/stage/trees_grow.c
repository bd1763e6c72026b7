/* Growing boosted trees, best split first, on histograms. A histogram cell holds LANES floats: sums of projected
 * gradients, and in the last lane of the curvature; so one vector register adds a row, whatever the number of
 * experts. A leaf's histogram is its parent's less its sister's, so the smaller half alone is counted. One thread,
 * with the generator of the training; sums run in the order of the rows, so the same seed gives the same trees. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/fmath.h"
#include "stage/trees_int.h"

#define LANES       8
#define SKETCHES    (LANES - 1)
#define EXPERTS_MAX 256

struct cell {
    float sums[LANES];
};

struct leaf {
    uint32_t *rows; /* a part of grower.rows */
    size_t count;
    struct cell *histogram; /* [features × TREE_BINS] */
    struct cell total;
    float gain; /* of its best split; 0: none */
    uint8_t feature, bin;
    int parent; /* node, or -1 */
    bool is_right;
};

struct grower {
    const struct tree_bins *bins;
    const struct forest_options *options;
    struct rng *rng;
    size_t experts, count;
    const uint32_t *order;
    const float *scores, *weights;
    float *logits;                 /* [count × experts], base plus the trees so far */
    float *gradients, *curvatures; /* [count × experts] */
    struct cell *sketch;           /* [count] */
    float *projection;             /* [experts × SKETCHES] */
    uint32_t *rows, *spare;        /* positions in `order`, [count] */
    struct cell *histograms;       /* [TREE_LEAVES_MAX × features × TREE_BINS] */
    uint8_t chosen[TREE_FEATURES_MAX];
    size_t chosen_count;
    struct leaf leaves[TREE_LEAVES_MAX];
    size_t leaf_count;
};

/* Gradient and curvature of the logistic loss; unknown scores weigh nothing. */
WIDE_LOOPS static void differentiate(const float *logits, const float *scores, size_t n,
                                     float *gradient, float *curvature)
{
    for (size_t i = 0; i < n; i++) {
        float p = fmath_sigmoid(logits[i]);
        float known = scores[i] < 0 ? 0.0f : 1.0f;
        gradient[i] = (p - scores[i]) * known;
        curvature[i] = p * (1 - p) * known;
    }
}

static void weigh(const float *weights, size_t n, float *gradient, float *curvature)
{
    for (size_t i = 0; i < n; i++) {
        gradient[i] *= weights[i];
        curvature[i] *= weights[i];
    }
}

static double gaussian(struct rng *rng)
{
    double u = 1 - rng_uniform(rng), v = rng_uniform(rng);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

/* What makes experts differ decides whom a query goes to, so a split that tells them apart counts for more than one
 * that moves all alike: deviations from the experts' mean gradient weigh this much (bench/quality.md). */
#define DEVIATION_WEIGHT 4.0f

/* Few experts: each its own lane. Many: the common direction, and random ones. */
static void draw_projection(struct grower *g)
{
    float scale = 1 / sqrtf((float)g->experts);
    for (size_t e = 0; e < g->experts; e++)
        for (size_t k = 0; k < SKETCHES; k++) {
            float *w = &g->projection[e * SKETCHES + k];
            if (g->experts <= SKETCHES)
                *w = k < g->experts
                         ? DEVIATION_WEIGHT * (e == k) - (DEVIATION_WEIGHT - 1) / (float)g->experts
                         : 0;
            else
                *w = k == 0 ? scale : scale * (float)gaussian(g->rng);
        }
}

static void sketch_row(const struct grower *g, size_t i)
{
    const float *gradient = g->gradients + i * g->experts,
                *curvature = g->curvatures + i * g->experts;
    struct cell cell = {{0}};
    for (size_t e = 0; e < g->experts; e++) {
        for (size_t k = 0; k < SKETCHES; k++)
            cell.sums[k] += gradient[e] * g->projection[e * SKETCHES + k];
        cell.sums[SKETCHES] += curvature[e];
    }
    cell.sums[SKETCHES] /= (float)g->experts;
    g->sketch[i] = cell;
}

static void draw_rows_and_features(struct grower *g)
{
    struct leaf *root = &g->leaves[0];
    *root = (struct leaf){.rows = g->rows, .histogram = g->histograms, .parent = -1};
    for (size_t i = 0; i < g->count; i++)
        if (rng_uniform(g->rng) < g->options->row_share)
            root->rows[root->count++] = (uint32_t)i;
    g->chosen_count = 0;
    for (size_t f = 0; f < g->bins->features; f++)
        if (rng_uniform(g->rng) < g->options->feature_share && g->bins->edge_counts[f])
            g->chosen[g->chosen_count++] = (uint8_t)f;
    g->leaf_count = 1;
}

static inline void cell_add(struct cell *to, const struct cell *from)
{
    for (int k = 0; k < LANES; k++)
        to->sums[k] += from->sums[k];
}

WIDE_LOOPS static void fill_histogram(const struct grower *g, struct leaf *leaf)
{
    for (size_t c = 0; c < g->chosen_count; c++)
        memset(leaf->histogram + (size_t)g->chosen[c] * TREE_BINS, 0,
               sizeof(struct cell) * TREE_BINS);
    for (size_t r = 0; r < leaf->count; r++) {
        size_t i = leaf->rows[r];
        struct cell cell = g->sketch[i];
        const uint8_t *bins = g->bins->bins + (size_t)g->order[i] * g->bins->features;
        for (size_t c = 0; c < g->chosen_count; c++)
            cell_add(&leaf->histogram[(size_t)g->chosen[c] * TREE_BINS + bins[g->chosen[c]]],
                     &cell);
    }
}

/* big = big − small, for the chosen features: the sibling's histogram without a pass over its rows. */
static void subtract_histogram(const struct grower *g, struct cell *big, const struct cell *small)
{
    for (size_t c = 0; c < g->chosen_count; c++) {
        size_t at = (size_t)g->chosen[c] * TREE_BINS;
        for (size_t b = at; b < at + TREE_BINS; b++)
            for (int k = 0; k < LANES; k++)
                big[b].sums[k] -= small[b].sums[k];
    }
}

static float cell_gain(const struct cell *c, float l2)
{
    float sum = 0;
    for (int k = 0; k < SKETCHES; k++)
        sum += c->sums[k] * c->sums[k];
    return sum / (c->sums[SKETCHES] + l2);
}

static void find_split_on(const struct grower *g, struct leaf *leaf, uint8_t feature, float floor)
{
    struct cell left = {{0}}, right;
    const struct cell *cells = leaf->histogram + (size_t)feature * TREE_BINS;
    for (uint8_t b = 0; b < g->bins->edge_counts[feature]; b++) {
        cell_add(&left, &cells[b]);
        for (int k = 0; k < LANES; k++)
            right.sums[k] = leaf->total.sums[k] - left.sums[k];
        if (left.sums[SKETCHES] < g->options->curvature_min ||
            right.sums[SKETCHES] < g->options->curvature_min)
            continue;
        float gain = cell_gain(&left, g->options->l2) + cell_gain(&right, g->options->l2) - floor;
        if (gain > leaf->gain) {
            leaf->gain = gain;
            leaf->feature = feature;
            leaf->bin = b;
        }
    }
}

static void find_split(const struct grower *g, struct leaf *leaf)
{
    leaf->gain = 0;
    if (!g->chosen_count)
        return;
    leaf->total = (struct cell){{0}};
    const struct cell *first = leaf->histogram + (size_t)g->chosen[0] * TREE_BINS;
    for (size_t b = 0; b < TREE_BINS; b++)
        cell_add(&leaf->total, &first[b]);
    float floor = cell_gain(&leaf->total, g->options->l2);
    for (size_t c = 0; c < g->chosen_count; c++)
        find_split_on(g, leaf, g->chosen[c], floor);
    if (leaf->gain < 1e-4f)
        leaf->gain = 0;
}

/* Rows of the left child first, order kept; returns how many. */
static size_t partition(struct grower *g, struct leaf *leaf)
{
    size_t left = 0, right = 0;
    for (size_t r = 0; r < leaf->count; r++) {
        uint32_t i = leaf->rows[r];
        size_t at = (size_t)g->order[i] * g->bins->features + leaf->feature;
        if (g->bins->bins[at] <= leaf->bin)
            leaf->rows[left++] = i;
        else
            g->spare[right++] = i;
    }
    memcpy(leaf->rows + left, g->spare, right * sizeof(*g->spare));
    return left;
}

static void link_child(struct tree *t, const struct leaf *leaf, int child)
{
    if (leaf->parent >= 0)
        (leaf->is_right ? t->right : t->left)[leaf->parent] = (int8_t)child;
}

/* Leaf `at` becomes a node; its left part stays in place, its right part becomes a new leaf. */
static void split_leaf(struct grower *g, struct tree *t, size_t at)
{
    struct leaf *left = &g->leaves[at], *right = &g->leaves[g->leaf_count];
    int node = t->nodes++;
    link_child(t, left, node);
    t->features[node] = left->feature;
    t->thresholds[node] = g->bins->edges[left->feature][left->bin];
    t->left[node] = (int8_t)(-1 - (int)at);
    t->right[node] = (int8_t)(-1 - (int)g->leaf_count);
    size_t count = partition(g, left);
    size_t cells = g->bins->features * TREE_BINS;
    *right = (struct leaf){.rows = left->rows + count,
                           .count = left->count - count,
                           .histogram = g->histograms + g->leaf_count * cells,
                           .parent = node,
                           .is_right = true};
    left->count = count;
    left->parent = node;
    left->is_right = false;
    g->leaf_count++;
    if (right->count > left->count) { /* the larger child inherits the parent's histogram */
        struct cell *swap = left->histogram;
        left->histogram = right->histogram;
        right->histogram = swap;
    }
    struct leaf *small = right->count > left->count ? left : right;
    struct leaf *large = small == left ? right : left;
    fill_histogram(g, small);
    subtract_histogram(g, large->histogram, small->histogram);
    find_split(g, left);
    find_split(g, right);
}

static void grow_shape(struct grower *g, struct tree *t)
{
    memset(t, 0, sizeof(*t)); /* the gap before the thresholds too: trees are stored as they are */
    fill_histogram(g, &g->leaves[0]);
    find_split(g, &g->leaves[0]);
    while (g->leaf_count < g->options->leaves) {
        size_t best = 0;
        for (size_t l = 1; l < g->leaf_count; l++)
            if (g->leaves[l].gain > g->leaves[best].gain)
                best = l;
        if (g->leaves[best].gain <= 0)
            break;
        split_leaf(g, t, best);
    }
}

/* One Newton step per leaf and expert over the leaf's rows. */
static void fill_leaves(const struct grower *g, float *values)
{
    for (size_t l = 0; l < g->leaf_count; l++) {
        double gradient[EXPERTS_MAX] = {0}, curvature[EXPERTS_MAX] = {0};
        for (size_t r = 0; r < g->leaves[l].count; r++) {
            size_t at = (size_t)g->leaves[l].rows[r] * g->experts;
            for (size_t e = 0; e < g->experts; e++) {
                gradient[e] += g->gradients[at + e];
                curvature[e] += g->curvatures[at + e];
            }
        }
        for (size_t e = 0; e < g->experts; e++)
            values[l * g->experts + e] = (float)(-(double)g->options->learning_rate * gradient[e] /
                                                 (curvature[e] + (double)g->options->l2));
    }
}

static size_t find_binned_leaf(const struct grower *g, const struct tree *t, const uint8_t *cuts,
                               size_t row)
{
    const uint8_t *bins = g->bins->bins + row * g->bins->features;
    int at = t->nodes ? 0 : -1;
    while (at >= 0)
        at = bins[t->features[at]] <= cuts[at] ? t->left[at] : t->right[at];
    return (size_t)(-1 - at);
}

static void apply_tree(struct grower *g, const struct tree *t, const float *values)
{
    uint8_t cuts[TREE_NODES_MAX] = {0};
    for (size_t n = 0; n < t->nodes; n++)
        while (g->bins->edges[t->features[n]][cuts[n]] < t->thresholds[n])
            cuts[n]++;
    for (size_t i = 0; i < g->count; i++) {
        const float *leaf = values + find_binned_leaf(g, t, cuts, g->order[i]) * g->experts;
        float *logits = g->logits + i * g->experts;
        for (size_t e = 0; e < g->experts; e++)
            logits[e] += leaf[e];
    }
}

static void grow_tree(struct grower *g, struct tree *t, float *values)
{
    draw_projection(g);
    draw_rows_and_features(g);
    for (size_t r = 0; r < g->leaves[0].count; r++) {
        size_t i = g->leaves[0].rows[r], at = i * g->experts;
        differentiate(g->logits + at, g->scores + (size_t)g->order[i] * g->experts, g->experts,
                      g->gradients + at, g->curvatures + at);
        if (g->weights)
            weigh(g->weights + (size_t)g->order[i] * g->experts, g->experts, g->gradients + at,
                  g->curvatures + at);
        sketch_row(g, i);
    }
    grow_shape(g, t);
    fill_leaves(g, values);
    apply_tree(g, t, values);
}

static void grower_done(struct grower *g)
{
    free(g->logits);
    free(g->gradients);
    free(g->curvatures);
    free(g->sketch);
    free(g->projection);
    free(g->rows);
    free(g->spare);
    free(g->histograms);
}

static bool grower_init(struct grower *g, const float *base)
{
    size_t cells = g->count * g->experts;
    g->logits = malloc((cells + 1) * sizeof(float));
    g->gradients = malloc((cells + 1) * sizeof(float));
    g->curvatures = malloc((cells + 1) * sizeof(float));
    g->sketch = malloc((g->count + 1) * sizeof(*g->sketch));
    g->projection = malloc(g->experts * SKETCHES * sizeof(float));
    g->rows = malloc((g->count + 1) * sizeof(*g->rows));
    g->spare = malloc((g->count + 1) * sizeof(*g->spare));
    g->histograms = malloc(TREE_LEAVES_MAX * g->bins->features * TREE_BINS * sizeof(struct cell));
    if (!g->logits || !g->gradients || !g->curvatures || !g->sketch || !g->projection || !g->rows ||
        !g->spare || !g->histograms)
        return false;
    for (size_t i = 0; i < g->count; i++)
        memcpy(g->logits + i * g->experts, base + (size_t)g->order[i] * g->experts,
               g->experts * sizeof(float));
    return true;
}

static enum status forest_extend(struct forest *f, size_t more, struct error *err)
{
    size_t count = f->tree_count + more;
    CHECK(count <= FOREST_TREES_MAX);
    struct tree *trees = realloc(f->trees, count * sizeof(*trees));
    if (trees)
        f->trees = trees;
    size_t leaf_count = count * TREE_LEAVES_MAX * f->experts;
    float *leaves = realloc(f->leaves, leaf_count * sizeof(*leaves));
    if (leaves)
        f->leaves = leaves;
    if (!trees || !leaves)
        return error_set(err, ERR_MEMORY, "out of memory");
    size_t old = f->tree_count * TREE_LEAVES_MAX * f->experts;
    memset(f->leaves + old, 0, (leaf_count - old) * sizeof(*leaves));
    return OK;
}

/* The grower lives as long as the trees are grown; each tree starts from what those before it left. */
enum status forest_train(const struct tree_bins *bins, const float *base, const float *scores,
                         const float *weights, const uint32_t *order, size_t count,
                         const struct forest_options *options, float scale, struct rng *rng,
                         struct forest *forest, struct error *err)
{
    CHECK(options->leaves >= 2 && options->leaves <= TREE_LEAVES_MAX);
    CHECK(forest->experts <= EXPERTS_MAX);
    enum status status = forest_extend(forest, options->trees, err);
    if (status != OK)
        return status;
    struct grower g = {.bins = bins,
                       .options = options,
                       .rng = rng,
                       .experts = forest->experts,
                       .count = count,
                       .order = order,
                       .scores = scores,
                       .weights = weights};
    if (!grower_init(&g, base)) {
        grower_done(&g);
        return error_set(err, ERR_MEMORY, "out of memory");
    }
    size_t stride = TREE_LEAVES_MAX * forest->experts;
    for (size_t t = 0; t < options->trees; t++) {
        float *values = forest->leaves + forest->tree_count * stride;
        grow_tree(&g, &forest->trees[forest->tree_count++], values);
        for (size_t v = 0; v < stride; v++)
            values[v] *= scale;
    }
    grower_done(&g);
    return OK;
}

void forest_done(struct forest *f)
{
    free(f->trees);
    free(f->leaves);
    *f = (struct forest){.experts = f->experts};
}
