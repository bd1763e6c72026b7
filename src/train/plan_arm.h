/* One arm that may be taken: a plan with its threshold, what it did on the training rows and what is expected of it
 * before any call. Internal to train_plans.c. */
#pragma once

#include "train/plan_learn.h"

struct plan_arm {
    struct plan plan;
    size_t course;      /* which cascade or panel, or which sequential plan, it is an arm of */
    const bool *usable; /* [rows] */
    struct plan_result *results; /* [rows] of usable ones, held out */
    struct estimate *estimates;  /* [rows] */
    float heads[PLAN_HEADS], panel_heads[PANEL_HEADS];
    struct plan_figures figures;
    bool taken;
};

/* Room for results and estimates. ERR_MEMORY. */
NODISCARD enum status plan_arm_allocate(const struct plan_rows *r, struct arena *a,
                                        struct plan_arm *arm, struct error *err);
/* Adds up the results: figures, the plan's share or calls, and its ratios of costs. */
void plan_arm_sum(const struct plan_rows *r, struct plan_arm *arm);
/* Fits the heads to the results, and fills the estimates. */
NODISCARD enum status plan_arm_fit(const struct plan_rows *r, struct arena *a, struct plan_arm *arm,
                                   struct error *err);
