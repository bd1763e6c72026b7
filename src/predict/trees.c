/* What trees predict. */
#include "predict/trees.h"

#include <string.h>

#include "base/fmath.h"

/* Every node in turn, for children come behind their parents; without a branch, for which way a text goes cannot be
 * predicted. */
static size_t find_leaf(const struct tree *t, const float *features)
{
    int at = t->nodes ? 0 : -1;
    for (int k = 0; k < t->nodes; k++) {
        int left = t->left[k], right = t->right[k];
        int next = left ^ ((left ^ right) & -!(features[t->features[k]] < t->thresholds[k]));
        at = at == k ? next : at;
    }
    return (size_t)(-1 - at);
}

#define TREES_AT_ONCE 64 /* leaves are found, then added */
#define LANES         8  /* floats of a vector */

typedef float floats __attribute__((vector_size(LANES * sizeof(float))));

/* Two vectors of columns of the leaves[count], in the order of the trees; the sums stay in registers. */
WIDE_LOOPS static void add_columns(const float *const *leaves, size_t count, size_t column_a,
                                   float *a, size_t column_b, float *b)
{
    floats sum_a, sum_b, part;
    memcpy(&sum_a, a, sizeof(sum_a));
    memcpy(&sum_b, b, sizeof(sum_b));
    for (size_t t = 0; t < count; t++) {
        memcpy(&part, leaves[t] + column_a, sizeof(part));
        sum_a += part;
        memcpy(&part, leaves[t] + column_b, sizeof(part));
        sum_b += part;
    }
    memcpy(a, &sum_a, sizeof(sum_a));
    memcpy(b, &sum_b, sizeof(sum_b));
}

/* What does not fill a vector at the end is the last LANES columns, summed apart from those that other vectors have. */
static void add_leaves(const float *const *leaves, size_t count, size_t experts, float *out)
{
    float tail[LANES], spare[LANES] = {0};
    size_t whole = experts / LANES, last = experts - LANES, vectors = whole + (experts % LANES > 0);
    memcpy(tail, out + last, sizeof(tail));
    for (size_t k = 0; k < vectors; k += 2) {
        size_t next = k + 1;
        add_columns(leaves, count, k < whole ? k * LANES : last, k < whole ? out + k * LANES : tail,
                    next < whole ? next * LANES : last,
                    next < whole     ? out + next * LANES
                    : next < vectors ? tail
                                     : spare);
    }
    if (vectors > whole)
        memcpy(out + last, tail, sizeof(tail));
}

/* Of a known number of experts the sums stay in registers. */
static inline __attribute__((always_inline)) void add_some(const float *const *leaves, size_t count,
                                                           size_t experts, float *out)
{
    float sums[LANES];
    memcpy(sums, out, experts * sizeof(*out));
    for (size_t t = 0; t < count; t++)
        for (size_t e = 0; e < experts; e++)
            sums[e] += leaves[t][e];
    memcpy(out, sums, experts * sizeof(*out));
}

static void add_few(const float *const *leaves, size_t count, size_t experts, float *out)
{
    switch (experts) {
    case 2:
        add_some(leaves, count, 2, out);
        break;
    case 3:
        add_some(leaves, count, 3, out);
        break;
    case 4:
        add_some(leaves, count, 4, out);
        break;
    default:
        add_some(leaves, count, experts, out);
    }
}

void forest_predict(const struct forest *f, const float *features, float *out)
{
    const float *leaves[TREES_AT_ONCE], *first = f->leaves;
    for (size_t t = 0; t < f->tree_count;) {
        size_t count = 0;
        for (; count < TREES_AT_ONCE && t < f->tree_count; t++) {
            leaves[count] = first + find_leaf(&f->trees[t], features) * f->experts;
            __builtin_prefetch(leaves[count++]);
            first += TREE_LEAVES_MAX * f->experts;
        }
        (f->experts < LANES ? add_few : add_leaves)(leaves, count, f->experts, out);
    }
}
