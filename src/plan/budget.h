/* Budget control: lambda calibrated on the training queries, corrected slowly online so that the mean cost of
 * the stream ends at the target (DESIGN.md, Policy). Not thread-safe; a gateway keeps one per policy behind a lock
 * or per loop. */
#pragma once

#include <stdint.h>

struct budget {
    double target_usd;  /* per query */
    double lambda;      /* in force */
    double spent_usd;
    uint64_t queries;
    double lambda_start;
};

void budget_init(struct budget *b, double usd_per_1k, double lambda_start);
double budget_lambda(const struct budget *b);
/* After a decision: `cost_usd` is what it is predicted (route) or was found (serve) to cost. */
void budget_observe(struct budget *b, double cost_usd);
