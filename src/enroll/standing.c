/* The most probable standing; see standing.h. The belief is around experts of the newcomer's accuracy, and as outcomes
 * move that, the belief moves, too: hence the rounds. Then it is estimated lower than is most probable, the less is
 * known of it: a decision takes the highest of several estimates, so that an expert which is estimated too high gets
 * what it should not, and one which is estimated too low only does not help yet. */
#include "enroll/standing.h"

#include <math.h>
#include <string.h>

#include "enroll/pairs.h"
#include "enroll/ridge.h"

#define ROUNDS     3
#define SLOPE_MIN  0.2
#define SLOPE_MAX  3.0
#define WEIGHT_MIN 1e-9 /* less is rounding: who is like another is made of no one else */
#define CAUTION    0.5  /* standard deviations; twice that without outcomes */

static void unfold(const struct standing_terms *t, const double *theta, struct standing *ret)
{
    double slope = fmax(SLOPE_MIN, fmin(SLOPE_MAX, theta[1])), mean = 0;
    ret->offset = theta[0];
    for (size_t e = 0; e < t->known; e++)
        mean += theta[2 + e] / (double)t->known;
    for (size_t e = 0; e < t->known; e++) {
        ret->weights[e] = slope / (double)t->known + theta[2 + e] - mean;
        ret->weights[e] = fabs(ret->weights[e]) < WEIGHT_MIN ? 0 : ret->weights[e];
        ret->offset -= ret->weights[e] * t->mean[e];
    }
    ret->sample_offset = ret->offset;
    for (size_t g = 0; g < t->groups; g++) {
        ret->groups[g] = theta[2 + t->known + g];
        ret->offset -= ret->groups[g] * t->group_mean[g];
    }
}

/* What a fit works on. */
struct work {
    struct standing_terms terms;
    double *theta, *mean, *precision, *covariance; /* [terms], [terms × terms] */
    double *targets, *weights;                     /* [rows], less what pairs took off */
};

static enum status work_make(const struct model *m, const struct seen *seen, struct arena *a,
                             struct work *w, struct error *err)
{
    enum status status = standing_make(m, seen, a, &w->terms, err);
    if (status != OK)
        return status;
    size_t n = w->terms.count;
    w->theta = ARENA_ARRAY(a, 3 * n, double);
    w->covariance = ARENA_ARRAY(a, n * n, double);
    w->targets = ARENA_ARRAY(a, 2 * seen->rows + 1, double);
    if (!w->theta || !w->covariance || !w->targets)
        return error_set(err, ERR_MEMORY, "out of memory");
    w->mean = w->theta + n;
    w->precision = w->mean + n;
    w->weights = w->targets + seen->rows;
    return OK;
}

enum status standing_find(const struct model *m, const struct enroll_belief *belief,
                          const struct seen *seen, const double *targets, const double *weights,
                          struct arena *a, struct standing *ret, struct error *err)
{
    struct work w;
    enum status status = work_make(m, seen, a, &w, err);
    if (status != OK)
        return status;
    memcpy(w.targets, targets, seen->rows * sizeof(*targets));
    memcpy(w.weights, weights, seen->rows * sizeof(*weights));
    const struct ridge_rows rows = {w.terms.x, w.targets, w.weights, seen->rows, w.terms.count};
    ret->accuracy = belief->accuracy;
    for (int round = 0; round < ROUNDS && status == OK; round++) {
        standing_share(&w.terms, belief, ret->accuracy, ret->share);
        standing_believe(&w.terms, belief, ret->share, w.mean, w.precision);
        status = ridge_fit(&rows, w.mean, w.precision, a, w.theta, w.covariance, err);
        ret->accuracy = standing_accuracy(&w.terms, w.theta);
        if (round + 1 < ROUNDS)
            pairs_compare(&w.terms, seen, targets, weights, w.theta, ret->share, w.targets,
                          w.weights);
    }
    double q = ret->accuracy, sd = sqrt(w.covariance[0]);
    ret->accuracy_sd = q * (1 - q) * sd;
    ret->caution =
        belief->like == SIZE_MAX ? CAUTION * sd * (1 + w.covariance[0] * w.precision[0]) : 0;
    unfold(&w.terms, w.theta, ret);
    return status;
}
