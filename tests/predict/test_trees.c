/* Walking trees. */
#include "predict/trees.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/rng.h"

#define EXPERTS 2

Test(trees, a_forest_adds_the_leaf_that_each_tree_leads_to)
{
    /*      f0 < 1 ?            no split
     *     /        \
     *  f1 < -2?   leaf 2
     *  /     \
     * leaf 0  leaf 1                                    */
    struct tree trees[2] = {
        {.nodes = 2, .features = {0, 1}, .left = {1, -1}, .right = {-3, -2}, .thresholds = {1, -2}},
        {.nodes = 0}};
    float leaves[2 * TREE_LEAVES_MAX * EXPERTS] = {1, 10, 2, 20, 3, 30};
    leaves[TREE_LEAVES_MAX * EXPERTS] = 0.5f;
    leaves[TREE_LEAVES_MAX * EXPERTS + 1] = 0.25f;
    struct forest f = {2, EXPERTS, trees, leaves};
    const struct {
        float features[2], wanted;
    } cases[] = {
        {{0, -3}, 1}, {{0, -2}, 2}, /* equal goes right */
        {{0, 0}, 2},  {{1, -3}, 3}, {{5, 0}, 3}, {{NAN, -3}, 3}, {{-INFINITY, -INFINITY}, 1}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        float out[EXPERTS] = {100, 200};
        forest_predict(&f, cases[i].features, out);
        cr_assert_eq((double)out[0], 100.5 + (double)cases[i].wanted, "case %zu", i);
        cr_assert_eq((double)out[1], 200.25 + 10 * (double)cases[i].wanted, "case %zu", i);
    }
}

/* Columns are summed by vectors: any number of them must come out as one after the other. */
Test(trees, any_number_of_experts_is_summed_in_the_order_of_the_trees)
{
    enum { TREES = 150, MOST = 40 };
    struct tree trees[TREES];
    struct rng r;
    rng_seed(&r, 6);
    for (size_t t = 0; t < TREES; t++)
        trees[t] = (struct tree){.nodes = 1,
                                 .features = {(uint8_t)(t % 3)},
                                 .left = {-1},
                                 .right = {-2},
                                 .thresholds = {(float)rng_uniform(&r)}};
    const float features[] = {0.2f, 0.5f, 0.8f};
    for (size_t experts = 1; experts <= MOST; experts++) {
        size_t leaf_count = (size_t)TREES * TREE_LEAVES_MAX * experts;
        float *leaves = malloc(leaf_count * sizeof(*leaves)), out[MOST + 1], wanted[MOST + 1];
        cr_assert_not_null(leaves);
        for (size_t i = 0; i < leaf_count; i++)
            leaves[i] = (float)rng_uniform(&r) - 0.5f;
        for (size_t e = 0; e <= MOST; e++)
            out[e] = wanted[e] = (float)e / 3;
        struct forest f = {TREES, experts, trees, leaves};
        forest_predict(&f, features, out);
        for (size_t t = 0; t < TREES; t++) {
            size_t leaf = !(features[trees[t].features[0]] < trees[t].thresholds[0]);
            for (size_t e = 0; e < experts; e++)
                wanted[e] += leaves[(t * TREE_LEAVES_MAX + leaf) * experts + e];
        }
        for (size_t e = 0; e <= MOST; e++)
            cr_assert_eq((double)out[e], (double)wanted[e], "expert %zu of %zu", e, experts);
        free(leaves);
    }
}

Test(trees, an_empty_forest_adds_nothing)
{
    struct forest f = {.experts = 1};
    float out = 3;
    forest_predict(&f, NULL, &out);
    cr_assert_eq((double)out, 3);
}
