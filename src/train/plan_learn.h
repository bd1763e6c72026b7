/* Learning one combination: its escalation by cross-validation, and what each of its arms would have done. Internal to
 * train_plans.c. */
#pragma once

#include "train/train_plans.h"

/* A combination of experts on all rows, by forests that never saw the row. */
struct plan_course {
    struct plan plan; /* kind and members; rule PLAN_TRUST */
    struct escalation escalation;
    bool *usable; /* [rows] every member's score, cost and text were recorded */
    size_t usable_count;
    float *gain_per_usd; /* [rows] of asking the last member */
    uint8_t *kept;       /* [rows] whose answer stands if it is not asked */
    uint8_t *final;      /* [rows] ... and if it is */
};

/* What an arm of a course did on one row. */
struct plan_result {
    float score, cost_usd;
    uint8_t asked; /* bit i: member i */
};

/* Everything but the forests lives in `a`; plan_course_done frees those. */
NODISCARD enum status plan_course_learn(const struct plan_rows *rows, const struct plan *plan,
                                        const struct forest_options *forest, struct rng *rng,
                                        struct arena *a, struct plan_course *ret,
                                        struct error *err);
void plan_course_done(struct plan_course *c);

/* Whether every member's score, cost and text were recorded. */
bool plan_row_is_usable(const struct plan_rows *rows, const struct plan *p, size_t row);
/* State of a row with the first members asked, and the last one too where `all`. */
void plan_row_state(const struct plan_rows *rows, const struct plan *p, size_t row, bool all,
                    struct plan_state *ret);
/* The row must be usable. `arm` is a plan over the course's members. */
struct plan_result plan_course_result(const struct plan_rows *rows, const struct plan_course *c,
                                      const struct plan *arm, size_t row);
