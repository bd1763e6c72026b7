/* Recorded token counts → what a query will cost: input tokens linear in characters, log output tokens linear in the
 * predicted length and in log characters, and a smearing factor (Duan 1983) so that mean cost comes out right. */
#include <math.h>

#include "base/fmath.h"
#include "fit/fit.h"
#include "train/train_int.h"

#define CHARACTERS_PER_TOKEN 4.0
#define RIDGE                1.0
#define MEAN_STEPS           8
#define MEAN_STEP_MAX        3.0 /* longer: it runs away; what there is will do */

struct least_squares {
    size_t terms;
    double a[FIT_TERMS_MAX][FIT_TERMS_MAX], b[FIT_TERMS_MAX];
};

static void add_row(struct least_squares *s, const double *x, double y)
{
    for (size_t k = 0; k < s->terms; k++) {
        s->b[k] += x[k] * y;
        for (size_t l = 0; l < s->terms; l++)
            s->a[k][l] += x[k] * x[l];
    }
}

static bool solve(struct least_squares *s, double *ret)
{
    for (size_t k = 1; k < s->terms; k++)
        s->a[k][k] += RIDGE;
    if (!fit_solve(s->terms, s->a, s->b))
        return false;
    for (size_t k = 0; k < s->terms; k++)
        ret[k] = s->b[k];
    return true;
}

static void fit_expert(const struct train_table *t, size_t e, const float *lengths, double *in,
                       double *out)
{
    struct least_squares input = {.terms = 2}, output = {.terms = 3};
    for (size_t i = 0; i < t->rows; i++) {
        const struct outcome *o = dataset_outcome(t->dataset, i, t->expert[e]);
        if (!o->tokens_known)
            continue;
        double characters = (double)t->characters[i];
        add_row(&input, (double[]){1, characters}, o->input_tokens);
        add_row(&output, (double[]){1, (double)lengths[i], log1p(characters)},
                log1p(o->output_tokens));
    }
    if (!solve(&input, in)) {
        in[0] = 0;
        in[1] = 1 / CHARACTERS_PER_TOKEN;
    }
    if (!solve(&output, out))
        out[0] = out[1] = out[2] = 0;
}

/* From least squares in logarithms to least squares of the counts themselves, weighted as for a Poisson variable: then
 * the mean comes out right, and also where little or much is predicted, which the logarithms alone do not promise. A
 * budget picks the queries that look cheap. */
static void fit_means(const struct train_table *t, size_t e, const float *lengths, float *p)
{
    for (int step = 0; step < MEAN_STEPS; step++) {
        struct least_squares s = {.terms = 3};
        for (size_t i = 0; i < t->rows; i++) {
            const struct outcome *o = dataset_outcome(t->dataset, i, t->expert[e]);
            if (!o->tokens_known)
                continue;
            double x[3] = {1, (double)lengths[i], log1p((double)t->characters[i])};
            double mean = exp((double)p[TOKENS_OUT_BASE] + (double)p[TOKENS_OUT_LENGTH] * x[1] +
                              (double)p[TOKENS_OUT_LOG_CHARACTERS] * x[2]);
            double root = sqrt(mean);
            add_row(&s, (double[]){root, root * x[1], root * x[2]},
                    (1 + (double)o->output_tokens - mean) / root);
        }
        double change[3] = {0};
        if (!solve(&s, change) ||
            fabs(change[0]) + fabs(change[1]) + fabs(change[2]) > MEAN_STEP_MAX)
            return;
        p[TOKENS_OUT_BASE] += (float)change[0];
        p[TOKENS_OUT_LENGTH] += (float)change[1];
        p[TOKENS_OUT_LOG_CHARACTERS] += (float)change[2];
    }
}

/* Mean of (1 + output tokens) over mean of its prediction. Without recorded tokens: what the mean recorded cost leaves
 * for output at the expert's price. */
static double smear(const struct train_table *t, size_t e, const float *lengths, const float *p)
{
    double actual = 0, predicted = 0, cost = 0, priced = 0, characters = 0;
    for (size_t i = 0; i < t->rows; i++) {
        const struct outcome *o = dataset_outcome(t->dataset, i, t->expert[e]);
        if (o->tokens_known) {
            actual += 1 + (double)o->output_tokens;
            predicted += (double)fmath_exp(p[TOKENS_OUT_BASE] + p[TOKENS_OUT_LENGTH] * lengths[i] +
                                           p[TOKENS_OUT_LOG_CHARACTERS] * log1pf(t->characters[i]));
        }
        if (o->cost_known) {
            cost += (double)o->cost_nano_usd;
            characters += (double)t->characters[i];
            priced++;
        }
    }
    if (predicted > 0)
        return actual / predicted;
    const struct price *price = &t->dataset->experts[t->expert[e]].price;
    if (!(priced > 0) || price->output_nano_usd_per_m <= 0)
        return 1;
    double input = characters / CHARACTERS_PER_TOKEN * (double)price->input_nano_usd_per_m * 1e-6;
    double tokens = (cost - input) / ((double)price->output_nano_usd_per_m * 1e-6) / priced;
    return tokens > 0 ? 1 + tokens : 1;
}

void train_fit_tokens(const struct train_table *t, const float *predicted_lengths, float *tokens)
{
    for (size_t e = 0; e < t->experts; e++) {
        double in[2] = {0}, out[3] = {0};
        float *p = tokens + e * TOKEN_PARAMETERS;
        fit_expert(t, e, predicted_lengths, in, out);
        p[TOKENS_IN_BASE] = (float)in[0];
        p[TOKENS_IN_PER_CHARACTER] = (float)in[1];
        p[TOKENS_OUT_BASE] = (float)out[0];
        p[TOKENS_OUT_LENGTH] = (float)out[1];
        p[TOKENS_OUT_LOG_CHARACTERS] = (float)out[2];
        fit_means(t, e, predicted_lengths, p);
        p[TOKENS_OUT_SMEAR] = (float)smear(t, e, predicted_lengths, p);
    }
}
