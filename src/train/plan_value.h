/* What a set of arms is worth: mean utility, score − lambda · cost, of routing among them by their estimates, over
 * lambdas spread evenly over the mean costs that routing among singles can reach. Internal to train_plans.c. */
#pragma once

#include "train/plan_learn.h"

/* A combination of experts as its gain is reckoned: what it did on a usable row, going on where that gains more than
 * lambda a dollar. */
struct plan_worth {
    const bool *usable; /* [rows] */
    struct plan_result (*at)(const struct plan_rows *r, const void *course, double lambda,
                             size_t row);
    const void *course;
};

struct plan_value {
    size_t rows;
    double lambdas[PLAN_LAMBDAS];
    float *promised; /* [PLAN_LAMBDAS × rows] best estimated utility so far */
    float *
        kept; /* [PLAN_LAMBDAS × rows] recorded utility of that choice; NAN where it was not recorded */
    float *shares; /* [experts] of queries that go to an expert, mean over the lambdas */
};

/* Routing among the single experts. */
NODISCARD enum status plan_value_singles(const struct plan_rows *r, struct arena *a,
                                         struct plan_value *ret, struct error *err);
/* How much the mean utility grows, in score, if the arm joins: estimates [rows] and results [rows] of it. Rows where
 * !usable[row] stay as they are. */
double plan_value_gain(const struct plan_value *v, const struct estimate *estimates,
                       const struct plan_result *results, const bool *usable);
/* The arm joins. */
void plan_value_add(struct plan_value *v, const struct estimate *estimates,
                    const struct plan_result *results, const bool *usable);

/* Of a cascade or a panel. */
struct plan_worth plan_value_course(const struct plan_course *c);
/* The gain of a combination before its arms are learnt: for each lambda all queries take it or none does. Whether it is
 * taken at a lambda is decided for each half of the rows (even, odd) on the other half, so that noise alone has a gain
 * of 0. `*ret_error`, which may be NULL: the standard error. */
double plan_value_course_gain(const struct plan_value *v, const struct plan_rows *r,
                              const struct plan_worth *w, double *ret_error);
/* The combination joins, for the lambdas where it gains. */
void plan_value_course_add(struct plan_value *v, const struct plan_rows *r,
                           const struct plan_worth *w);
