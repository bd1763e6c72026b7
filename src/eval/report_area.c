/* The mean of the figures at the fractions: see report_area.h. */
#include "eval/report_area.h"

#include <math.h>

static bool counts(const struct report *r, size_t i)
{
    return !isnan(r->at[i].accuracy.value) && !isnan(r->at[i].mix);
}

/* NaN where the draw has none of the fractions. */
static double draw_area(const struct report *r, size_t draw)
{
    double sum = 0, count = 0;
    for (size_t i = 0; i < r->at_count; i++) {
        double accuracy = r->draw_accuracy[draw * r->at_count + i];
        if (!counts(r, i) || isnan(accuracy))
            continue;
        sum += accuracy;
        count++;
    }
    return count > 0 ? sum / count : NAN;
}

static double spread(const struct report *r, double mean)
{
    double squares = 0, count = 0;
    for (size_t d = 0; d < r->draws; d++) {
        double off = draw_area(r, d) - mean;
        if (isnan(off))
            continue;
        squares += off * off;
        count++;
    }
    return count > 1 ? sqrt(squares / count) : NAN;
}

struct report_area report_area(const struct report *r)
{
    double area = 0, mix = 0, count = 0;
    for (size_t i = 0; i < r->at_count; i++) {
        if (!counts(r, i))
            continue;
        area += r->at[i].accuracy.value;
        mix += r->at[i].mix;
        count++;
    }
    if (count == 0)
        return (struct report_area){{NAN, NAN}, NAN};
    area /= count;
    return (struct report_area){{area, spread(r, area)}, mix / count};
}
