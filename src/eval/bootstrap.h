/* Standard errors by the bootstrap (Efron 1979): queries are drawn with replacement, figures taken again.
 *
 * What is drawn is a weight per query, so that a figure walks its sorted lists once per draw and nothing is copied. */
#pragma once

#include "base/rng.h"

/* weights[count]: how often each of `count` queries came in `count` draws. */
void bootstrap_draw(struct rng *r, uint32_t *weights, size_t count);

/* Running mean and spread of one figure (Welford 1962); NaN values are counted apart. */
struct spread {
    size_t count, missing;
    double mean, squares;
};
void spread_add(struct spread *s, double value);
/* The standard deviation of the draws: the standard error of the figure. NaN with fewer than two draws. */
double spread_error(const struct spread *s);
