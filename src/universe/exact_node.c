/* Nodes on their stack: the first, of all questions, and those made from others. They lie on one piece of memory, each
 * smaller than that below it, so that the deepest path needs little more than the first. A question whose scores are
 * not only right and wrong becomes several rows, one for the part of its scores between two cuts, because each row has
 * a split of its own. One thread; nothing here decides. */
#include <math.h>
#include <stdlib.h>

#include "universe/exact_int.h"

#define CUTS        6 /* rows of one question: more make a better bound, and each step of it longer */
#define SPLIT_FIRST 0.5f
#define STACK_NODES 8 /* as large as the first: what the stack has room for */

/* Gives a node of up to so many rows its memory at the top of the stack; false when there is not enough. Its matrix
 * comes last: node_end() says how much of it is used. */
static bool node_begin(const struct node_stack *s, size_t rows, size_t columns, struct node *n)
{
    if (s->capacity - s->used < rows * (columns + 3))
        return false;
    n->most = s->memory + s->used;
    n->split = n->most + rows;
    n->slope = n->split + rows;
    n->adds = n->slope + rows;
    n->rows = 0;
    n->columns = columns;
    return true;
}

static void node_end(struct node_stack *s, const struct node *n)
{
    s->used = (size_t)(n->adds - s->memory) + n->rows * n->columns;
}

/* Counts in a row that has been written behind the others, if it has anything to add. */
static void node_row(struct node *n, float split)
{
    const float *adds = n->adds + n->rows * n->columns;
    float most = 0;
    for (size_t c = 0; c < n->columns; c++)
        most = adds[c] > most ? adds[c] : most;
    if (most <= 0)
        return;
    n->most[n->rows] = most;
    n->split[n->rows++] = split;
}

/* The first node */

static int compare_scores(const void *a, const void *b)
{
    return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

/* Where a question's scores are cut into rows, each the part of them between two cuts: at its own scores above what is
 * kept, or at some of them. Returns how many; the last is the largest score. */
static size_t cuts_of(const struct node *n, const uint16_t *scores, uint16_t has, uint16_t *cuts)
{
    uint16_t sorted[CANDIDATES_MAX];
    size_t count = 0, distinct = 0;
    for (size_t c = 0; c < n->columns; c++)
        if (scores[n->candidate[c]] > has)
            sorted[count++] = scores[n->candidate[c]];
    qsort(sorted, count, sizeof(sorted[0]), compare_scores);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || sorted[i] != sorted[i - 1])
            sorted[distinct++] = sorted[i];
    size_t wanted = distinct < CUTS ? distinct : CUTS;
    for (size_t i = 0; i < wanted; i++)
        cuts[i] = sorted[(i + 1) * distinct / wanted - 1];
    return wanted;
}

static void first_columns(struct node *n, const struct coverage *v, const struct set_rules *rules)
{
    bool kept[CANDIDATES_MAX] = {false};
    n->room = (struct room){rules->count_max, rules->cost_max_nano_usd};
    n->value = coverage_value(v, rules->keep, rules->keep_count);
    n->columns = 0;
    for (size_t i = 0; i < rules->keep_count; i++) {
        kept[rules->keep[i]] = true;
        n->room.count--;
        n->room.cost_nano_usd -= rules->cost_nano_usd[rules->keep[i]];
    }
    for (size_t c = 0; c < rules->candidates; c++)
        if (!kept[c] && rules->cost_nano_usd[c] <= n->room.cost_nano_usd)
            n->candidate[n->columns++] = (uint16_t)c;
}

static void first_rows(struct node *n, const struct coverage *v, const struct set_rules *rules)
{
    for (size_t r = 0; r < v->row_count; r++) {
        const uint16_t *scores = v->c->scores + v->rows[r] * v->c->count;
        uint16_t cuts[CUTS], low = coverage_best(v, r, rules->keep, rules->keep_count);
        size_t count = cuts_of(n, scores, low, cuts);
        for (size_t i = 0; i < count; low = cuts[i++]) {
            float *adds = n->adds + n->rows * n->columns;
            for (size_t c = 0; c < n->columns; c++) {
                uint16_t score = scores[n->candidate[c]];
                uint16_t part = score < cuts[i] ? score : cuts[i];
                adds[c] = (float)(part > low ? part - low : 0);
            }
            node_row(n, SPLIT_FIRST);
        }
    }
}

enum status node_first(struct node_stack *s, const struct coverage *v,
                       const struct set_rules *rules, struct arena *a, struct node *n,
                       struct error *err)
{
    first_columns(n, v, rules);
    size_t rows = 0, columns = n->columns;
    for (size_t r = 0; r < v->row_count; r++) {
        uint16_t cuts[CUTS], has = coverage_best(v, r, rules->keep, rules->keep_count);
        rows += cuts_of(n, v->c->scores + v->rows[r] * v->c->count, has, cuts);
    }
    uint64_t first = (uint64_t)rows * (columns + 3) + 1;
    uint64_t most = EXACT_BYTES / 2 / sizeof(float);
    s->used = 0;
    s->capacity = first * STACK_NODES < most ? first * STACK_NODES : most;
    s->memory = ARENA_ARRAY(a, s->capacity, float);
    if (!s->memory || !node_begin(s, rows, columns, n))
        return error_set(err, ERR_MEMORY, "out of memory");
    first_rows(n, v, rules);
    node_end(s, n);
    return OK;
}

/* The others */

void node_narrow(struct node_stack *s, struct node *n, const size_t *columns, size_t count)
{
    struct node from = *n;
    for (size_t i = 0; i < count; i++)
        n->candidate[i] = from.candidate[columns[i]];
    n->columns = count;
    n->rows = 0;
    for (size_t r = 0; r < from.rows; r++) {
        float split = from.split[r];
        for (size_t i = 0; i < count; i++)
            n->adds[n->rows * count + i] = from.adds[r * from.columns + columns[i]];
        node_row(n, split);
    }
    node_end(s, n);
}

/* One piece, as the matrix is written in one walk. */
bool node_above(struct node_stack *stack, const struct node *from, const int64_t *costs,
                const struct sorted_columns *s, struct node *n)
{
    size_t left[CANDIDATES_MAX], count = 0;
    n->room = from->room;
    n->value = from->value;
    for (size_t i = 0; i < s->join_count; i++) {
        n->room.count--;
        n->room.cost_nano_usd -= costs[from->candidate[s->joins[i]]];
    }
    for (size_t i = 0; i < s->open_count; i++)
        if (costs[from->candidate[s->open[i]]] <= n->room.cost_nano_usd)
            left[count++] = s->open[i];
    if (!node_begin(stack, from->rows, count, n))
        return false;
    for (size_t i = 0; i < count; i++)
        n->candidate[i] = from->candidate[left[i]];
    for (size_t r = 0; r < from->rows; r++) {
        const float *adds = from->adds + r * from->columns;
        float *into = n->adds + n->rows * count, has = 0;
        for (size_t i = 0; i < s->join_count; i++)
            has = fmaxf(adds[s->joins[i]], has);
        n->value += (double)has;
        for (size_t i = 0; i < count; i++)
            into[i] = fmaxf(adds[left[i]] - has, 0);
        node_row(n, from->split[r]);
    }
    node_end(stack, n);
    return true;
}
