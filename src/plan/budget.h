/* Budget control: lambda calibrated on the training queries, corrected slowly online so that the mean cost of
 * the stream ends at the target (DESIGN.md, Policy). Not thread-safe; a gateway keeps one per policy behind a lock
 * or per loop.
 *
 * A proportional-integral controller on log lambda. Its input is the debt: what was spent beyond the target so far,
 * counted in queries at the target price. It aims to pay the debt back over a horizon that grows with the stream
 * (a twentieth of it), so that the relative error stays small at every length while a run of hard queries may still
 * cost more than a run of easy ones. */
#pragma once

#include <stdint.h>

struct budget {
    double target_usd;   /* per query */
    double lambda;       /* in force */
    double spent_usd;    /* in all */
    uint64_t queries;    /* in all */
    double lambda_start; /* the calibrated one */
    double debt;         /* queries' worth at the target; forgotten past what control can use */
    double log_center;   /* log of the lambda that a stream without debt would get */
};

/* usd_per_1k > 0; lambda_start as model_lambda_for_budget gives it (0 is fine). */
void budget_init(struct budget *b, double usd_per_1k, double lambda_start);
double budget_lambda(const struct budget *b);
/* After a decision: `cost_usd` is what it is predicted (route) or was found (serve) to cost. */
void budget_observe(struct budget *b, double cost_usd);
