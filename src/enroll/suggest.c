/* See suggest.h. An outcome of question i tells w_i = p_i (1 − p_i) about x_i · theta, theta being what an enrolment
 * learns (standing_terms.h) and p_i the chance that is believed. What is to be known in the end is the quality of
 * answers, where it may change who is chosen: so that question is taken next which lowers the sum of the variances of
 * these most, each times what hangs on it (I-optimal design). With C the covariance of theta by what was taken so far
 * and M the mean of s_j g_j² x_j x_jᵀ, g_j = p_j (1 − p_j), s_j the stake, it is the one of the largest
 *
 *   w x·C M C·x / (1 + w x·C·x)
 *
 * Every one taken changes C, which keeps a batch from being of one kind. One thread, some hundred milliseconds. */
#include "enroll/suggest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "enroll/ridge.h"
#include "enroll/standing_terms.h"

#define CANDIDATES_MAX 3000
#define MEAN_COUNTS    5.0 /* times as much as the questions by themselves */
#define STAKES         5 /* lambdas, from those that cost little to those that cost as the best expert */
#define SD_MIN         0.01 /* of a quality: who is known better than that is not asked for */
#define ANYWHERE       0.25 /* of the mean stake, on every question */

struct design {
    struct standing_terms terms;
    struct seen seen;
    double share[MODEL_EXPERTS_MAX]; /* of experts alike */
    double *stake;                   /* [count] how much hangs on it */
    const struct enroll_row *rows;
    size_t count;      /* rows */
    double *chance;    /* [count] */
    bool *open;        /* [count] may still be picked */
    double *c, *k, *m; /* [terms × terms] C, C M C, M */
    double *scratch;   /* [terms × terms] */
};

static void multiply(const double *a, const double *b, size_t n, double *ret)
{
    memset(ret, 0, n * n * sizeof(*ret));
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++)
            for (size_t j = 0; j < n; j++)
                ret[i * n + j] += a[i * n + k] * b[k * n + j];
}

static double quadratic(const double *a, const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double row = 0;
        for (size_t j = 0; j < n; j++)
            row += a[i * n + j] * x[j];
        sum += x[i] * row;
    }
    return sum;
}

static double told(const struct design *d, size_t row)
{
    double p = d->chance[row], weight = 1;
    if (d->rows[row].score >= 0 && d->rows[row].confidence > 0)
        weight = (double)d->rows[row].confidence;
    return weight * p * (1 - p);
}

/* C once the row's outcome will be there. */
static void take(struct design *d, size_t row)
{
    size_t n = d->terms.count;
    const double *x = d->terms.x + row * n;
    double by[RIDGE_TERMS_MAX], w = told(d, row);
    for (size_t i = 0; i < n; i++) {
        by[i] = 0;
        for (size_t j = 0; j < n; j++)
            by[i] += d->c[i * n + j] * x[j];
    }
    double share = w / (1 + w * quadratic(d->c, x, n));
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            d->c[i * n + j] -= share * by[i] * by[j];
}

/* The row that tells most; SIZE_MAX: none is left. */
static size_t find(struct design *d)
{
    size_t n = d->terms.count, best = SIZE_MAX;
    double most = -1;
    multiply(d->c, d->m, n, d->scratch);
    multiply(d->scratch, d->c, n, d->k);
    for (size_t i = 0; i < d->count; i++) {
        if (!d->open[i])
            continue;
        const double *x = d->terms.x + i * n;
        double w = told(d, i), gain = w * quadratic(d->k, x, n) / (1 + w * quadratic(d->c, x, n));
        if (gain > most) {
            most = gain;
            best = i;
        }
    }
    return best;
}

/* One piece: what is laid out here is one after the other and each from the one before. */
static enum status design_make(struct design *d, const struct model *m,
                               const struct enroll_belief *belief, const struct enroll_row *rows,
                               size_t count, struct arena *a, struct error *err)
{
    enum status status = seen_make(m, rows, count, SEEN_HELD_OUT, a, &d->seen, err);
    if (status == OK)
        status = standing_make(m, &d->seen, a, &d->terms, err);
    if (status != OK)
        return status;
    size_t n = d->terms.count;
    double *mean = ARENA_ARRAY(a, 2 * n, double);
    double *all = ARENA_ARRAY(a, 4 * n * n, double);
    d->chance = ARENA_ARRAY(a, count + 1, double);
    d->open = ARENA_ARRAY(a, count + 1, bool);
    d->stake = ARENA_ARRAY(a, count + 1, double);
    if (!d->stake || !mean || !all || !d->chance || !d->open)
        return error_set(err, ERR_MEMORY, "out of memory");
    d->c = all;
    d->k = all + n * n;
    d->m = all + 2 * n * n;
    d->scratch = all + 3 * n * n;
    standing_share(&d->terms, belief, belief->accuracy, d->share);
    standing_believe(&d->terms, belief, d->share, mean, mean + n);
    for (size_t k = 0; k < n; k++)
        d->c[k * n + k] = 1 / mean[n + k];
    for (size_t i = 0; i < count; i++)
        d->chance[i] = seen_sigmoid(standing_logit(&d->terms, mean, d->terms.x + i * n));
    return OK;
}

/* Where it matters */

static double usd(const struct price *p, double input, double output)
{
    return 1e-15 *
           (input * (double)p->input_nano_usd_per_m + output * (double)p->output_nano_usd_per_m);
}

/* The newcomer's quality less what it must have to be chosen at a lambda. Its tokens are those of experts alike. */
static double margin(const struct model *m, const struct design *d, const struct price *price,
                     size_t row, double lambda)
{
    const struct seen *s = &d->seen;
    const float *in = s->input_tokens + row * s->known, *out = s->output_tokens + row * s->known;
    double best = -INFINITY, input = 0, output = 0;
    for (size_t e = 0; e < s->known; e++) {
        double cost = usd(&model_expert_at(m, e)->price, (double)in[e], (double)out[e]);
        best = fmax(best, seen_sigmoid(s->logits[row * s->known + e]) - lambda * cost);
        input += d->share[e] * (double)in[e];
        output += d->share[e] * (double)out[e];
    }
    return d->chance[row] - lambda * usd(price, input, output) - best;
}

/* How likely it is, by what is believed, that a little more quality changes who is chosen: its density where the margin
 * is none, over some lambdas, with something for every question. */
static void find_stakes(const struct model *m, struct design *d, const struct price *price)
{
    size_t n = d->terms.count, best = 0;
    double sum = 0, lambdas[STAKES];
    for (size_t e = 1; e < d->seen.known; e++)
        if (model_expert_at(m, e)->accuracy > model_expert_at(m, best)->accuracy)
            best = e;
    double usd_per_1k = 1000 * model_expert_at(m, best)->mean_cost_usd;
    for (size_t k = 0; k < STAKES; k++)
        lambdas[k] = model_lambda_for_budget(m, NULL, usd_per_1k * (double)(k + 1) / (STAKES + 1));
    for (size_t row = 0; row < d->count; row++) {
        double p = d->chance[row],
               sd = p * (1 - p) * sqrt(quadratic(d->c, d->terms.x + row * n, n)) + SD_MIN;
        d->stake[row] = 0;
        for (size_t k = 0; k < STAKES; k++) {
            double z = margin(m, d, price, row, lambdas[k]) / sd;
            d->stake[row] += exp(-z * z / 2) / sd / STAKES;
        }
        sum += d->stake[row] / (double)d->count;
    }
    for (size_t row = 0; row < d->count; row++)
        d->stake[row] = sum > 0 ? d->stake[row] / sum + ANYWHERE : 1;
}

/* M: questions by themselves, and the mean of all, whose error they share. */
static void aim(struct design *d)
{
    size_t n = d->terms.count;
    double mean[RIDGE_TERMS_MAX] = {0};
    for (size_t row = 0; row < d->count; row++) {
        const double *x = d->terms.x + row * n;
        double p = d->chance[row], g = p * (1 - p), share = d->stake[row] / (double)d->count;
        for (size_t i = 0; i < n; i++) {
            mean[i] += share * g * x[i];
            for (size_t j = 0; j < n; j++)
                d->m[i * n + j] += share * g * g * x[i] * x[j];
        }
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            d->m[i * n + j] += MEAN_COUNTS * mean[i] * mean[j];
}

struct text_place {
    uint64_t hash;
    uint32_t row;
};

static int compare_texts(const void *a, const void *b)
{
    const struct text_place *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* What may be picked: once each text, none that was answered. */
static enum status open_rows(struct design *d, const bool *may_ask, struct arena *a,
                             struct error *err)
{
    struct text_place *texts = ARENA_ARRAY(a, d->count + 1, struct text_place);
    if (!texts)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < d->count; i++)
        texts[i] = (struct text_place){d->rows[i].text_hash, (uint32_t)i};
    qsort(texts, d->count, sizeof(*texts), compare_texts);
    for (size_t i = 0, first = 0; i < d->count; i++) {
        first = i && texts[i].hash && texts[i].hash == texts[i - 1].hash ? first : i;
        size_t row = texts[i].row;
        d->open[row] = first == i && d->rows[row].score < 0 && (!may_ask || may_ask[row]);
        if (d->rows[row].score >= 0)
            d->open[texts[first].row] = false;
    }
    return OK;
}

/* Of very many, every so many-th is looked at: the best of thousands is as good as the best of all. */
static void thin(struct design *d, size_t want)
{
    size_t open = 0, seen = 0, most = want * 4 > CANDIDATES_MAX ? want * 4 : CANDIDATES_MAX;
    for (size_t i = 0; i < d->count; i++)
        open += d->open[i];
    for (size_t i = 0; i < d->count && open > most; i++)
        if (d->open[i]) {
            d->open[i] = seen * most / open != (seen + 1) * most / open;
            seen++;
        }
}

enum status enroll_suggest(const struct model *m, const struct enroll_belief *belief,
                           const struct price *price, const struct enroll_row *rows, size_t count,
                           const bool *may_ask, size_t want, struct arena *a, uint32_t *picks,
                           size_t *ret_count, struct error *err)
{
    struct design d = {.rows = rows, .count = count};
    enum status status = design_make(&d, m, belief, rows, count, a, err);
    if (status == OK)
        status = open_rows(&d, may_ask, a, err);
    if (status != OK)
        return status;
    find_stakes(m, &d, price);
    aim(&d);
    thin(&d, want);
    for (size_t i = 0; i < count; i++)
        if (rows[i].score >= 0)
            take(&d, i);
    *ret_count = 0;
    while (*ret_count < want) {
        size_t row = find(&d);
        if (row == SIZE_MAX)
            break;
        d.open[row] = false;
        take(&d, row);
        picks[(*ret_count)++] = (uint32_t)row;
    }
    return OK;
}
