/* Fitting the spread, by least squares weighted with what chance would give. */
#include "train/spread_fit.h"

#include <math.h>
#include <string.h>

#include "fit/fit.h"

#define RIDGE 20.0 /* in questions' worth of pairs */

void spread_own_novelty(const struct sparse_rows *rows, size_t count, size_t bucket_count,
                        uint8_t *times, float *novelty)
{
    memset(times, 0, bucket_count);
    for (size_t i = rows->starts[0]; i < rows->starts[count]; i++)
        if (times[rows->buckets[i]] < UINT8_MAX)
            times[rows->buckets[i]]++;
    for (size_t i = 0; i < count; i++) {
        novelty[i] = 0;
        for (size_t k = rows->starts[i]; k < rows->starts[i + 1]; k++)
            if (times[rows->buckets[k]] == 1)
                novelty[i] += rows->values[k] * rows->values[k];
    }
}

struct products {
    double residual, chance; /* sums over pairs of experts */
};

/* The sum over pairs is half of the squared sum less the sum of squares. */
static struct products multiply(const float *quality, const float *scores, const float *weights,
                                size_t experts)
{
    double sum = 0, squares = 0, chance = 0, chance_squares = 0;
    for (size_t e = 0; e < experts; e++) {
        if (scores[e] < 0)
            continue;
        double q = (double)quality[e], weight = weights ? (double)weights[e] : 1;
        double r = weight * ((double)scores[e] - q), variance = q * (1 - q);
        sum += r;
        squares += r * r;
        chance += weight * sqrt(variance);
        chance_squares += weight * weight * variance;
    }
    return (struct products){(sum * sum - squares) / 2, (chance * chance - chance_squares) / 2};
}

void spread_fit(const float *quality, const float *scores, const float *counts, size_t rows,
                size_t experts, const float *entropy, const float *novelty, float *weights)
{
    double a[FIT_TERMS_MAX][FIT_TERMS_MAX] = {{0}}, b[FIT_TERMS_MAX] = {0};
    double pairs = experts > 1 ? (double)experts * (double)(experts - 1) / 2 : 1;
    for (size_t i = 0; i < rows; i++) {
        struct products p = multiply(quality + i * experts, scores + i * experts,
                                     counts ? counts + i * experts : NULL, experts);
        float mean = 0, terms[SPREAD_TERMS];
        for (size_t e = 0; e < experts; e++)
            mean += quality[i * experts + e] / (float)experts;
        spread_terms(mean, entropy[i], novelty[i], terms);
        for (int k = 0; k < SPREAD_TERMS; k++) {
            b[k] += p.residual / pairs * (double)terms[k];
            for (int l = 0; l < SPREAD_TERMS; l++)
                a[k][l] += p.chance / pairs * (double)terms[k] * (double)terms[l];
        }
    }
    for (int k = 0; k < SPREAD_TERMS; k++)
        a[k][k] += RIDGE;
    b[0] += RIDGE * (double)SPREAD_PRIOR;
    if (!fit_solve(SPREAD_TERMS, a, b))
        memcpy(b, (double[FIT_TERMS_MAX]){(double)SPREAD_PRIOR}, sizeof(b));
    for (int k = 0; k < SPREAD_TERMS; k++)
        weights[k] = (float)b[k];
}
