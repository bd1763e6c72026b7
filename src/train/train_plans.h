/* Learning plans (predict/arm.h): which combinations of experts are worth having, and the escalations between their
 * calls.
 *
 *   screen   every pair and arbiter among the experts that routing would use gets a quick trial; greedily, the
 *            combination that adds most utility over routing among singles (and the plans already taken) is taken
 *   learn    its escalation, by cross-validation: every row's verdicts come from forests that never saw it
 *   panels   the same for sequential plans over four and six of those experts, where they add to routing
 *   select   thresholds make a family of arms of each; greedily, the arms that add most are kept
 *   heads    what an arm will do, from the members' estimated quality
 *
 * Utility is score − lambda · cost, averaged over lambdas spread evenly over the costs that routing can reach. */
#pragma once

#include "judge/answer_table.h"
#include "predict/plan_set.h"
#include "stage/trees_grow.h"

#define PLAN_LAMBDAS 16

struct plan_rows {
    const struct dataset *dataset;
    const struct answer_table *answers;
    size_t rows, experts;
    const size_t *expert; /* [experts] data set indices */
    const uint8_t *folds; /* [rows] */
    unsigned fold_count;
    const struct estimate *estimates; /* [rows × experts] held-out */
    const float *characters;          /* [rows] */
};

struct plan_options {
    const char *named; /* NULL: found by search; else plans separated by ';' */
    size_t combinations_max;
    struct forest_options forest;
    struct rng *rng;
};

/* A line of the search's table. Scores and costs are recorded ones, held out. */
struct plan_figures {
    struct str name;
    size_t rows;                      /* queries for which everything was recorded */
    double accuracy;                  /* of always running it */
    double cost_usd;                  /* mean */
    double calls;                     /* mean number of members asked */
    double escalated;                 /* share of queries on which the last member was asked */
    double agreed, right_when_agreed; /* panels: shares; NAN for cascades */
    double gain; /* utility that it added when it was taken, in points of accuracy */
};

struct trained_plans {
    struct plan_set set;
    struct plan_figures figures[PLANS_MAX]; /* of the plans in the set */
    size_t candidate_count;                 /* combinations tried */
    size_t combination_count;               /* taken */
    struct plan_figures combinations[PLAN_ESCALATIONS_MAX + PLAN_PANELS_MAX];
};

/* Everything lives in `a` but the forests, which trained_plans_done frees. ERR_NOT_FOUND: a named plan has an unknown
 * expert; ERR_INPUT: it is malformed, or too few of its outcomes are known. */
NODISCARD enum status train_plans(const struct plan_rows *rows, const struct plan_options *options,
                                  struct arena *a, struct trained_plans *ret, struct error *err);
void trained_plans_done(struct trained_plans *t);
