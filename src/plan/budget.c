/* The controller of lambda; budget.h says what it aims at. */
#include "plan/budget.h"

#include <math.h>

#include "base/check.h"

/* The debt is to be paid back over this share of the stream so far, within these bounds (in queries). The
 * lower bound keeps a few dear queries at the start from swinging lambda; the upper one keeps a gateway that has
 * served a million queries awake. */
#define HORIZON_SHARE 0.05
#define HORIZON_MIN   50.0
#define HORIZON_MAX   2000.0

/* Gains on log lambda: a debt of one horizon moves it by PROPORTIONAL at once, and by INTEGRAL for every horizon that
 * it lasts. Tried on a held-out quarter of MMLU (2,785 questions, two pools, targets of 5 to 90 % of what could be
 * spent): shuffled, the mean ends within 0.5 % as a rule and 1.3 % at worst, and costs no accuracy; in file order,
 * subject by subject, within 1.5 % (3.3 % where nearly everything is to be spent), at 0.1 to 1.7 points of accuracy.
 * Half these gains would lose 0.3 points less there and miss the target by up to 9 %. */
#define PROPORTIONAL 2.0
#define INTEGRAL     0.25

/* The center stays within this factor of a calibrated start. */
#define CENTER_SPAN 8.0

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

/* The calibrated start is trusted up to a factor. Without this bound a run of queries on which the target cannot be
 * spent would carry the center so far down that the dear queries after it pass unchecked. */
static double log_center_clamp(const struct budget *b, double log_center)
{
    if (b->lambda_start > 0)
        log_center = clamp(log_center, log(b->lambda_start) - log(CENTER_SPAN),
                           log(b->lambda_start) + log(CENTER_SPAN));
    return log_lambda_clamp(b, log_center);
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
    b->log_center = log_center_clamp(b, b->log_center + INTEGRAL * error / span);
    b->lambda = exp(log_lambda_clamp(b, b->log_center + PROPORTIONAL * error));
}
