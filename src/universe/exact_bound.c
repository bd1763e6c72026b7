/* The bound of a node: see exact.h for what it means. A step of the search for a split is two walks over the node's
 * matrix: what each column counts by itself, and, for the few columns that the knapsack takes, how often each question
 * is counted: too often, and less of it is split; not at all, and more. Steps are as long as Polyak's rule has them.
 * One thread; the inner loops run over columns, so that the compiler makes them wide. */
#include <math.h>
#include <string.h>

#include "universe/exact_int.h"

#define STEP_SMALLEST 0.02 /* of Polyak's: shorter ones move the bound no more */
#define STEPS_IN_VAIN 4    /* then steps become half as long */
#define IN_VAIN       1e-4 /* of the distance to what is reached */

/* The knapsack */

/* Whose ratio, or gain, is larger; what costs nothing has the largest ratio. */
static bool comes_before(const struct node *n, const struct node_bound *b, const int64_t *costs,
                         size_t one, size_t other)
{
    if (!costs)
        return b->counted[one] > b->counted[other];
    return b->counted[one] * (double)costs[n->candidate[other]] >
           b->counted[other] * (double)costs[n->candidate[one]];
}

static void sort(const struct node *n, const struct node_bound *b, const int64_t *costs,
                 uint16_t *order)
{
    for (size_t i = 1; i < b->k.wanted; i++) {
        uint16_t column = order[i];
        size_t at = i;
        for (; at > 0 && comes_before(n, b, costs, column, order[at - 1]); at--)
            order[at] = order[at - 1];
        order[at] = column;
    }
}

static void knapsack_fill(const struct node *n, const int64_t *costs, struct node_bound *b)
{
    b->k.wanted = 0;
    for (size_t c = 0; c < n->columns; c++)
        if (b->counted[c] > 0)
            b->k.by_gain[b->k.wanted++] = (uint16_t)c;
    memcpy(b->k.by_ratio, b->k.by_gain, b->k.wanted * sizeof(b->k.by_gain[0]));
    sort(n, b, NULL, b->k.by_gain);
    sort(n, b, costs, b->k.by_ratio);
}

/* The most that so many columns count, whatever they cost. Fills share, if there is one. */
static double most_by_number(const struct node_bound *b, struct room room, size_t skip,
                             double *share)
{
    double sum = 0;
    for (size_t i = 0; i < b->k.wanted && room.count > 0; i++) {
        size_t column = b->k.by_gain[i];
        if (column == skip)
            continue;
        sum += b->counted[column];
        room.count--;
        if (share)
            share[column] = 1;
    }
    return sum;
}

/* The most that columns count for so much money, if one of them could be had in part. */
static double most_by_cost(const struct node *n, const int64_t *costs, const struct node_bound *b,
                           struct room room, size_t skip, double *share)
{
    double sum = 0, left = (double)room.cost_nano_usd;
    for (size_t i = 0; i < b->k.wanted; i++) {
        size_t column = b->k.by_ratio[i];
        if (column == skip)
            continue;
        double cost = (double)costs[n->candidate[column]];
        double part = cost <= left ? 1 : left / cost;
        sum += part * b->counted[column];
        left -= cost;
        if (share)
            share[column] = part;
        if (part < 1)
            break;
    }
    return sum;
}

/* Both limits hold, so the smaller of both. */
static double knapsack_most(const struct node *n, const int64_t *costs, const struct node_bound *b,
                            struct room room, size_t skip)
{
    return fmin(most_by_number(b, room, skip, NULL), most_by_cost(n, costs, b, room, skip, NULL));
}

static void knapsack_shares(const struct node *n, const int64_t *costs, struct node_bound *b)
{
    double by_number = most_by_number(b, n->room, SIZE_MAX, NULL);
    double by_cost = most_by_cost(n, costs, b, n->room, SIZE_MAX, NULL);
    memset(b->share, 0, n->columns * sizeof(b->share[0]));
    if (by_number <= by_cost)
        most_by_number(b, n->room, SIZE_MAX, b->share);
    else
        most_by_cost(n, costs, b, n->room, SIZE_MAX, b->share);
}

/* Walks over the matrix */

static void add_row(double *sums, const float *restrict adds, size_t columns, double part)
{
    for (size_t c = 0; c < columns; c++)
        sums[c] += part * (double)adds[c];
}

static void sum_gains(const struct node *n, double *gain)
{
    memset(gain, 0, n->columns * sizeof(*gain));
    for (size_t r = 0; r < n->rows; r++)
        add_row(gain, n->adds + r * n->columns, n->columns, 1);
}

/* Fills counted; returns what is counted once. */
static double sum_parts(const struct node *n, double *counted)
{
    double shared = n->value;
    memset(counted, 0, n->columns * sizeof(*counted));
    for (size_t r = 0; r < n->rows; r++) {
        shared += (1 - (double)n->split[r]) * (double)n->most[r];
        add_row(counted, n->adds + r * n->columns, n->columns, (double)n->split[r]);
    }
    return shared;
}

/* By how much the bound changes with each row's split; returns the square of that which a step can change. */
static double fill_slopes(struct node *n, const double *share)
{
    size_t taken[CANDIDATES_MAX], count = 0;
    double square = 0;
    for (size_t c = 0; c < n->columns; c++)
        if (share[c] > 0)
            taken[count++] = c;
    for (size_t r = 0; r < n->rows; r++) {
        const float *adds = n->adds + r * n->columns;
        double slope = -(double)n->most[r];
        for (size_t i = 0; i < count; i++)
            slope += share[taken[i]] * (double)adds[taken[i]];
        n->slope[r] = (float)slope;
        bool stuck = slope > 0 ? n->split[r] <= 0 : n->split[r] >= 1;
        square += stuck ? 0 : slope * slope;
    }
    return square;
}

static void take_step(struct node *n, double length)
{
    for (size_t r = 0; r < n->rows; r++)
        n->split[r] = fminf(fmaxf(n->split[r] - (float)length * n->slope[r], 0), 1);
}

/* The bound at the split as it stands. */
static double bound_here(const struct node *n, const int64_t *costs, struct node_bound *b)
{
    b->shared = sum_parts(n, b->counted);
    knapsack_fill(n, costs, b);
    return b->shared + knapsack_most(n, costs, b, n->room, SIZE_MAX);
}

/* The bound of no split at all: every score counts for every member. */
static double bound_whole(const struct node *n, const int64_t *costs, struct node_bound *b)
{
    sum_gains(n, b->gain);
    memcpy(b->counted, b->gain, n->columns * sizeof(b->gain[0]));
    knapsack_fill(n, costs, b);
    return n->value + knapsack_most(n, costs, b, n->room, SIZE_MAX);
}

/* What they cover who may still join, all together: where few of many are enough, sums of parts exceed it. */
static double bound_of_all(const struct node *n)
{
    double sum = n->value;
    for (size_t r = 0; r < n->rows; r++)
        sum += (double)n->most[r];
    return sum;
}

/* One piece: what decides on the next step changes with each. What is counted stays that of the last split; near the
 * end splits differ by little, and the bound is that of the best of them. */
void node_bound_seek(struct node *n, const int64_t *costs, double best, double target, size_t steps,
                     struct node_bound *ret, uint64_t *work)
{
    double length = 1;
    size_t in_vain = 0;
    ret->value = fmin(bound_whole(n, costs, ret), bound_of_all(n));
    *work += n->rows * n->columns;
    for (size_t i = 0; ret->value >= target; i++) {
        double here = bound_here(n, costs, ret);
        *work += n->rows * n->columns;
        in_vain = here < ret->value - IN_VAIN * (ret->value - best) ? 0 : in_vain + 1;
        ret->value = fmin(ret->value, here);
        if (in_vain >= STEPS_IN_VAIN) {
            in_vain = 0;
            length /= 2;
        }
        if (i >= steps || length < STEP_SMALLEST || ret->value < target)
            break;
        knapsack_shares(n, costs, ret);
        double square = fill_slopes(n, ret->share);
        if (square <= 0)
            break;
        take_step(n, length * (here - best) / square);
    }
    knapsack_shares(n, costs, ret);
}

double node_bound_with(const struct node *n, const int64_t *costs, const struct node_bound *b,
                       size_t column)
{
    struct room room = {n->room.count - 1, n->room.cost_nano_usd - costs[n->candidate[column]]};
    return b->shared + b->counted[column] + knapsack_most(n, costs, b, room, column);
}

double node_bound_without(const struct node *n, const int64_t *costs, const struct node_bound *b,
                          size_t column)
{
    return b->shared + knapsack_most(n, costs, b, n->room, column);
}
