/* The lambda sweep, exactly: every query changes its expert at lambdas that can be computed, so the sweep is a sorted
 * list of steps and no grid.
 *
 * Works on a table that it only reads; a curve lives in the caller's arena and belongs to one command's thread.
 * curve_trace and the look-ups allocate nothing, because the bootstrap calls them once for every draw. */
#include "eval/curve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

static bool cheaper(const struct estimate *a, const struct estimate *b)
{
    int64_t cost_a = estimate_weighed_nano_usd(a), cost_b = estimate_weighed_nano_usd(b);
    return cost_a != cost_b ? cost_a < cost_b : a->quality > b->quality;
}

static size_t cheapest(const struct eval_table *t, size_t q)
{
    size_t best = SIZE_MAX;
    for (size_t e = 0; e < t->experts; e++)
        if (eval_in_pool(t, e) &&
            (best == SIZE_MAX || cheaper(eval_estimate(t, q, e), eval_estimate(t, q, best))))
            best = e;
    return best;
}

static double slope(const struct estimate *from, const struct estimate *to)
{
    int64_t dearer = estimate_weighed_nano_usd(to) - estimate_weighed_nano_usd(from);
    double usd = (double)dearer / (double)NANO_PER_USD;
    return ((double)to->quality - (double)from->quality) / usd;
}

/* The next corner of the convex hull: the steepest way up. Of equally steep ones the farthest, which wins just
 * below that lambda. SIZE_MAX at the top. */
static size_t next_corner(const struct eval_table *t, size_t q, size_t at, double *ret_lambda)
{
    const struct estimate *here = eval_estimate(t, q, at);
    size_t best = SIZE_MAX;
    double steepest = 0;
    for (size_t e = 0; e < t->experts; e++) {
        const struct estimate *there = eval_estimate(t, q, e);
        if (!eval_in_pool(t, e) || !(there->quality > here->quality))
            continue;
        double s = slope(here, there);
        if (best == SIZE_MAX || s > steepest ||
            (s == steepest && cheaper(eval_estimate(t, q, best), there))) {
            best = e;
            steepest = s;
        }
    }
    *ret_lambda = steepest;
    return best;
}

static void walk_query(const struct eval_table *t, size_t q, struct curve *c)
{
    size_t at = c->first[q], to;
    uint32_t order = 0;
    double lambda, last = INFINITY;
    while ((to = next_corner(t, q, at, &lambda)) != SIZE_MAX) {
        lambda = last = fmin(lambda, last); /* lambda falls by itself, except for rounding */
        CHECK(order + 1 < t->experts);
        const struct outcome *old = eval_outcome(t, q, at), *new = eval_outcome(t, q, to);
        c->steps[c->step_count++] = (struct curve_step){
            .lambda = lambda,
            .query = (uint32_t)q,
            .to = (uint32_t)to,
            .order = order++,
            .score_gain = new->score - old->score,
            .cost_gain_nano_usd = new->cost_nano_usd - old->cost_nano_usd,
        };
        at = to;
    }
}

/* Falling lambda. The rest makes the order the same on every machine. */
static int compare_steps(const void *a, const void *b)
{
    const struct curve_step *x = a, *y = b;
    if (x->lambda != y->lambda)
        return x->lambda < y->lambda ? 1 : -1;
    if (x->query != y->query)
        return x->query < y->query ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

enum status curve_make(const struct eval_table *t, struct arena *a, struct curve *ret,
                       struct error *err)
{
    size_t pool = 0;
    for (size_t e = 0; e < t->experts; e++)
        pool += eval_in_pool(t, e);
    if (pool == 0)
        return error_set(err, ERR_INPUT, "no expert to choose from");
    struct curve c = {.table = t};
    c.first = ARENA_ARRAY(a, t->queries, uint32_t);
    c.steps = ARENA_ARRAY(a, t->queries * (pool - 1), struct curve_step);
    c.start = ARENA_ARRAY(a, t->queries, struct curve_start);
    if (t->queries > 0 && (!c.first || !c.start || (pool > 1 && !c.steps)))
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t q = 0; q < t->queries; q++) {
        c.first[q] = (uint32_t)cheapest(t, q);
        const struct outcome *o = eval_outcome(t, q, c.first[q]);
        c.start[q] = (struct curve_start){o->cost_nano_usd, o->score};
        walk_query(t, q, &c);
    }
    CHECK(c.step_count <= t->queries * (pool - 1));
    if (c.step_count)
        qsort(c.steps, c.step_count, sizeof(*c.steps), compare_steps);
    *ret = c;
    return OK;
}

/* Steps [from, to) have one lambda, so no policy takes some of them alone: what lies between is a mix of both ends. */
static void join_ties(struct curve_point *points, size_t from, size_t to)
{
    const struct curve_point low = points[from], *high = &points[to];
    double count = (double)(to - from), width = (double)(high->cost_nano_usd - low.cost_nano_usd);
    for (size_t i = from + 1; i < to; i++) {
        double share = (double)(i - from) / count;
        points[i].score = low.score + share * (high->score - low.score);
        points[i].cost_nano_usd = low.cost_nano_usd + (int128)(share * width);
    }
}

void curve_trace(const struct curve *c, const uint32_t *weights, struct curve_point *points)
{
    size_t tied = 0; /* steps from here on have the lambda of the last */
    struct curve_point at = {.lambda = INFINITY};
    for (size_t q = 0; q < c->table->queries; q++) {
        uint32_t n = weights ? weights[q] : 1;
        at.score += n * (double)c->start[q].score;
        at.cost_nano_usd += (int128)n * c->start[q].cost_nano_usd;
    }
    points[0] = at;
    for (size_t i = 0; i < c->step_count; i++) {
        const struct curve_step *s = &c->steps[i];
        uint32_t n = weights ? weights[s->query] : 1;
        at.lambda = s->lambda;
        at.score += n * (double)s->score_gain;
        at.cost_nano_usd += (int128)n * s->cost_gain_nano_usd;
        points[i + 1] = at;
        if (i + 1 < c->step_count && s[1].lambda == s->lambda)
            continue;
        join_ties(points, tied, i + 1);
        tied = i + 1;
    }
}

/* How many of points[count] lie up to the last one within the cost. */
static size_t points_within(const struct curve_point *points, size_t count, double cost_nano_usd)
{
    while (count > 0 && (double)points[count - 1].cost_nano_usd > cost_nano_usd)
        count--;
    return count;
}

/* The place behind the first `within` (> 0) of points[count]. */
static struct curve_cut cut_behind(const struct curve_point *points, size_t count, size_t within,
                                   double cost_nano_usd)
{
    struct curve_cut cut = {.steps = within - 1};
    if (within == count)
        return cut;
    CHECK(within > 0);
    CHECK(within < count);
    const struct curve_point *below = &points[within - 1], *above = &points[within];
    double width = (double)(above->cost_nano_usd - below->cost_nano_usd);
    cut.share = (cost_nano_usd - (double)below->cost_nano_usd) / width;
    cut.lambda = above->lambda;
    return cut;
}

bool curve_cut_at(const struct curve_point *points, size_t count, double cost_nano_usd,
                  struct curve_cut *ret)
{
    size_t within = points_within(points, count, cost_nano_usd);
    if (within > 0)
        *ret = cut_behind(points, count, within, cost_nano_usd);
    return within > 0;
}

double curve_cut_score(const struct curve_point *points, const struct curve_cut *cut)
{
    const struct curve_point *below = &points[cut->steps];
    if (!(cut->share > 0))
        return below->score;
    return below->score + cut->share * (below[1].score - below->score);
}

double curve_cut_cost_nano_usd(const struct curve_point *points, const struct curve_cut *cut)
{
    const struct curve_point *below = &points[cut->steps];
    double cost = (double)below->cost_nano_usd;
    if (!(cut->share > 0))
        return cost;
    return cost + cut->share * (double)(below[1].cost_nano_usd - below->cost_nano_usd);
}

void curve_choices(const struct curve *c, size_t steps, uint32_t *choices)
{
    CHECK(steps <= c->step_count);
    if (c->table->queries)
        memcpy(choices, c->first, c->table->queries * sizeof(*choices));
    for (size_t i = 0; i < steps; i++)
        choices[c->steps[i].query] = c->steps[i].to;
}

void curve_scores_at(const struct curve_point *points, size_t count, const double *costs_nano_usd,
                     size_t n, double *scores)
{
    size_t within = count;
    while (n-- > 0) {
        within = points_within(points, within, costs_nano_usd[n]);
        scores[n] = NAN;
        if (within == 0)
            continue;
        struct curve_cut cut = cut_behind(points, count, within, costs_nano_usd[n]);
        scores[n] = curve_cut_score(points, &cut);
    }
}

double curve_score_at(const struct curve_point *points, size_t count, double cost_nano_usd)
{
    double score;
    curve_scores_at(points, count, &cost_nano_usd, 1, &score);
    return score;
}

double curve_cost_reaching(const struct curve_point *points, size_t count, double score)
{
    CHECK(count > 0);
    if (points[0].score >= score)
        return (double)points[0].cost_nano_usd;
    for (size_t i = 1; i < count; i++) {
        if (points[i].score < score)
            continue;
        const struct curve_point *below = &points[i - 1];
        double share = (score - below->score) / (points[i].score - below->score);
        return (double)below->cost_nano_usd +
               share * (double)(points[i].cost_nano_usd - below->cost_nano_usd);
    }
    return NAN;
}
