/* How good the held-out estimates are, per expert, each outcome counted as far as it is believed: what the model file
 * says about itself.
 *
 * On the thread that trains, once the held-out estimates are there and before the file is written. It reads the table
 * and changes nothing of what was learnt. */
#include <math.h>
#include <stdlib.h>

#include "train/train_int.h"

#define BINS 10

struct scored {
    float quality, score, weight;
};

static int compare_scored(const void *a, const void *b)
{
    float x = ((const struct scored *)a)->quality, y = ((const struct scored *)b)->quality;
    return (x > y) - (x < y);
}

/* Rows of equal quality all get their mean score, so that it does not matter in which order they were left. */
static void average_ties(struct scored *s, size_t n)
{
    for (size_t i = 0, j; i < n; i = j) {
        double sum = 0, weight = 0;
        for (j = i; j < n && s[j].quality == s[i].quality; j++) {
            sum += (double)s[j].weight * (double)s[j].score;
            weight += (double)s[j].weight;
        }
        for (size_t k = i; k < j; k++) {
            s[k].score = (float)(sum / weight);
            s[k].weight = (float)(weight / (double)(j - i));
        }
    }
}

/* Area under the ROC curve with ties counted half; scores between 0 and 1 weigh as that share of a success. */
static double area_under_curve(const struct scored *s, size_t n)
{
    double area = 0, below = 0, good = 0, bad = 0;
    for (size_t i = 0; i < n;) {
        double tie_good = 0, tie_bad = 0;
        size_t j = i;
        for (; j < n && s[j].quality == s[i].quality; j++) {
            tie_good += (double)s[j].weight * (double)s[j].score;
            tie_bad += (double)s[j].weight * (1 - (double)s[j].score);
        }
        area += tie_good * (below + tie_bad / 2);
        below += tie_bad;
        good += tie_good;
        bad += tie_bad;
        i = j;
    }
    return good > 0 && bad > 0 ? area / (good * bad) : (double)NAN;
}

/* Hanley & McNeil 1982, "The meaning and use of the area under a ROC curve": with the two probabilities that two right
 * answers, or one right and two wrong ones, are ranked so, as for exponential scores. */
static void auc_spread(const struct scored *s, size_t n, struct train_figures *f)
{
    double good = 0, bad = 0, a = f->auc;
    for (size_t i = 0; i < n; i++) {
        good += (double)s[i].weight * (double)s[i].score;
        bad += (double)s[i].weight * (1 - (double)s[i].score);
    }
    double both_good = a / (2 - a), both_bad = 2 * a * a / (1 + a);
    double variance = (a * (1 - a) + fmax(good - 1, 0) * (both_good - a * a) +
                       fmax(bad - 1, 0) * (both_bad - a * a)) /
                      (good * bad);
    f->auc_rarer = fmin(good, bad);
    f->auc_error = good > 0 && bad > 0 ? sqrt(fmax(variance, 0)) : (double)NAN;
}

static double calibration_error(const struct scored *s, size_t n)
{
    double error = 0, all = 0;
    for (size_t b = 0; b < BINS; b++) {
        double predicted = 0, actual = 0;
        for (size_t i = b * n / BINS; i < (b + 1) * n / BINS; i++) {
            predicted += (double)s[i].weight * (double)s[i].quality;
            actual += (double)s[i].weight * (double)s[i].score;
            all += (double)s[i].weight;
        }
        error += fabs(predicted - actual);
    }
    return n ? error / all : 0;
}

static double log_loss(const struct scored *s, size_t n)
{
    double sum = 0, all = 0;
    for (size_t i = 0; i < n; i++) {
        double q = fmin(fmax((double)s[i].quality, 1e-6), 1 - 1e-6), y = (double)s[i].score;
        sum -= (double)s[i].weight * (y * log(q) + (1 - y) * log(1 - q));
        all += (double)s[i].weight;
    }
    return n ? sum / all : 0;
}

/* Over all questions of which anything is known, with what is expected where this expert was not asked: those that it
 * was asked may have been the hard ones. */
static double mean_score(const struct train_table *t, size_t e)
{
    double sum = 0, count = 0;
    for (size_t i = e; i < t->rows * t->experts; i += t->experts) {
        if (t->targets[i] < 0)
            continue;
        double weight = t->scores[i] >= 0 ? (double)t->weights[i] : 1;
        sum += weight * (double)t->targets[i];
        count += weight;
    }
    return count > 0 ? sum / count : 0;
}

static double mean_cost_usd(const struct train_table *t, size_t e)
{
    double sum = 0, known = 0;
    const struct price *price = &t->dataset->experts[t->expert[e]].price;
    for (size_t i = 0; i < t->rows; i++) {
        const struct outcome *o = dataset_outcome(t->dataset, i, t->expert[e]);
        if (!o->cost_known && !o->tokens_known)
            continue;
        int64_t cost = o->cost_known
                           ? o->cost_nano_usd
                           : price_cost_nano_usd(price, o->input_tokens, o->output_tokens);
        sum += (double)cost;
        known++;
    }
    return known > 0 ? sum / known / (double)NANO_PER_USD : 0;
}

/* One piece: what is gathered of an expert is sorted once, and read by each figure. */
static void find_lengths(const struct train_table *t, const struct predictor *p,
                         const float *lengths, size_t e, struct train_figures *f)
{
    double sum = 0, squares = 0, n = 0;
    for (size_t i = 0; i < t->rows; i++) {
        const struct outcome *o = dataset_outcome(t->dataset, i, t->expert[e]);
        float in, out;
        if (!o->tokens_known)
            continue;
        predictor_tokens(p, e, t->characters[i], &t->scripts[i], lengths[i], &in, &out);
        double x = log1p((double)o->output_tokens) - log1p((double)out);
        sum += x;
        squares += x * x;
        n++;
    }
    f->length_log = n > 0 ? sum / n : (double)NAN;
    f->length_log_sd = n > 0 ? sqrt(fmax(0, squares / n - sum / n * (sum / n))) : (double)NAN;
}

enum status train_figures_fill(const struct train_table *t, const struct predictor *p,
                               const float *quality, const float *lengths,
                               struct train_figures *figures, struct error *err)
{
    struct scored *s = calloc(t->rows + 1, sizeof(*s));
    if (!s)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t e = 0; e < t->experts; e++) {
        size_t n = 0;
        for (size_t i = e; i < t->rows * t->experts; i += t->experts)
            if (t->scores[i] >= 0)
                s[n++] = (struct scored){quality[i], t->scores[i], t->weights[i]};
        qsort(s, n, sizeof(*s), compare_scored);
        average_ties(s, n);
        figures[e] = (struct train_figures){.accuracy = mean_score(t, e),
                                            .mean_cost_usd = mean_cost_usd(t, e),
                                            .auc = area_under_curve(s, n),
                                            .log_loss = log_loss(s, n),
                                            .calibration_error = calibration_error(s, n),
                                            .known = n};
        auc_spread(s, n, &figures[e]);
        find_lengths(t, p, lengths, e, &figures[e]);
    }
    free(s);
    return OK;
}
