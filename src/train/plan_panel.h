/* Sequential plans from recorded outcomes: the rows that a panel learns from (stage/panel_learn.h), and what it did on
 * them. Internal to train_plans.c. */
#pragma once

#include "train/plan_value.h"

struct panel_course {
    struct plan plan; /* kind and members */
    struct panel panel;
    bool *usable; /* [rows] every member's score, cost and text were recorded */
    size_t usable_count;
    struct plan_result *results; /* [lambdas × rows] of usable ones, held out */
};

/* The members are asked in no order of their own. Too few usable rows: usable_count says so, and nothing was learnt.
 * What is kept lives in `a`, but for the forests, which panel_course_done frees. ERR_MEMORY. */
NODISCARD enum status panel_course_learn(const struct plan_rows *rows, const struct plan *plan,
                                         size_t usable_min, struct rng *rng, struct arena *a,
                                         struct panel_course *ret, struct error *err);
void panel_course_done(struct panel_course *c);
/* Its results at one of the panel's lambdas, [rows]. */
const struct plan_result *panel_course_results(const struct panel_course *c, size_t rows,
                                               size_t lambda);
/* Mean number of members asked, at the lambda at which it is most. */
double panel_course_calls(const struct panel_course *c, size_t rows);
struct plan_worth panel_course_worth(const struct panel_course *c);
