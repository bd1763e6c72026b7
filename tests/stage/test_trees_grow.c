/* Growing trees, seen through forest_train: leaves against Newton steps by hand, derivatives against finite
 * differences of the loss, splits that are known. */
#include "stage/trees_grow.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

/* Everything drawn, nothing shrunk: one plain Newton step a tree. */
static const struct forest_options plain = {.trees = 1,
                                            .leaves = 2,
                                            .learning_rate = 1,
                                            .l2 = 0,
                                            .row_share = 1,
                                            .feature_share = 1,
                                            .curvature_min = 0};

static double sigmoid(double z)
{
    return 1 / (1 + exp(-z));
}

static double loss(double z, double y)
{
    return log1p(exp(z)) - y * z;
}

struct problem {
    size_t rows, features, experts;
    float *x, *base, *scores;
    uint32_t *order;
    struct tree_bins *bins;
};

static struct problem make(size_t rows, size_t features, size_t experts, uint64_t seed)
{
    struct problem p = {rows, features, experts, NULL, NULL, NULL, NULL, NULL};
    struct rng r;
    rng_seed(&r, seed);
    p.x = malloc(rows * features * sizeof(float));
    p.base = malloc(rows * experts * sizeof(float));
    p.scores = malloc(rows * experts * sizeof(float));
    p.order = malloc(rows * sizeof(uint32_t));
    cr_assert(p.x && p.base && p.scores && p.order);
    for (size_t i = 0; i < rows * features; i++)
        p.x[i] = (float)rng_uniform(&r);
    for (size_t i = 0; i < rows * experts; i++) {
        p.base[i] = (float)(rng_uniform(&r) * 4 - 2);
        p.scores[i] = rng_below(&r, 6) ? (float)rng_below(&r, 2) : rng_below(&r, 2) ? -1.0f : 0.3f;
    }
    for (size_t i = 0; i < rows; i++)
        p.order[i] = (uint32_t)i;
    return p;
}

static void grow(struct problem *p, const struct forest_options *o, float scale, struct forest *f)
{
    struct rng r;
    rng_seed(&r, 1);
    if (!p->bins)
        cr_assert_eq(tree_bins_create(p->x, p->rows, p->features, &p->bins, NULL), OK);
    cr_assert_eq(
        forest_train(p->bins, p->base, p->scores, NULL, p->order, p->rows, o, scale, &r, f, NULL),
        OK);
}

static void done(struct problem *p, struct forest *f)
{
    free(p->x);
    free(p->base);
    free(p->scores);
    free(p->order);
    tree_bins_free(p->bins);
    forest_done(f);
}

/* Both derivatives of the summed loss of expert e, by finite differences, over rows where which[i]. */
static void differentiate(const struct problem *p, const bool *which, size_t e, double *gradient,
                          double *curvature)
{
    const double h = 1e-4;
    *gradient = *curvature = 0;
    for (size_t i = 0; i < p->rows; i++) {
        double z = (double)p->base[i * p->experts + e], y = (double)p->scores[i * p->experts + e];
        if (y < 0 || (which && !which[i]))
            continue;
        *gradient += (loss(z + h, y) - loss(z - h, y)) / (2 * h);
        *curvature += (loss(z + h, y) + loss(z - h, y) - 2 * loss(z, y)) / (h * h);
    }
}

Test(trees_grow, constant_features_give_one_newton_step)
{
    struct problem p = make(50, 3, 2, 1);
    struct forest f = {.experts = 2};
    struct forest_options o = plain;
    o.l2 = 2;
    o.learning_rate = 0.5f;
    for (size_t i = 0; i < p.rows * p.features; i++)
        p.x[i] = 1;
    grow(&p, &o, 0.25f, &f);
    cr_assert_eq(f.tree_count, 1);
    cr_assert_eq(f.trees[0].nodes, 0);
    for (size_t e = 0; e < 2; e++) {
        double gradient, curvature;
        differentiate(&p, NULL, e, &gradient, &curvature);
        cr_assert_float_eq((double)f.leaves[e], 0.25 * 0.5 * -gradient / (curvature + 2), 1e-5);
    }
    done(&p, &f);
}

Test(trees_grow, a_known_split_is_found)
{
    struct problem p = make(400, 4, 3, 2);
    struct forest f = {.experts = 3};
    bool high[400];
    for (size_t i = 0; i < p.rows; i++) {
        p.x[i * 4 + 2] = (float)(i % 10); /* 0 .. 9; the scores turn at 6 */
        high[i] = i % 10 >= 6;
        for (size_t e = 0; e < 3; e++) {
            p.base[i * 3 + e] = 0.1f;
            p.scores[i * 3 + e] = e == 1 ? !high[i] : high[i];
        }
    }
    grow(&p, &plain, 1, &f);
    const struct tree *t = &f.trees[0];
    cr_assert_eq(t->nodes, 1);
    cr_assert_eq(t->features[0], 2);
    cr_assert_eq((double)t->thresholds[0], 6);
    for (int side = 0; side < 2; side++) {
        size_t leaf = (size_t)(-1 - (side ? t->right[0] : t->left[0]));
        for (size_t i = 0; i < p.rows; i++)
            high[i] = (i % 10 >= 6) == side;
        for (size_t e = 0; e < 3; e++) {
            double gradient, curvature;
            differentiate(&p, high, e, &gradient, &curvature);
            cr_assert_float_eq((double)f.leaves[leaf * 3 + e], -gradient / curvature, 1e-4);
        }
    }
    done(&p, &f);
}

#define DEVIATION_WEIGHT 4.0 /* as in trees_grow.c */

/* Σ over experts of (mean + weight · deviation from it)². */
static double square(const double (*g)[2], int side, size_t experts)
{
    double mean = 0, sum = 0;
    for (size_t e = 0; e < experts; e++)
        mean += g[e][side] / (double)experts;
    for (size_t e = 0; e < experts; e++)
        sum += pow(mean + DEVIATION_WEIGHT * (g[e][side] - mean), 2);
    return sum;
}

/* Gain of the split of all rows at x[feature] < threshold, in double. */
static double split_gain(const struct problem *p, size_t feature, double threshold, double l2)
{
    double gain = 0, curvature[2] = {0};
    double(*g)[2] = calloc(p->experts, sizeof(*g));
    cr_assert_not_null(g);
    for (size_t i = 0; i < p->rows; i++) {
        int side = (double)p->x[i * p->features + feature] >= threshold;
        for (size_t e = 0; e < p->experts; e++) {
            double y = (double)p->scores[i * p->experts + e];
            double q = sigmoid((double)p->base[i * p->experts + e]);
            if (y < 0)
                continue;
            g[e][side] += q - y;
            curvature[side] += q * (1 - q) / (double)p->experts;
        }
    }
    for (int side = 0; side < 2; side++)
        gain += square((const double(*)[2])g, side, p->experts) / (curvature[side] + l2);
    free(g);
    return gain;
}

/* With at most seven experts nothing is sketched: the root is the best of all splits. */
Test(trees_grow, the_first_split_is_the_best_of_all)
{
    for (uint64_t seed = 10; seed < 30; seed++) {
        struct problem p = make(200, 3, 1 + seed % 7, seed);
        struct forest f = {.experts = p.experts};
        struct forest_options o = plain;
        o.l2 = 1;
        grow(&p, &o, 1, &f);
        cr_assert_eq(f.trees[0].nodes, 1);
        double found = split_gain(&p, f.trees[0].features[0], (double)f.trees[0].thresholds[0], 1);
        for (size_t k = 0; k < p.features; k++)
            for (size_t i = 0; i < p.rows; i++)
                if (i * 7 % 32 ==
                    0) /* any of these may not be an edge, but none may be far better */
                    cr_assert_leq(split_gain(&p, k, (double)p.x[i * p.features + k], 1),
                                  found * 1.25 + 1);
        done(&p, &f);
    }
}

static double total_loss(const struct problem *p, const struct forest *f)
{
    double sum = 0;
    float *out = malloc(p->experts * sizeof(float));
    cr_assert_not_null(out);
    for (size_t i = 0; i < p->rows; i++) {
        memcpy(out, p->base + i * p->experts, p->experts * sizeof(float));
        forest_predict(f, p->x + i * p->features, out);
        for (size_t e = 0; e < p->experts; e++)
            if (p->scores[i * p->experts + e] >= 0)
                sum += loss((double)out[e], (double)p->scores[i * p->experts + e]);
    }
    free(out);
    return sum;
}

/* More experts than lanes: the shape comes from projections, and one pattern is behind all of them. */
Test(trees_grow, many_experts_are_sketched)
{
    enum { EXPERTS = 40 };
    struct problem p = make(600, 5, EXPERTS, 3);
    struct forest f = {.experts = EXPERTS}, none = {.experts = EXPERTS};
    for (size_t i = 0; i < p.rows; i++)
        for (size_t e = 0; e < EXPERTS; e++)
            p.scores[i * EXPERTS + e] = (p.x[i * 5 + 3] < 0.5f) == (e % 2);
    grow(&p, &plain, 1, &f);
    cr_assert_eq(f.trees[0].features[0], 3);
    cr_assert_float_eq((double)f.trees[0].thresholds[0], 0.5, 0.06);
    cr_assert_lt(total_loss(&p, &f), 0.8 * total_loss(&p, &none));
    done(&p, &f);
}

Test(trees_grow, every_tree_lowers_the_loss)
{
    struct problem p = make(500, 6, 4, 4);
    struct forest f = {.experts = 4};
    struct forest_options o = plain;
    o.leaves = TREE_LEAVES_MAX;
    o.l2 = 1;
    o.learning_rate = 0.3f;
    o.curvature_min = 1;
    o.trees = 30;
    grow(&p, &o, 1, &f);
    cr_assert_eq(f.tree_count, 30);
    struct forest part = f;
    double before = INFINITY;
    for (part.tree_count = 0; part.tree_count <= 30; part.tree_count++) {
        double now = total_loss(&p, &part);
        cr_assert_lt(now, before, "tree %zu", part.tree_count);
        before = now;
    }
    done(&p, &f);
}

Test(trees_grow, the_form_of_trees_is_what_readers_demand)
{
    struct problem p = make(500, 6, 4, 5);
    struct forest f = {.experts = 4};
    struct forest_options o = plain;
    o.leaves = TREE_LEAVES_MAX;
    o.row_share = 0.5f;
    o.feature_share = 0.5f;
    o.trees = 40;
    grow(&p, &o, 1, &f);
    for (size_t t = 0; t < f.tree_count; t++) {
        const struct tree *tree = &f.trees[t];
        bool seen[2 * TREE_LEAVES_MAX] = {0};
        cr_assert_leq(tree->nodes, TREE_NODES_MAX);
        for (int n = 0; n < tree->nodes; n++)
            for (int side = 0; side < 2; side++) {
                int child = side ? tree->right[n] : tree->left[n];
                cr_assert(child < 0 ? -1 - child <= tree->nodes : child > n && child < tree->nodes);
                int slot = child < 0 ? TREE_LEAVES_MAX - 1 - child : child;
                cr_assert(!seen[slot], "a child with two parents");
                seen[slot] = true;
            }
    }
    done(&p, &f);
}

Test(trees_grow, same_seed_same_trees_and_they_are_appended)
{
    struct problem p = make(300, 4, 3, 6);
    struct forest a = {.experts = 3}, b = {.experts = 3};
    struct forest_options o = plain;
    o.row_share = 0.5f;
    o.feature_share = 0.6f;
    o.trees = 5;
    o.l2 = 1;
    grow(&p, &o, 1, &a);
    grow(&p, &o, 1, &b);
    grow(&p, &o, 0.5f, &b);
    cr_assert_eq(b.tree_count, 10);
    cr_assert_eq(memcmp(a.trees, b.trees, 5 * sizeof(struct tree)), 0);
    cr_assert_eq(memcmp(a.trees, b.trees + 5, 5 * sizeof(struct tree)), 0);
    size_t block = (size_t)5 * TREE_LEAVES_MAX * 3;
    for (size_t i = 0; i < block; i++) {
        cr_assert_eq((double)a.leaves[i], (double)b.leaves[i]);
        cr_assert_float_eq((double)b.leaves[block + i], (double)a.leaves[i] / 2, 1e-7);
    }
    forest_done(&b);
    done(&p, &a);
}

Test(trees_grow, rows_outside_the_order_do_not_count)
{
    struct problem p = make(100, 2, 2, 7), q = make(100, 2, 2, 7);
    struct forest a = {.experts = 2}, b = {.experts = 2};
    for (size_t i = 50; i < 100; i++)
        for (size_t e = 0; e < 2; e++)
            q.scores[i * 2 + e] = 1 - q.scores[i * 2 + e];
    cr_assert_eq(tree_bins_create(p.x, 100, 2, &p.bins, NULL), OK);
    cr_assert_eq(tree_bins_create(q.x, 100, 2, &q.bins, NULL), OK);
    p.rows = q.rows = 50;
    grow(&p, &plain, 1, &a);
    grow(&q, &plain, 1, &b);
    cr_assert_eq(memcmp(a.trees, b.trees, sizeof(struct tree)), 0);
    cr_assert_eq(memcmp(a.leaves, b.leaves, (size_t)2 * 2 * sizeof(float)), 0);
    done(&p, &a);
    done(&q, &b);
}

Test(trees_grow, no_rows_and_no_known_scores_give_empty_trees)
{
    struct problem p = make(30, 2, 2, 8);
    struct forest f = {.experts = 2};
    struct forest_options o = plain;
    o.l2 = 5;
    o.trees = 2;
    for (size_t i = 0; i < p.rows * 2; i++)
        p.scores[i] = -1;
    grow(&p, &o, 1, &f);
    p.rows = 0;
    grow(&p, &o, 1, &f);
    cr_assert_eq(f.tree_count, 4);
    float out[2] = {1, 2};
    forest_predict(&f, p.x, out);
    cr_assert_eq((double)out[0], 1);
    cr_assert_eq((double)out[1], 2);
    done(&p, &f);
}

Test(trees_grow, children_keep_the_least_curvature)
{
    struct problem p = make(40, 2, 1, 9);
    struct forest f = {.experts = 1};
    struct forest_options o = plain;
    o.curvature_min = 6; /* 40 rows have at most 10 together */
    o.leaves = TREE_LEAVES_MAX;
    grow(&p, &o, 1, &f);
    cr_assert_eq(f.trees[0].nodes, 0);
    done(&p, &f);
}
