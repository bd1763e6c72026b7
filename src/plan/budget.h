/* Budget control: lambda calibrated on the model's sample, corrected online by what the stream costs, so that its mean
 * ends at the target. Not thread-safe; a gateway keeps one per policy behind a lock.
 *
 * The correction works on the debt: what was spent beyond the target so far, counted in queries at the target price.
 * The calibrated curve says which lambda costs which share of the target on average; asking it for exp(-debt / horizon)
 * pays the debt back within about a horizon, a hundredth of the stream so far.
 *
 * Not all debt is to be paid back at once. Where questions come subject by subject, a run of hard ones costs more than
 * average at the very lambda that is best for the whole, and the easy ones that follow return the money; to spend alike
 * on each costs up to a point of accuracy. So the controller also keeps what the queries would have cost at the
 * calibrated lambda, the usual cost: its sum beyond the target is the mix, that part of the debt which is due to the
 * kind of queries that came. How far usual costs come in runs (the variance of sums of BUDGET_RUN queries over that of
 * queries in random order) tells sorted traffic from shuffled. In sorted traffic most of the mix is allowed as debt,
 * but never more than BUDGET_ALLOWANCE_MAX queries' worth or BUDGET_ALLOWANCE_SHARE of the stream, and less and less
 * of it the longer the mix stays away from the one that was trained on; in shuffled traffic none is allowed. Figures:
 * bench/budget.md. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "plan/decide.h"

#define BUDGET_SHARES          99   /* odd: the target itself is one of them */
#define BUDGET_SHARE_MAX       50.0 /* the curve reaches from a fiftieth to fifty times the target */
#define BUDGET_RUN             50
#define BUDGET_ALLOWANCE_MAX   2000.0
#define BUDGET_ALLOWANCE_SHARE 0.5

/* What is known of the stream so far: all that must survive a restart. */
struct budget_state {
    uint64_t queries;
    double spent_usd;
    double debt;        /* queries' worth at the target; forgotten past what control can use */
    double mix;         /* sum of (usual cost / target - 1) */
    double mix_squares; /* mean of its square */
    double run;         /* its sum over the run that is not full yet */
    double run_squares; /* mean over the full runs of the square of their sums */
};

struct budget {
    double target_usd;                /* per query */
    double log_lambda[BUDGET_SHARES]; /* by share of the target, evenly in its logarithm; falling */
    double lambda;                    /* in force */
    double lambda_usual;              /* the calibrated one */
    struct budget_state state;
};

/* usd_per_1k > 0. The curve is taken from a model's sample, at the prices in force, over the arms with use[i] (NULL:
 * all); without rows lambda starts at one unit of quality per target. */
void budget_init_sample(struct budget *b, const struct model_sample *sample, const bool *use,
                        double usd_per_1k);
double budget_lambda(const struct budget *b);

/* decide() at the lambda in force. *ret_usual_usd: what the query would be predicted to cost at the calibrated lambda;
 * it goes to budget_observe() with what the query did cost. */
NODISCARD enum status budget_decide(const struct budget *b, const struct policy *p,
                                    const struct estimate *estimates, const bool *eligible,
                                    size_t count, struct decision *ret, double *ret_usual_usd,
                                    struct error *err);
/* After a decision: `cost_usd` is what it is predicted (route) or was found (serve) to cost. usual_usd < 0: not known,
 * which counts as a query of the usual kind. */
void budget_observe(struct budget *b, double cost_usd, double usual_usd);

/* Whether any stream can have led to it. */
bool budget_state_possible(const struct budget_state *s);
/* Goes on where another run ended. ERR_CORRUPT when no stream can have led to `state`; `b` is untouched then. */
NODISCARD enum status budget_resume(struct budget *b, const struct budget_state *state,
                                    struct error *err);
