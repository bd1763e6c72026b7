/* The mean over the sample rises with the floor, query by query, so bisection finds it. */
#include "plan/quality_floor.h"

#include <math.h>

#define STEPS 40

/* Predicted quality of what the floor's rule takes for one query. */
static double taken(const float *quality, const float *cost, const bool *use, size_t arms,
                    double floor)
{
    double best = -INFINITY, good = NAN, good_cost = INFINITY;
    for (size_t e = 0; e < arms; e++) {
        if (use && !use[e])
            continue;
        best = fmax(best, (double)quality[e]);
        bool cheaper = (double)cost[e] < good_cost ||
                       ((double)cost[e] == good_cost && (double)quality[e] > good);
        if ((double)quality[e] >= floor && cheaper) {
            good = (double)quality[e];
            good_cost = (double)cost[e];
        }
    }
    return isnan(good) ? best : good;
}

static double mean_taken(const struct model_sample *s, const bool *use, double floor)
{
    double sum = 0;
    for (size_t i = 0; i < s->rows; i++)
        sum += taken(s->quality + i * s->arms, s->cost_usd + i * s->arms, use, s->arms, floor);
    return sum / (double)s->rows;
}

double quality_floor_find(const struct model_sample *sample, const bool *use, double min_quality)
{
    double low = min_quality, high = 1;
    if (sample->rows == 0 || mean_taken(sample, use, low) >= min_quality)
        return min_quality;
    if (mean_taken(sample, use, high) < min_quality)
        return 1;
    for (int step = 0; step < STEPS; step++) {
        double middle = (low + high) / 2;
        if (mean_taken(sample, use, middle) >= min_quality)
            high = middle;
        else
            low = middle;
    }
    return high;
}

/* One row of the sample as a staircase: the cheapest arm serves floors up to its quality, then the next cheapest that
 * is better, and the best one all the rest. sums[QUALITY_FLOOR_STEPS + 2] are differences from step to step. */
static void add_row(const float *quality, const uint16_t *order, size_t count, double *sums)
{
    double reached = -INFINITY;
    size_t step = 0;
    for (size_t k = 0; k < count; k++) {
        double q = (double)quality[order[k]];
        if (q <= reached)
            continue;
        reached = q;
        size_t end = q < 0 ? 0 : (size_t)(fmin(q, 1) * QUALITY_FLOOR_STEPS) + 1;
        if (end <= step)
            continue;
        sums[step] += q;
        sums[end] -= q;
        step = end;
    }
    sums[step] += reached;
    sums[QUALITY_FLOOR_STEPS + 1] -= reached;
}

/* Arms in use by cost, of equal cost the better one first. Returns how many. */
static size_t sort_arms(const float *quality, const float *cost, const bool *use, size_t arms,
                        uint16_t *order)
{
    size_t n = 0;
    for (size_t e = 0; e < arms; e++) {
        if (use && !use[e])
            continue;
        size_t at = n++;
        for (; at > 0; at--) {
            uint16_t before = order[at - 1];
            if (cost[before] < cost[e] ||
                (cost[before] == cost[e] && quality[before] >= quality[e]))
                break;
            order[at] = before;
        }
        order[at] = (uint16_t)e;
    }
    return n;
}

void quality_floor_table_init(struct quality_floor_table *t, const struct model_sample *sample,
                              const bool *use)
{
    double sums[QUALITY_FLOOR_STEPS + 2] = {0}, sum = 0;
    uint16_t order[MODEL_ARMS_MAX];
    size_t count = 0;
    *t = (struct quality_floor_table){.rows = sample->rows};
    for (size_t i = 0; i < sample->rows; i++) {
        const float *quality = sample->quality + i * sample->arms;
        const float *cost = sample->cost_usd + i * sample->arms;
        count = sort_arms(quality, cost, use, sample->arms, order);
        if (count > 0)
            add_row(quality, order, count, sums);
    }
    for (size_t step = 0; step <= QUALITY_FLOOR_STEPS && count > 0; step++) {
        sum += sums[step];
        t->mean[step] = (float)(sum / (double)sample->rows);
    }
}

double quality_floor_table_find(const struct quality_floor_table *t, double min_quality)
{
    size_t step = (size_t)ceil(fmin(min_quality, 1) * QUALITY_FLOOR_STEPS);
    if (t->rows == 0)
        return min_quality;
    while (step < QUALITY_FLOOR_STEPS && (double)t->mean[step] < min_quality)
        step++;
    return (double)step / QUALITY_FLOOR_STEPS;
}
