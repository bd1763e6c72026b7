/* Trees of two-means. Each parting is tried from several pairs of texts, and the one whose halves hold together best is
 * kept; a half that would be too small is filled up with the texts that lie nearest to it, by moving the threshold.
 *
 * One thread. Scratch memory lives in the caller's arena for each tree; directions stay there. The same rows and the
 * same random numbers give the same trees. */
#include "gaps/splits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

#define TRIES        6
#define ROUNDS_MAX   15    /* of one try */
#define SAMPLE_MAX   20000 /* texts by which the halves of a part are found */
#define SMALLER_HALF 5     /* the smaller half has at least a part in so many */

void split_add(const struct corpus_row *row, float *sum)
{
    for (uint32_t i = 0; i < row->count; i++)
        sum[row->words[i]] += row->weights[i];
}

double split_normalize(float *sum, size_t words)
{
    double squares = 0;
    for (size_t w = 0; w < words; w++)
        squares += (double)sum[w] * (double)sum[w];
    double length = sqrt(squares);
    float scale = length > 0 ? (float)(1 / length) : 0;
    for (size_t w = 0; w < words; w++)
        sum[w] *= scale;
    return length;
}

/* One tree that grows. */
struct growth {
    struct split_forest *forest;
    const struct corpus *corpus;
    const struct split_rules *rules;
    const struct split_missed *missed;
    struct rng *rng;
    struct arena *arena;
    uint32_t *rows;           /* [count] of the tree */
    uint32_t *sample;         /* [SAMPLE_MAX] of the part */
    bool *high;               /* [SAMPLE_MAX] */
    float *sums[2];           /* [words] of the halves in this try */
    float *best[2];           /* of the best try */
    double *margins, *sorted; /* [count] */
};

/* Two halves */

/* Puts each text of the sample to the nearer half; whether any has moved. Texts as near to both are dealt out. */
static bool sample_assign(struct growth *g, size_t count)
{
    bool moved = false;
    for (size_t i = 0; i < count; i++) {
        const struct corpus_row *row = &g->corpus->rows[g->sample[i]];
        double nearer = corpus_dot(row, g->sums[1]) - corpus_dot(row, g->sums[0]);
        bool high = nearer > 0 || (nearer >= 0 && i % 2);
        moved |= high != g->high[i];
        g->high[i] = high;
    }
    return moved;
}

/* The middles of both halves; returns how well they hold together: the sum of their lengths. */
static double sample_sum(struct growth *g, size_t count)
{
    size_t words = g->corpus->word_count;
    for (int h = 0; h < 2; h++)
        memset(g->sums[h], 0, words * sizeof(float));
    for (size_t i = 0; i < count; i++)
        split_add(&g->corpus->rows[g->sample[i]], g->sums[g->high[i]]);
    return split_normalize(g->sums[0], words) + split_normalize(g->sums[1], words);
}

/* Begins with one text, and another that is unlike it. */
static void sample_seed(struct growth *g, size_t count)
{
    size_t words = g->corpus->word_count, first = rng_below(g->rng, count), second = first;
    for (int h = 0; h < 2; h++)
        memset(g->sums[h], 0, words * sizeof(float));
    split_add(&g->corpus->rows[g->sample[first]], g->sums[0]);
    double least = INFINITY;
    for (int draw = 0; draw < 8; draw++) {
        size_t i = rng_below(g->rng, count);
        double near = corpus_dot(&g->corpus->rows[g->sample[i]], g->sums[0]);
        if (near < least && i != first) {
            least = near;
            second = i;
        }
    }
    split_add(&g->corpus->rows[g->sample[second]], g->sums[1]);
}

static void halves_find(struct growth *g, const uint32_t *rows, size_t count)
{
    size_t words = g->corpus->word_count, used = count < SAMPLE_MAX ? count : SAMPLE_MAX;
    double best = -1;
    for (size_t i = 0; i < used; i++)
        g->sample[i] = rows[i * count / used];
    for (int t = 0; t < TRIES; t++) {
        double together = 0;
        sample_seed(g, used);
        for (int round = 0; round < ROUNDS_MAX && (sample_assign(g, used) || round == 0); round++)
            together = sample_sum(g, used);
        if (together <= best)
            continue;
        best = together;
        for (int h = 0; h < 2; h++)
            memcpy(g->best[h], g->sums[h], words * sizeof(float));
    }
}

/* Where to part */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The threshold that leaves at least `floor` texts in each half; 0 where that does. */
static double threshold_find(struct growth *g, size_t count, size_t floor)
{
    size_t high = 0;
    for (size_t i = 0; i < count; i++)
        high += g->margins[i] > 0;
    if (high >= floor && count - high >= floor)
        return 0;
    memcpy(g->sorted, g->margins, count * sizeof(double));
    qsort(g->sorted, count, sizeof(double), ascending);
    size_t low = high < floor ? count - floor : floor;
    return (g->sorted[low - 1] + g->sorted[low]) / 2;
}

/* Puts the rows of the low half first; returns how many they are. */
static size_t rows_part(struct growth *g, uint32_t *rows, size_t count, double threshold)
{
    size_t low = 0;
    for (size_t i = 0; i < count; i++) {
        if (g->margins[i] > threshold)
            continue;
        uint32_t row = rows[i];
        double margin = g->margins[i];
        rows[i] = rows[low];
        g->margins[i] = g->margins[low];
        rows[low] = row;
        g->margins[low++] = margin;
    }
    return low;
}

struct moments {
    double mean, squared_error; /* of the mean */
};

static struct moments moments_of(const struct split_missed *m, const uint32_t *rows, size_t count)
{
    double sum = 0, squares = 0, noise = 0, n = (double)count;
    for (size_t i = 0; i < count; i++) {
        double x = (double)m->missed[rows[i]];
        sum += x;
        squares += x * x;
        noise += (double)m->noise[rows[i]];
    }
    double variance = (squares - sum * sum / n + noise) / (n - 1);
    return (struct moments){sum / n, fmax(variance, 0) / n};
}

static bool halves_differ(const struct growth *g, const uint32_t *rows, size_t low, size_t count)
{
    struct moments a = moments_of(g->missed, rows, low);
    struct moments b = moments_of(g->missed, rows + low, count - low);
    return fabs(a.mean - b.mean) > g->rules->telling * sqrt(a.squared_error + b.squared_error);
}

/* Parts rows[count] and fills the node's direction; returns the size of the low half, 0: it stays whole. */
static size_t part_try(struct growth *g, uint32_t *rows, size_t count, struct split_node *node)
{
    size_t least = g->rules->least, words = g->corpus->word_count;
    if (count < 2 * least || words == 0)
        return 0;
    halves_find(g, rows, count);
    for (size_t w = 0; w < words; w++)
        g->best[1][w] -= g->best[0][w];
    for (size_t i = 0; i < count; i++)
        g->margins[i] = corpus_dot(&g->corpus->rows[rows[i]], g->best[1]);
    size_t floor = count / SMALLER_HALF > least ? count / SMALLER_HALF : least;
    node->threshold = threshold_find(g, count, floor);
    size_t low = rows_part(g, rows, count, node->threshold);
    if (low < least || count - low < least) /* texts of the same words */
        return 0;
    return count > g->rules->most || halves_differ(g, rows, low, count) ? low : 0;
}

/* Growing */

static enum status growth_init(struct growth *g, size_t count, struct error *err)
{
    size_t words = g->corpus->word_count, used = count < SAMPLE_MAX ? count : SAMPLE_MAX;
    bool ok = (g->sample = ARENA_ARRAY(g->arena, used, uint32_t)) != NULL;
    ok = ok && (g->high = ARENA_ARRAY(g->arena, used, bool)) != NULL;
    ok = ok && (g->margins = ARENA_ARRAY(g->arena, count, double)) != NULL;
    ok = ok && (g->sorted = ARENA_ARRAY(g->arena, count, double)) != NULL;
    for (int h = 0; h < 2 && ok; h++)
        ok = (g->sums[h] = ARENA_ARRAY(g->arena, words + 1, float)) != NULL &&
             (g->best[h] = ARENA_ARRAY(g->arena, words + 1, float)) != NULL;
    return ok ? OK : error_set(err, ERR_MEMORY, "out of memory");
}

static uint32_t node_add(struct split_forest *f)
{
    f->nodes[f->node_count] = (struct split_node){.leaf = SPLIT_LEAF};
    return (uint32_t)f->node_count++;
}

/* Grows the node over rows[from, to). The depth is that of halvings by a fifth: some fifty for any size_t of texts that
 * fits in memory. */
static enum status node_grow(struct growth *g, uint32_t node, size_t from, size_t to,
                             struct error *err)
{
    struct split_forest *f = g->forest;
    struct split_node made = {.leaf = SPLIT_LEAF};
    size_t words = g->corpus->word_count, low = part_try(g, g->rows + from, to - from, &made);
    if (low == 0) {
        f->nodes[node].leaf = (uint32_t)f->leaf_count++;
        f->placed += to - from;
        if (f->progress)
            f->progress(f->placed, f->arg);
        return OK;
    }
    float *direction = ARENA_ARRAY(g->arena, words, float);
    if (!direction)
        return error_set(err, ERR_MEMORY, "out of memory");
    memcpy(direction, g->best[1], words * sizeof(float));
    made.direction = direction;
    made.low = node_add(f);
    made.high = node_add(f);
    f->nodes[node] = made;
    enum status status = node_grow(g, made.low, from, from + low, err);
    return status == OK ? node_grow(g, made.high, from + low, to, err) : status;
}

enum status split_forest_init(const struct corpus *c, size_t least, size_t roots, struct arena *a,
                              struct split_forest *ret, struct error *err)
{
    CHECK(least > 0);
    size_t nodes = 2 * (c->row_count / least) + 2 * roots;
    *ret = (struct split_forest){.corpus = c, .nodes = ARENA_ARRAY(a, nodes, struct split_node)};
    return ret->nodes || !nodes ? OK : error_set(err, ERR_MEMORY, "out of memory");
}

enum status split_grow(struct split_forest *f, uint32_t *rows, size_t count,
                       const struct split_rules *rules, const struct split_missed *missed,
                       struct rng *rng, struct arena *a, uint32_t *ret_root, struct error *err)
{
    struct growth g = {.forest = f,
                       .corpus = f->corpus,
                       .rules = rules,
                       .missed = missed,
                       .rng = rng,
                       .arena = a,
                       .rows = rows};
    enum status status = growth_init(&g, count, err);
    if (status != OK)
        return status;
    *ret_root = node_add(f);
    return node_grow(&g, *ret_root, 0, count, err);
}

uint32_t split_leaf(const struct split_forest *f, uint32_t root, const struct corpus_row *row)
{
    const struct split_node *n = &f->nodes[root];
    while (n->direction)
        n = &f->nodes[corpus_dot(row, n->direction) > n->threshold ? n->high : n->low];
    return n->leaf;
}
