/* What the search (exact.c) and its bound (exact_bound.c) share: a node, which is a partial set and who may join it. */
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
