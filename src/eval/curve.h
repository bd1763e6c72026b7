/* The cost-accuracy curve of the lambda sweep: for every lambda at which any decision changes, the recorded cost and
 * score of the experts that decide() would choose.
 *
 * As lambda falls from infinity each query walks up the convex hull of its (predicted cost, predicted quality)
 * points, so the whole sweep is a list of single steps sorted by lambda: it is exact, not a grid. A point between two
 * operating points is reached by mixing their policies at random, hence the linear interpolation; steps of one lambda
 * are taken together or not at all, so that points between them are such a mix, too. No upper envelope is
 * taken: picking the better of neighbouring points on the very queries that score them would flatter the router. */
#pragma once

#include <stdint.h>

#include "base/int128.h"
#include "eval/table.h"

struct curve_step {
    double lambda; /* below this the query takes `to` */
    uint32_t query, to;
    float score_gain; /* recorded: what the step adds to the totals */
    uint32_t order;   /* among the steps of its query */
    int64_t cost_gain_nano_usd;
};

struct curve_start {
    int64_t cost_nano_usd;
    float score;
};

struct curve {
    const struct eval_table *table;
    uint32_t *first; /* [queries] the choice at lambda = infinity: the cheapest predicted */
    struct curve_start *start; /* [queries] what was recorded for it */
    struct curve_step *steps;  /* [step_count], lambda falling */
    size_t step_count;
};

/* One operating point; sums over the (weighted) queries. */
struct curve_point {
    double lambda; /* the choices hold just below this; infinity at the first point */
    double score;
    int128 cost_nano_usd; /* each up to 1e18 */
};

/* Everything lives in `a`, the table must outlive it. ERR_INPUT when the pool is empty. */
NODISCARD enum status curve_make(const struct eval_table *t, struct arena *a, struct curve *ret,
                                 struct error *err);
/* points[step_count + 1] for queries counted weights[q] times (NULL: once). */
void curve_trace(const struct curve *c, const uint32_t *weights, struct curve_point *points);
/* A place on the curve: the first `steps` steps are taken, and with probability `share` the next one too. */
struct curve_cut {
    size_t steps;
    double share;  /* 0..1; 0 at the end of the curve */
    double lambda; /* choosing with it, ties to the cheaper, is the policy of `steps` steps */
};

/* The place at total cost `cost_nano_usd`: the smallest lambda whose cost stays within it, mixed with the next step.
 * Beyond the end of the curve it is the end. False when even the first point costs more. */
bool curve_cut_at(const struct curve_point *points, size_t count, double cost_nano_usd,
                  struct curve_cut *ret);
double curve_cut_score(const struct curve_point *points, const struct curve_cut *cut);
double curve_cut_cost_nano_usd(const struct curve_point *points, const struct curve_cut *cut);
/* choices[queries]: the expert that each query takes after the first `steps` steps. */
void curve_choices(const struct curve *c, size_t steps, uint32_t *choices);

/* Total score at total cost `cost_nano_usd`, at that place; NaN when there is none. */
double curve_score_at(const struct curve_point *points, size_t count, double cost_nano_usd);
/* The same for costs_nano_usd[n], ascending, in one pass. */
void curve_scores_at(const struct curve_point *points, size_t count, const double *costs_nano_usd,
                     size_t n, double *scores);
/* The lowest total cost (mixing neighbours) at which the score reaches `score`; NaN: never. */
double curve_cost_reaching(const struct curve_point *points, size_t count, double score);
