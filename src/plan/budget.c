/* The controller of lambda: calibration on the model's sample, then correction by what the stream costs.
 *
 * budget.h says what it aims at; the constants below are measured in bench/budget.md. A budget is a plain value, and
 * nothing here reads a clock. Threads that share one need a lock (route/budget_cell.c). budget_observe is called once
 * for each request of the policy, when its cost is known, and never by decide(). */
#include "plan/budget.h"

#include <math.h>

#include "base/check.h"

/* The debt is paid back within this share of the stream so far, but within at least HORIZON_MIN and at most HORIZON_MAX
 * queries. The lower bound keeps a few expensive queries at the start from swinging lambda; the upper one lets a
 * gateway that has served a million still respond. Halving or doubling any of these changes what bench/budget measures
 * by less than its own noise. */
#define HORIZON_SHARE 0.008
#define HORIZON_MIN   45.0
#define HORIZON_MAX   2000.0

/* Debt beyond what is allowed by more than this would steer lambda for too long, and is forgotten. */
#define DEBT_MAX 2000.0

/* Sums over the stream forget queries that are longer ago than this. */
#define MEMORY_QUERIES 20000.0

/* The allowance is ALLOWED_SHARE of the mix at most. It rises from nothing, where queries come in runs of RUNS_LOW, to
 * that share at RUNS_LOW + RUNS_SPAN. Half of it is granted once ALLOWED_FROM queries were seen, and more with more of
 * them. Half of it is taken back once DOUBT_QUERIES independent ones were: by then the mix is believed to differ from
 * that of the training queries for good. */
#define ALLOWED_SHARE     0.95
#define RUNS_LOW          1.2
#define RUNS_SPAN         1.5
#define ALLOWED_FROM      400.0
#define DOUBT_QUERIES     8000.0
#define RUNS_PRIOR_BLOCKS 20.0 /* runs of random order that are taken for seen at the start */

/* The curve is taken at lambdas between 1 / target and this factor less or more: there, paying the target price once
 * more must be worth a thousandth, or a thousand times, a whole unit of quality. */
#define LAMBDA_SPAN  1e3
#define CURVE_POINTS 128

static double clamp(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

/* Calibration */

static double sample_cost(const struct model_sample *s, const bool *use, double lambda)
{
    double total = 0;
    for (size_t i = 0; i < s->rows; i++) {
        const float *quality = s->quality + i * s->arms, *cost = s->cost_usd + i * s->arms;
        double best = -INFINITY, paid = 0;
        for (size_t e = 0; e < s->arms; e++) {
            double utility = (double)quality[e] - lambda * (double)cost[e];
            if (utility > best && (!use || use[e])) {
                best = utility;
                paid = (double)cost[e];
            }
        }
        total += paid;
    }
    return total / (double)s->rows;
}

/* The inverse of a falling curve, linear between its points. cost[CURVE_POINTS] at log_lambda. */
static double lambda_at(const double *cost, const double *log_lambda, double usd)
{
    size_t i = 1;
    if (usd >= cost[0])
        return log_lambda[0];
    while (i < CURVE_POINTS && cost[i] > usd)
        i++;
    if (i == CURVE_POINTS)
        return log_lambda[CURVE_POINTS - 1];
    double part = (cost[i - 1] - usd) / (cost[i - 1] - cost[i]);
    return log_lambda[i - 1] + part * (log_lambda[i] - log_lambda[i - 1]);
}

static double share_at(size_t i)
{
    return pow(BUDGET_SHARE_MAX, 2 * (double)i / (BUDGET_SHARES - 1) - 1);
}

static void calibrate(struct budget *b, const struct model_sample *s, const bool *use)
{
    double cost[CURVE_POINTS], log_lambda[CURVE_POINTS];
    for (size_t i = 0; i < CURVE_POINTS; i++) {
        double position = 2 * (double)i / (CURVE_POINTS - 1) - 1;
        log_lambda[i] = -log(b->target_usd) + position * log(LAMBDA_SPAN);
        /* without a sample: cost in inverse proportion to lambda */
        cost[i] = s->rows ? sample_cost(s, use, exp(log_lambda[i])) : exp(-log_lambda[i]);
    }
    for (size_t i = 0; i < BUDGET_SHARES; i++)
        b->log_lambda[i] = lambda_at(cost, log_lambda, share_at(i) * b->target_usd);
    b->lambda_usual = exp(lambda_at(cost, log_lambda, b->target_usd));
}

/* Control */

/* How many times the variance of sums over runs is that of queries in random order, at least 1. */
static double runs_found(const struct budget_state *s)
{
    double window = fmin((double)s->queries, MEMORY_QUERIES), blocks = floor(window / BUDGET_RUN);
    if (blocks < 1)
        return 1;
    double mean = s->mix / window, variance = s->mix_squares - mean * mean;
    if (variance <= 0)
        return 1;
    double found = (s->run_squares / BUDGET_RUN - BUDGET_RUN * mean * mean) / variance;
    return fmax(1, (blocks * found + RUNS_PRIOR_BLOCKS) / (blocks + RUNS_PRIOR_BLOCKS));
}

/* The debt that the mix allows at present, in queries' worth. */
static double allowance(const struct budget_state *s)
{
    double window = fmin((double)s->queries, MEMORY_QUERIES), runs = runs_found(s);
    double sorted = clamp((runs - RUNS_LOW) / RUNS_SPAN, 0, 1);
    double known = window / (window + ALLOWED_FROM);
    double trust = DOUBT_QUERIES / (DOUBT_QUERIES + window / runs);
    double most = fmin(BUDGET_ALLOWANCE_MAX, BUDGET_ALLOWANCE_SHARE * (double)s->queries);
    return clamp(ALLOWED_SHARE * sorted * known * trust * s->mix, -most, most);
}

static double curve_lambda(const struct budget *b, double log_share)
{
    double at = (log_share / log(BUDGET_SHARE_MAX) + 1) / 2 * (BUDGET_SHARES - 1);
    at = clamp(at, 0, BUDGET_SHARES - 1);
    size_t i = (size_t)fmin(at, BUDGET_SHARES - 2);
    double part = at - (double)i;
    return exp((1 - part) * b->log_lambda[i] + part * b->log_lambda[i + 1]);
}

/* Sets lambda; forgets debt that cannot be acted upon. */
static void control(struct budget *b)
{
    struct budget_state *s = &b->state;
    double seen = (double)s->queries, allowed = allowance(s);
    double horizon = clamp(HORIZON_SHARE * seen, HORIZON_MIN, HORIZON_MAX);
    double debt_max = clamp(seen, 200, DEBT_MAX);
    s->debt = clamp(s->debt, allowed - debt_max, allowed + debt_max);
    b->lambda = s->queries ? curve_lambda(b, -(s->debt - allowed) / horizon) : b->lambda_usual;
}

static void observe_mix(struct budget_state *s, double excess)
{
    double window = fmin((double)s->queries, MEMORY_QUERIES);
    s->mix *= (double)s->queries > MEMORY_QUERIES ? 1 - 1 / MEMORY_QUERIES : 1;
    s->mix += excess;
    s->mix_squares += (excess * excess - s->mix_squares) / window;
    s->run += excess;
    if (s->queries % BUDGET_RUN != 0)
        return;
    s->run_squares += (s->run * s->run - s->run_squares) / floor(window / BUDGET_RUN);
    s->run = 0;
}

void budget_init_sample(struct budget *b, const struct model_sample *sample, const bool *use,
                        double usd_per_1k)
{
    CHECK(usd_per_1k > 0);
    *b = (struct budget){.target_usd = usd_per_1k / 1000};
    calibrate(b, sample, use);
    control(b);
}

double budget_lambda(const struct budget *b)
{
    return b->lambda;
}

enum status budget_decide(const struct budget *b, const struct policy *p,
                          const struct estimate *estimates, const bool *eligible, size_t count,
                          struct decision *ret, double *ret_usual_usd, struct error *err)
{
    struct decision usual;
    enum status status = decide(p, b->lambda, estimates, eligible, count, ret, err);
    if (status == OK)
        status = decide(p, b->lambda_usual, estimates, eligible, count, &usual, err);
    if (status == OK)
        *ret_usual_usd = (double)usual.cost_nano_usd / (double)NANO_PER_USD;
    return status;
}

void budget_observe(struct budget *b, double cost_usd, double usual_usd)
{
    CHECK(cost_usd >= 0);
    struct budget_state *s = &b->state;
    s->spent_usd += cost_usd;
    s->queries++;
    s->debt += cost_usd / b->target_usd - 1;
    observe_mix(s, usual_usd < 0 ? 0 : usual_usd / b->target_usd - 1);
    control(b);
}

/* State */

bool budget_state_possible(const struct budget_state *s)
{
    const double numbers[] = {s->spent_usd,   s->debt, s->mix,
                              s->mix_squares, s->run,  s->run_squares};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (!isfinite(numbers[i]))
            return false;
    bool empty = s->queries > 0 || (s->debt == 0 && s->mix == 0 && s->run == 0);
    return empty && s->spent_usd >= 0 && s->mix_squares >= 0 && s->run_squares >= 0;
}

enum status budget_resume(struct budget *b, const struct budget_state *state, struct error *err)
{
    if (!budget_state_possible(state))
        return error_set(err, ERR_CORRUPT, "no stream can have led to this budget state");
    b->state = *state;
    control(b);
    return OK;
}
