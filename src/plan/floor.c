/* The mean over the sample rises with the floor, query by query, so bisection finds it. */
#include "plan/floor.h"

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

double floor_for_quality(const struct model_sample *sample, const bool *use, double min_quality)
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
