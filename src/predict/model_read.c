/* Reading tensors that nobody has to trust: see model_read.h. */
#include "predict/model_read.h"

#include <stdio.h>

#define NAME_BYTES 64

enum status model_read_floats(const struct safetensors *s, const char *name, size_t a, size_t b,
                              size_t c, const float **ret, struct error *err)
{
    size_t shape[3] = {a, b, c};
    size_t rank = c ? 3 : b != SIZE_MAX ? 2 : 1;
    return safetensors_get(s, name, "F32", shape, rank, (const void **)ret, err);
}

static bool tree_is_sound(const struct tree *t, size_t features)
{
    if (t->nodes > TREE_NODES_MAX)
        return false;
    for (int n = 0; n < t->nodes; n++) {
        int children[2] = {t->left[n], t->right[n]};
        for (int c = 0; c < 2; c++)
            if (children[c] >= 0 ? children[c] <= n || children[c] >= t->nodes
                                 : -1 - children[c] > t->nodes)
                return false;
        if (t->features[n] >= features)
            return false;
    }
    return true;
}

enum status model_read_forest(const struct safetensors *s, const char *prefix, size_t outputs,
                              size_t features, struct forest *ret, struct error *err)
{
    char tree_name[NAME_BYTES], leaf_name[NAME_BYTES];
    size_t shape[2] = {0, sizeof(struct tree)};
    const void *trees;
    const float *leaves;
    snprintf(tree_name, sizeof(tree_name), "%s.trees", prefix);
    snprintf(leaf_name, sizeof(leaf_name), "%s.leaves", prefix);
    enum status status = safetensors_dim(s, tree_name, 2, 0, &shape[0], err);
    if (status == OK)
        status = safetensors_get(s, tree_name, "U8", shape, 2, &trees, err);
    if (status == OK)
        status = model_read_floats(s, leaf_name, shape[0], TREE_LEAVES_MAX, outputs, &leaves, err);
    if (status != OK)
        return status;
    if (shape[0] > FOREST_TREES_MAX || (uintptr_t)trees % _Alignof(struct tree))
        return error_set(err, ERR_CORRUPT, "'%s' is damaged", prefix);
    struct forest f = {shape[0], outputs, (struct tree *)trees, (float *)leaves};
    for (size_t t = 0; t < f.tree_count; t++)
        if (!tree_is_sound(&f.trees[t], features))
            return error_set(err, ERR_CORRUPT, "'%s': tree %zu is damaged", prefix, t);
    *ret = f;
    return OK;
}
