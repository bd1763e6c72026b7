/* How far a text is from training, and what follows: see guard.h. */
#include "predict/guard.h"

#include <math.h>

#include "base/check.h"
#include "base/fmath.h"
#include "predict/predictor.h"

#define ODDS_MIN 1e-3f

static float logit(float p)
{
    p = p > ODDS_MIN ? p : ODDS_MIN;
    p = p < 1 - ODDS_MIN ? p : 1 - ODDS_MIN;
    return logf(p / (1 - p));
}

float guard_standard(float value, float mean, float over_deviation)
{
    float x = (value - mean) * over_deviation;
    return x > -GUARD_CLIP ? (x < GUARD_CLIP ? x : GUARD_CLIP) : -GUARD_CLIP;
}

float guard_distance(const struct guard *g, const float *statistics, size_t *ret_kind)
{
    float x[FEATURES_MAX], sums[GUARD_KINDS_MAX] = {0};
    size_t n = g->statistics;
    CHECK(n <= FEATURES_MAX && g->kinds <= GUARD_KINDS_MAX);
    for (size_t i = 0; i < n; i++)
        x[i] = guard_standard(statistics[i], g->scale[i], g->scale[n + i]);
    for (size_t i = 0; i < n; i++) {
        float y = 0;
        for (size_t k = 0; k <= i; k++)
            y += g->whiten[i * n + k] * x[k];
        for (size_t kind = 0; kind < g->kinds; kind++) {
            float away = y - g->centre[kind * n + i];
            sums[kind] += away * away;
        }
    }
    size_t nearest = 0;
    for (size_t kind = 1; kind < g->kinds; kind++)
        nearest = sums[kind] < sums[nearest] ? kind : nearest;
    *ret_kind = nearest;
    return n ? sums[nearest] / (float)n : 0;
}

/* Also of what a forged model says: a NaN is not beyond the beginning. */
static float ramp(float x, float begin, float full)
{
    if (!(x > begin))
        return 0;
    return x < full ? (x - begin) / (full - begin) : 1;
}

void guard_look(const struct guard *g, const float *statistics, float novelty,
                struct guard_view *ret)
{
    *ret = (struct guard_view){0};
    if (!g->kinds)
        return;
    float distance = guard_distance(g, statistics, &ret->kind);
    float far = ramp(distance, g->limits[GUARD_DISTANCE_BEGIN], g->limits[GUARD_DISTANCE_FULL]);
    float fresh = ramp(novelty, g->limits[GUARD_NOVELTY_BEGIN], g->limits[GUARD_NOVELTY_FULL]);
    ret->far = far > fresh ? far : fresh;
    ret->share = g->few ? ret->far + (1 - ret->far) * g->few[ret->kind] : ret->far;
}

float guard_kind(const struct guard *g, size_t kind, enum guard_kind_term term, size_t experts,
                 size_t expert)
{
    return g->of_kind ? g->of_kind[(kind * GUARD_KIND_TERMS + term) * experts + expert] : 0;
}

float guard_quality(float share, float level, float quality)
{
    float q = fmath_sigmoid((1 - share) * logit(quality) + share * level);
    return q >= 0 && q <= 1 ? q : 0;
}

/* ln x */
static double beyond_ordinary(const int64_t *costs, const int64_t *usual, const bool *apart,
                              size_t count)
{
    double sum = 0, all = 0, most = log(GUARD_ORDINARY);
    for (size_t e = 0; e < count; e++)
        if (costs[e] > 0 && usual[e] > 0 && !(apart && apart[e])) {
            sum += log((double)costs[e] / (double)usual[e]);
            all++;
        }
    double f = all > 0 ? sum / all : 0;
    return f > most ? f - most : f < -most ? f + most : 0;
}

void guard_weigh(float share, const int64_t *costs, const int64_t *usual, const bool *apart,
                 size_t count, int64_t *weighed)
{
    double beyond = beyond_ordinary(costs, usual, apart, count), s = (double)share;
    for (size_t e = 0; e < count; e++) {
        double own = costs[e] > 0 && usual[e] > 0 ? log((double)costs[e] / (double)usual[e]) : NAN;
        double cost = (double)usual[e] * exp((1 - s) * own + s * beyond);
        weighed[e] = cost < 9e18 ? (int64_t)(cost + 0.5) : costs[e]; /* also where it is NAN */
    }
}

float guard_level(double accuracy)
{
    return logit((float)accuracy);
}
