/* See standing_terms.h. Deviations of the known experts from their level say along which lines unlike experts differ,
 * and how far: with a normal belief of variance 1/E about each of E coefficients, a newcomer is believed to differ from
 * the level as these E differ from each other, in every direction alike. Before that, experts of its own accuracy count
 * more: the belief is around those. Two figures are not told by the known experts, how steeply a newcomer takes up the
 * level and what is a group's own; they were chosen on other newcomers than bench/universe.md reports on. */
#include "enroll/standing_terms.h"

#include <math.h>
#include <string.h>

#define NEAR_LOGITS 0.25 /* experts as far in accuracy count exp(-1/2) */
#define LEVEL_MEAN  0.9  /* the slope on a level that was learnt without it */
#define LEVEL_SD    0.2
#define GROUP_SD    0.3  /* logits of what is an expert's own in a group */
#define BELIEF_SD   0.05 /* logits: nobody is known better */
#define LIKE_SD     0.1  /* of who is like a known expert */
#define REMEMBERED  1.6 /* times as much would be said of a text that was trained on, were it new */
#define BISECTIONS  60
#define OFFSET_MAX  12.0

static void describe(const struct standing_terms *t, const double *logits, const double *posterior,
                     double *x)
{
    double level = 0;
    for (size_t e = 0; e < t->known; e++)
        level += (logits[e] - t->mean[e]) / (double)t->known;
    x[0] = 1;
    x[1] = level;
    for (size_t e = 0; e < t->known; e++)
        x[2 + e] = logits[e] - t->mean[e] - level;
    for (size_t g = 0; g < t->groups; g++)
        x[2 + t->known + g] = posterior ? posterior[g] - t->group_mean[g] : 0;
}

static void find_means(const struct model *m, struct standing_terms *t)
{
    const struct model_sample sample = model_sample(m);
    for (size_t i = 0; i < t->rows; i++)
        for (size_t e = 0; e < t->known; e++) {
            double q = (double)sample.quality[i * sample.arms + e];
            t->mean[e] += seen_logit(q) / (double)t->rows;
            t->level[e] += q / (double)t->rows;
        }
    for (size_t e = 0; e < t->known; e++)
        t->level[e] = seen_logit(t->rows ? t->level[e] : model_expert_at(m, e)->accuracy);
}

static void describe_sample(const struct model *m, struct standing_terms *t)
{
    const struct model_sample sample = model_sample(m);
    double logits[MODEL_EXPERTS_MAX];
    for (size_t i = 0; i < t->rows; i++) {
        for (size_t e = 0; e < t->known; e++)
            logits[e] = seen_logit((double)sample.quality[i * sample.arms + e]);
        describe(t, logits, NULL, t->sample + i * t->count);
    }
}

enum status standing_make(const struct model *m, const struct seen *s, struct arena *a,
                          struct standing_terms *ret, struct error *err)
{
    struct standing_terms *t = ret;
    *t = (struct standing_terms){
        .known = s->known, .groups = s->groups, .rows = model_sample(m).rows};
    t->count = 2 + t->known + t->groups;
    t->x = ARENA_ARRAY(a, s->rows * t->count + 1, double);
    t->sample = ARENA_ARRAY(a, t->rows * t->count + 1, double);
    if (!t->x || !t->sample)
        return error_set(err, ERR_MEMORY, "out of memory");
    find_means(m, t);
    for (size_t i = 0; i < s->rows; i++)
        for (size_t g = 0; g < t->groups; g++)
            t->group_mean[g] += s->posterior[i * t->groups + g] / (double)s->rows;
    for (size_t i = 0; i < s->rows; i++)
        describe(t, s->logits + i * s->known, s->posterior + i * s->groups, t->x + i * t->count);
    for (size_t i = 0; i < s->rows; i++)
        for (size_t k = 1; s->remembered[i] && k < 2 + t->known; k++)
            t->x[i * t->count + k] *= REMEMBERED;
    describe_sample(m, t);
    return OK;
}

void standing_share(const struct standing_terms *t, const struct enroll_belief *belief,
                    double accuracy, double *share)
{
    double sum = 0, nearest = INFINITY, level = seen_logit(accuracy);
    if (belief->like != SIZE_MAX) {
        for (size_t e = 0; e < t->known; e++)
            share[e] = e == belief->like;
        return;
    }
    for (size_t e = 0; e < t->known; e++)
        nearest = fmin(nearest, fabs(t->level[e] - level));
    for (size_t e = 0; e < t->known; e++) {
        double z = (fabs(t->level[e] - level) - nearest) / NEAR_LOGITS;
        sum += share[e] = exp(-z * z / 2);
    }
    for (size_t e = 0; e < t->known; e++)
        share[e] /= sum;
}

double standing_logit(const struct standing_terms *t, const double *theta, const double *x)
{
    double z = 0;
    for (size_t k = 0; k < t->count; k++)
        z += theta[k] * x[k];
    return z;
}

/* With another offset. */
static double accuracy_at(const struct standing_terms *t, const double *theta, double offset)
{
    double sum = 0;
    for (size_t i = 0; i < t->rows; i++)
        sum += seen_sigmoid(standing_logit(t, theta, t->sample + i * t->count) + offset - theta[0]);
    return t->rows ? sum / (double)t->rows : seen_sigmoid(offset);
}

double standing_accuracy(const struct standing_terms *t, const double *theta)
{
    return accuracy_at(t, theta, theta[0]);
}

/* The offset at which the sample's mean is `accuracy`. */
static double offset_for(const struct standing_terms *t, const double *theta, double accuracy)
{
    double low = -OFFSET_MAX, high = OFFSET_MAX;
    for (int step = 0; step < BISECTIONS; step++) {
        double middle = (low + high) / 2;
        if (accuracy_at(t, theta, middle) < accuracy)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

void standing_believe(const struct standing_terms *t, const struct enroll_belief *b,
                      const double *share, double *mean, double *precision)
{
    double q = fmax(0.02, fmin(0.98, b->accuracy)), sd = b->accuracy_sd / (q * (1 - q));
    sd = fmax(sd, b->like == SIZE_MAX ? BELIEF_SD : LIKE_SD);
    memset(mean, 0, t->count * sizeof(*mean));
    mean[1] = b->like == SIZE_MAX ? LEVEL_MEAN : 1;
    for (size_t e = 0; e < t->known; e++) {
        mean[2 + e] = share[e] - 1 / (double)t->known;
        precision[2 + e] = (double)t->known;
    }
    for (size_t g = 0; g < t->groups; g++)
        precision[2 + t->known + g] = 1 / (GROUP_SD * GROUP_SD);
    mean[0] = b->like == SIZE_MAX ? offset_for(t, mean, q) : t->mean[b->like];
    precision[0] = 1 / (sd * sd);
    precision[1] = 1 / (LEVEL_SD * LEVEL_SD);
}
