/* The budget of one policy behind a lock, counted: the pools of successive configurations share it, so that a request
 * which began before a reload still pays into what is in force after it. Any thread. */
#pragma once

#include "plan/budget.h"

struct budget_cell;

/* Held once; arguments as for budget_init_sample. NULL: no memory. */
struct budget_cell *budget_cell_create(const struct model_sample *sample, const bool *use,
                                       double usd_per_1k);
struct budget_cell *budget_cell_hold(struct budget_cell *c); /* returns c */
void budget_cell_release(struct budget_cell *c);             /* NULL is fine */

/* As budget_decide. */
NODISCARD enum status budget_cell_decide(struct budget_cell *c, const struct policy *p,
                                         const struct estimate *estimates, const bool *eligible,
                                         size_t count, struct decision *ret, double *ret_usual_usd,
                                         struct error *err);
void budget_cell_observe(struct budget_cell *c, double cost_usd, double usual_usd);
double budget_cell_lambda(struct budget_cell *c); /* in force */
struct budget_state budget_cell_state(struct budget_cell *c);
/* `state` is one that some stream can have led to. */
void budget_cell_resume(struct budget_cell *c, const struct budget_state *state);
/* The curve of `fresh`, which nobody else uses yet, with the state of c: c goes on under a new model or new prices. */
void budget_cell_renew(struct budget_cell *c, const struct budget_cell *fresh);
