/* See pairs.h. How far the newcomer shares a surprise is least squares of what it did beyond its own estimate on two
 * means: of the experts that it is most like, and of all. An adjusted target may lie outside of 0..1, which the fit
 * does not mind: its gradient is linear in the targets, and their expectation is what it was. */
#include "enroll/pairs.h"

#include <math.h>

#define OUTCOMES_MIN   8.0  /* that tell how far a surprise is shared */
#define OUTCOMES_RIDGE 20.0 /* as many say that it is not */
#define LEFT_MIN       0.4  /* of the scatter: more is luck */

/* How much better the known experts did than was expected of them: those of the newcomer's accuracy, all. Not where the
 * model knew the question: that it is surprised less by is memory. */
static bool surprise(const struct seen *s, size_t row, const double *share, double *r)
{
    double near = 0, near_share = 0, all = 0, count = 0;
    for (size_t e = 0; e < s->known && !s->remembered[row]; e++) {
        double score = s->scores[row * s->known + e];
        if (score < 0)
            continue;
        double off = score - seen_sigmoid(s->logits[row * s->known + e]);
        near += share[e] * off;
        near_share += share[e];
        all += off;
        count++;
    }
    r[0] = near_share > 0 ? near / near_share : 0;
    r[1] = count > 0 ? all / count : 0;
    return count > 0;
}

/* Sums of the least squares: of r · r, of r · what was beyond the estimate, of its squares. */
struct squares {
    double a[3], b[2], c, rows;
};

static void add(struct squares *s, double weight, double off, const double *r)
{
    s->a[0] += weight * r[0] * r[0];
    s->a[1] += weight * r[0] * r[1];
    s->a[2] += weight * r[1] * r[1];
    s->b[0] += weight * off * r[0];
    s->b[1] += weight * off * r[1];
    s->c += weight * off * off;
    s->rows += weight;
}

/* False: it cannot be told. *ret_told: the share of the scatter that goes. */
static bool solve(const struct squares *s, double *beta, double *ret_told)
{
    if (s->rows < OUTCOMES_MIN)
        return false;
    double more = 1 + OUTCOMES_RIDGE / s->rows, a0 = s->a[0] * more, a2 = s->a[2] * more,
           det = a0 * a2 - s->a[1] * s->a[1];
    if (!(det > 1e-9 * a0 * a2) || !(s->c > 0))
        return false;
    beta[0] = (s->b[0] * a2 - s->b[1] * s->a[1]) / det;
    beta[1] = (s->b[1] * a0 - s->b[0] * s->a[1]) / det;
    double left = s->c - 2 * (beta[0] * s->b[0] + beta[1] * s->b[1]) + beta[0] * beta[0] * s->a[0] +
                  2 * beta[0] * beta[1] * s->a[1] + beta[1] * beta[1] * s->a[2];
    *ret_told = fmax(0, 1 - left / s->c) * s->rows / (s->rows + OUTCOMES_RIDGE);
    return true;
}

void pairs_compare(const struct standing_terms *t, const struct seen *s, const double *targets,
                   const double *weights, const double *theta, const double *share,
                   double *adjusted, double *scaled)
{
    struct squares sums = {0};
    double r[2], beta[2], told;
    for (size_t i = 0; i < s->rows; i++)
        if (weights[i] > 0 && surprise(s, i, share, r))
            add(&sums, weights[i],
                targets[i] - seen_sigmoid(standing_logit(t, theta, t->x + i * t->count)), r);
    if (!solve(&sums, beta, &told))
        return;
    for (size_t i = 0; i < s->rows; i++)
        if (weights[i] > 0 && surprise(s, i, share, r)) {
            adjusted[i] = targets[i] - beta[0] * r[0] - beta[1] * r[1];
            scaled[i] = weights[i] / fmax(LEFT_MIN, 1 - told);
        }
}
