/* Sums to figures. Pure functions. */
#include <math.h>

#include "gaps/gaps_int.h"

#define PRIOR_LEAST   1.0
#define PRIOR_MOST    100.0
#define PRIOR_UNKNOWN 20.0 /* where one topic alone is recorded */

void gaps_sums_add(struct gaps_sums *s, const struct score_set *scores, size_t q)
{
    const struct score_query *x = &scores->queries[q];
    double missed = 1 - (double)x->achieved, expected = 1 - (double)x->expected;
    s->queries++;
    s->compared += x->compared;
    s->missed += missed;
    s->missed_squares += missed * missed;
    s->expected_missed += expected;
    s->noise += (double)scores->noise[q];
    s->routing += (double)x->best - (double)x->achieved;
    if (!x->recorded)
        return;
    s->recorded++;
    s->recorded_missed += missed;
    s->recorded_expected += expected;
    s->differs_squares += (missed - expected) * (missed - expected);
}

/* A topic's mean score lies from its mean estimate by chance (within / n) and because estimates of topics are off
 * (between). The estimate is worth within / between answers. */
double gaps_prior_queries(const struct gaps_sums *topics, size_t count)
{
    double within = 0, between = 0, weight = 0, answers = 0;
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        const struct gaps_sums *s = &topics[i];
        double n = (double)s->recorded;
        if (s->recorded < 2)
            continue;
        double off = (s->recorded_missed - s->recorded_expected) / n;
        double spread = (s->differs_squares - n * off * off) / (n - 1);
        within += (n - 1) * spread;
        answers += n - 1;
        between += n * off * off - spread;
        weight += n;
        used++;
    }
    if (used < 2)
        return PRIOR_UNKNOWN;
    within /= answers;
    between /= weight;
    if (!(between > 0) || !(within > 0))
        return within > 0 ? PRIOR_MOST : PRIOR_LEAST;
    return fmin(fmax(within / between, PRIOR_LEAST), PRIOR_MOST);
}

/* What is missed there, with the estimates as so many answers more. */
static double missed_shrunk(const struct gaps_sums *s, double prior_queries)
{
    double n = (double)s->recorded;
    if (s->recorded == 0)
        return s->missed;
    double prior = prior_queries * s->recorded_expected / n;
    double rate = (s->recorded_missed + prior) / (n + prior_queries);
    return n * rate + s->missed - s->recorded_missed;
}

/* The squared standard error of the mean. */
static double error_squared(const struct gaps_sums *s)
{
    double n = (double)s->queries;
    double spread = (s->missed_squares - s->missed * s->missed / n + s->noise) / (n - 1);
    return n > 1 ? fmax(spread, 0) / n : NAN;
}

/* How much more is missed there than on all other queries. */
static struct figure below(const struct gaps_sums *s, const struct gaps_sums *all, double missed)
{
    struct gaps_sums others = {.queries = all->queries - s->queries,
                               .missed = all->missed - s->missed,
                               .missed_squares = all->missed_squares - s->missed_squares,
                               .noise = all->noise - s->noise};
    double there = missed / (double)s->queries, elsewhere = others.missed / (double)others.queries;
    return (struct figure){others.queries ? there - elsewhere : NAN,
                           sqrt(error_squared(s) + error_squared(&others))};
}

void gaps_figures(const struct gaps_sums *s, double prior_queries, double level,
                  const struct gaps_sums *all, struct gaps_topic *t)
{
    double n = (double)s->queries, of = (double)all->queries, scale = 1000 / of;
    double missed = missed_shrunk(s, prior_queries),
           shrunk = s->missed > 0 ? missed / s->missed : 1;
    double squares = s->missed_squares - s->missed * s->missed / of + s->noise;
    double routing = s->routing * shrunk;
    t->queries = s->queries;
    t->recorded = s->recorded;
    t->compared = s->compared;
    t->measured = 1 - s->missed / n;
    t->expected = 1 - s->expected_missed / n;
    t->achieved = (struct figure){1 - missed / n, sqrt(error_squared(s))};
    t->below = below(s, all, missed);
    t->sure = t->below.value > GAPS_SURE * t->below.error;
    t->adds = (struct figure){fmax(missed - (1 - level) * n, 0) * scale,
                              of > 1 ? sqrt(fmax(squares, 0)) * scale : NAN};
    t->nobody = s->compared ? fmax(missed - routing - (1 - level) * n, 0) * scale : NAN;
    t->routing = s->compared ? t->adds.value - t->nobody : NAN;
}
