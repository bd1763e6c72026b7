/* What the search (exact.c), its nodes (exact_node.c) and their bounds (exact_bound.c) share. */
#pragma once

#include "universe/exact.h"

/* What room a partial set leaves. */
struct room {
    size_t count;
    int64_t cost_nano_usd;
};

/* A partial set is told by what each candidate that may still join adds to each question on top of it. Columns are
 * those candidates, rows the questions that somebody can still improve. Memory is the search's stack. */
struct node {
    size_t rows, columns;
    uint16_t candidate[CANDIDATES_MAX]; /* [columns] */
    float *adds;                        /* [rows × columns] in units */
    float *most;                        /* [rows]: the largest of its columns */
    float *split; /* [rows]: the part of a score that every member counts, 0..1 */
    float *slope; /* [rows]: for node_bound_seek() alone */
    struct room room;
    double value; /* of the partial set */
};

/* What is decided about the columns of a node: who joins, and who may join later. */
struct sorted_columns {
    size_t joins[CANDIDATES_MAX], join_count;
    size_t open[CANDIDATES_MAX], open_count; /* in their order */
};

/* The memory of nodes; that on top ends at `used`. */
struct node_stack {
    float *memory;
    size_t used, capacity;
};

#define EXACT_BYTES (UINT64_C(2) << 30) /* what a search may hold */

/* The node of what is kept: whoever else fits beside it may join. Makes the stack, in `a`. */
NODISCARD enum status node_first(struct node_stack *s, const struct coverage *v,
                                 const struct set_rules *rules, struct arena *a, struct node *n,
                                 struct error *err);
/* The node on top of `from`, in which some have joined, with those open that still fit. False when there is no memory
 * for it. */
bool node_above(struct node_stack *stack, const struct node *from, const int64_t *costs,
                const struct sorted_columns *s, struct node *n);
/* Leaves only columns[count] of the node on top, and the rows to which they add. */
void node_narrow(struct node_stack *s, struct node *n, const size_t *columns, size_t count);

/* The columns of a node that count for something, in the two orders in which they are taken. */
struct knapsack {
    size_t wanted;
    uint16_t by_gain[CANDIDATES_MAX], by_ratio[CANDIDATES_MAX];
};

/* What is known of a node once its bound was sought. */
struct node_bound {
    double value;                   /* no set below the node is worth more */
    double shared;                  /* what is counted once, with the value of the partial set */
    double gain[CANDIDATES_MAX];    /* [columns]: of joining the partial set */
    double counted[CANDIDATES_MAX]; /* the part of the gain that is counted for itself */
    double share[CANDIDATES_MAX];   /* how much of it the relaxed knapsack takes, 0..1 */
    struct knapsack k;
};

/* Seeks a split with a small bound by up to `steps` steps; stops once the bound is below `target`, which is more than
 * `best`, what is reached already. Adds to *work what it looked at. */
void node_bound_seek(struct node *n, const int64_t *costs, double best, double target, size_t steps,
                     struct node_bound *ret, uint64_t *work);

/* The bound if the column, which fits, joins, or if it does not; by the last split. */
double node_bound_with(const struct node *n, const int64_t *costs, const struct node_bound *b,
                       size_t column);
double node_bound_without(const struct node *n, const int64_t *costs, const struct node_bound *b,
                          size_t column);
