/* Between routed.c and routed_finals.c. */
#pragma once

#include "eval/curve.h"
#include "universe/routed.h"

#define ROUTED_BUDGETS 4 /* an eighth, a quarter, a half, and all of it */

struct routed {
    struct arena *arena, *scratch; /* scratch: of one measurement */
    struct dataset *d;
    size_t experts[CANDIDATES_MAX];
    size_t count;
    struct routed_options options;
    struct eval_set set; /* of all candidates, held out; its rows are the queries that count */
    double scores[CANDIDATES_MAX]; /* [count] mean of each */
    struct routed_figures figures;
};

/* A table's curve over its rows of weight 1 (weights NULL: all), and its points; in `a`. */
struct routed_curve {
    struct curve curve;
    struct curve_point *points; /* [curve.step_count + 1] */
    double rows;                /* their weights' sum */
};
NODISCARD enum status routed_curve_make(const struct eval_table *t, const uint32_t *weights,
                                        struct arena *a, struct routed_curve *ret,
                                        struct error *err);
/* What a budget comes to over its rows. */
double routed_nano_usd(const struct routed_curve *c, double usd_per_1k);
/* Mean scores at budgets, ascending; see routed_objective for those that pay less than the cheapest use. */
void routed_curve_scores(const struct routed_curve *c, const double *usd_per_1k, size_t n,
                         double *scores);
/* The budgets of routed_lens: usd_per_1k[ROUTED_BUDGETS], ascending; the last is the budget itself. */
void routed_budgets(const struct routed *r, double *usd_per_1k);
/* The mean of all scores[ROUTED_BUDGETS] but the last. */
double routed_below(const double *scores);
/* "a,b" of members[count], in `a`. */
NODISCARD enum status routed_names(const struct routed *r, const size_t *members, size_t count,
                                   struct arena *a, const char **ret, struct error *err);
