/* See broken.h. A question has an own difficulty beside what its text tells, common to the experts: a normal deviate
 * theta, which moves all logits. Given the outcomes it has a posterior, here on a few nodes. Nobody: the chance of no
 * right answer at all, over theta. Backwards: the scores' product with how strong each expert is, against what theta's
 * posterior lets expect of it, in standard deviations. */
#include "enroll/broken.h"

#include <math.h>

#include "enroll/seen.h"

#define EXPERTS_MIN 5
#define NODES       25
#define NODE_STEP   0.25  /* standard deviations of theta */
#define THETA_SD    1.0   /* logits */
#define FALSE_ONES  0.05  /* rows named backwards by luck alone, of all that there are */
#define NOBODY_MAX  0.005 /* chance that nobody would answer a question that looks like this one */

struct asked {
    size_t count;
    double logits[MODEL_EXPERTS_MAX], scores[MODEL_EXPERTS_MAX], strength[MODEL_EXPERTS_MAX];
};

/* A mean over theta flattens a logit: it is made steeper by as much. */
static double steeper(double logit)
{
    return logit * sqrt(1 + THETA_SD * THETA_SD * 3 / (3.14159265358979 * 3.14159265358979));
}

static double node(size_t i)
{
    return THETA_SD * NODE_STEP * ((double)i - (NODES - 1) / 2.0);
}

/* posterior[NODES] given the scores; returns the chance that none is right. */
static double infer(const struct asked *q, double *posterior)
{
    double sum = 0, none = 0, prior_sum = 0;
    for (size_t i = 0; i < NODES; i++) {
        double z = node(i) / THETA_SD, prior = exp(-z * z / 2), likelihood = 1, wrong = 1;
        for (size_t k = 0; k < q->count; k++) {
            double p = seen_sigmoid(q->logits[k] + node(i)), s = q->scores[k];
            likelihood *= pow(p, s) * pow(1 - p, 1 - s);
            wrong *= 1 - p;
        }
        prior_sum += prior;
        none += prior * wrong;
        sum += posterior[i] = prior * likelihood;
    }
    for (size_t i = 0; i < NODES; i++)
        posterior[i] /= sum;
    return none / prior_sum;
}

/* Standard deviations by which the strong did better than expected, beside the question's own difficulty. */
static double discrimination(const struct asked *q, const double *posterior)
{
    double mean = 0, off = 0, variance = 0;
    for (size_t k = 0; k < q->count; k++)
        mean += q->strength[k] / (double)q->count;
    for (size_t k = 0; k < q->count; k++) {
        double p = 0, by = q->strength[k] - mean;
        for (size_t i = 0; i < NODES; i++)
            p += posterior[i] * seen_sigmoid(q->logits[k] + node(i));
        off += by * (q->scores[k] - p);
        variance += by * by * p * (1 - p);
    }
    return variance > 0 ? off / sqrt(variance) : 0;
}

static enum broken_way judge(const struct asked *q, double alpha)
{
    double posterior[NODES], right = 0;
    for (size_t k = 0; k < q->count; k++)
        right += q->scores[k];
    if (q->count < EXPERTS_MIN)
        return BROKEN_NOT;
    double none = infer(q, posterior);
    if (right <= 0)
        return none < NOBODY_MAX ? BROKEN_NOBODY : BROKEN_NOT;
    double z = discrimination(q, posterior);
    return z < 0 && erfc(-z / sqrt(2)) / 2 < alpha ? BROKEN_BACKWARDS : BROKEN_NOT;
}

/* Means over the rows' own estimates: who is strong here. */
static void strengths(const struct seen *s, double *ret)
{
    for (size_t e = 0; e < s->known; e++) {
        ret[e] = 0;
        for (size_t i = 0; i < s->rows; i++)
            ret[e] += s->logits[i * s->known + e] / (double)s->rows;
    }
}

enum status enroll_broken(const struct model *m, const struct enroll_row *rows, size_t count,
                          struct arena *a, enum broken_way *ways, struct error *err)
{
    struct seen seen;
    double strength[MODEL_EXPERTS_MAX];
    enum status status = seen_make(m, rows, count, SEEN_HELD_OUT, a, &seen, err);
    if (status != OK)
        return status;
    strengths(&seen, strength);
    for (size_t i = 0; i < count; i++) {
        struct asked q = {0};
        for (size_t e = 0; e < seen.known && rows[i].others; e++) {
            if (rows[i].others[e] < 0)
                continue;
            q.logits[q.count] = steeper(seen.logits[i * seen.known + e]);
            q.strength[q.count] = strength[e];
            q.scores[q.count++] = (double)rows[i].others[e];
        }
        ways[i] = judge(&q, FALSE_ONES / (double)count);
    }
    return OK;
}

const char *broken_way_name(enum broken_way way)
{
    static const char *const names[] = {"", "nobody", "backwards"};
    return names[way];
}
