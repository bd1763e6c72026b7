/* Standard errors: the figures again over queries drawn with replacement. */
#include "eval/bootstrap.h"

#include <math.h>
#include <string.h>

#include "base/check.h"

void bootstrap_draw(struct rng *r, uint32_t *weights, size_t count)
{
    memset(weights, 0, count * sizeof(*weights));
    for (size_t i = 0; i < count; i++)
        weights[rng_below(r, count)]++;
}

void spread_add(struct spread *s, double value)
{
    if (isnan(value)) {
        s->missing++;
        return;
    }
    s->count++;
    double from_old = value - s->mean;
    s->mean += from_old / (double)s->count;
    s->squares += from_old * (value - s->mean);
    CHECK(!(s->squares < 0));
}

double spread_error(const struct spread *s)
{
    return s->count < 2 ? NAN : sqrt(s->squares / (double)(s->count - 1));
}
