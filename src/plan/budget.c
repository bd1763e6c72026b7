#include "plan/budget.h"

#include <math.h>

#include "base/check.h"

/* The debt is to be paid back over this share of the stream so far, within these bounds (in queries). The
 * lower bound keeps a few dear queries at the start from swinging lambda; the upper one keeps a gateway that has
 * served a million queries awake. */
#define HORIZON_SHARE 0.1
#define HORIZON_MIN   50.0
#define HORIZON_MAX   2000.0

/* Gains on log lambda: a debt of one horizon moves it by PROPORTIONAL; INTEGRAL is a quarter of its square, the
 * critically damped choice where cost falls in proportion to lambda. */
#define PROPORTIONAL 1.0
#define INTEGRAL     0.25

/* Lambda stays within these multiples of 1 / target: there, paying the target price once more must be worth a
 * thousandth, or a thousand times, a whole unit of quality. */
#define LAMBDA_SPAN 1e3

/* More debt than this many horizons cannot be acted upon and is forgotten. */
#define DEBT_HORIZONS 8.0

static double clamp(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

static double log_lambda_clamp(const struct budget *b, double log_lambda)
{
    double middle = -log(b->target_usd);
    return clamp(log_lambda, middle - log(LAMBDA_SPAN), middle + log(LAMBDA_SPAN));
}

static double horizon(const struct budget *b)
{
    return clamp(HORIZON_SHARE * (double)b->queries, HORIZON_MIN, HORIZON_MAX);
}

void budget_init(struct budget *b, double usd_per_1k, double lambda_start)
{
    CHECK(usd_per_1k > 0);
    CHECK(lambda_start >= 0);
    *b = (struct budget){.target_usd = usd_per_1k / 1000, .lambda_start = lambda_start};
    b->lambda = lambda_start;
    b->log_center = log_lambda_clamp(b, lambda_start > 0 ? log(lambda_start) : -INFINITY);
}

double budget_lambda(const struct budget *b)
{
    return b->lambda;
}

void budget_observe(struct budget *b, double cost_usd)
{
    CHECK(cost_usd >= 0);
    b->spent_usd += cost_usd;
    b->queries++;
    double span = horizon(b);
    b->debt =
        clamp(b->debt + cost_usd / b->target_usd - 1, -DEBT_HORIZONS * span, DEBT_HORIZONS * span);
    double error = b->debt / span;
    b->log_center = log_lambda_clamp(b, b->log_center + INTEGRAL * error / span);
    b->lambda = exp(log_lambda_clamp(b, b->log_center + PROPORTIONAL * error));
}
