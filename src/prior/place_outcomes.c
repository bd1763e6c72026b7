/* Placing by a few outcomes: maximum a posteriori by expectation–maximisation.
 *
 *   parameters of an expert ~ normal around where it was placed: along the family by the doubt of its strength, and
 *                             each by a share of the base's deviation
 *   u of a question         ~ normal(0, question_sd²): what makes it hard beside its text, the same for all experts
 *   P(good | u)             = sigmoid(k·logit + u), k = √(1 + c²·question_sd²), c = 16√3/(15π) (MacKay 1992,
 *                             backwards: on average over u that is sigmoid(logit) again)
 *
 * u takes the nodes of an even grid. E: the weight of each node, from all experts' outcomes of a question. M: a Newton
 * step of each expert's penalised logistic regression. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "data/dataset.h"
#include "fit/fit.h"
#include "prior/place.h"
#include "prior/prior_int.h"

#define NODES       13
#define NODE_RANGE  3.0 /* standard deviations to either side */
#define ROUNDS      40
#define STEP_MAX    1.0
#define RATIO_PRIOR 5.0 /* answers' worth of the belief in the placed length */
/* What experts of one pool differ by from the line of prices is less than what all known models of all times do: by
 * price, outcomes are weighed against this part of that doubt. Measured in bench/quality.md. */
#define POOL_SHARE 0.4
#define LOGISTIC_C 0.346 /* (16√3/15π)² */

_Static_assert(BASE_PARAMETERS_MAX <= FIT_TERMS_MAX, "what is solved fits");

struct answer {
    uint64_t hash;
    size_t expert, question;
    const float *row;
    double score, weight;  /* of the score, above 0 to 1 */
    int32_t output_tokens; /* 0: unknown */
};

struct placing {
    const struct base *b;
    size_t experts, parameters, width, questions;
    struct placed *placed;
    struct answer *answers; /* [count], those of a question together */
    size_t count;
    double *weights; /* [questions × NODES] */
    double nodes[NODES], priors[NODES], stretch;
    double (*centre)[FIT_TERMS_MAX];                   /* [experts] */
    double (*precision)[FIT_TERMS_MAX][FIT_TERMS_MAX]; /* [experts] */
};

static double term(const struct answer *x, size_t k)
{
    return k == 0 ? 1 : (double)x->row[k - 1];
}

static double log_chance(double logit, double score)
{
    double log_right = logit > 0 ? -log1p(exp(-logit)) : logit - log1p(exp(logit));
    return score * log_right + (1 - score) * (log_right - logit);
}

static void set_nodes(struct placing *p)
{
    double sum = 0, sd = p->b->question_sd;
    for (size_t n = 0; n < NODES; n++) {
        double z = NODE_RANGE * (2.0 * (double)n / (NODES - 1) - 1);
        p->nodes[n] = sd * z;
        sum += p->priors[n] = exp(-z * z / 2);
    }
    for (size_t n = 0; n < NODES; n++)
        p->priors[n] = log(p->priors[n] / sum);
    p->stretch = sqrt(1 + LOGISTIC_C * sd * sd);
}

/* (D + s² f fᵀ)⁻¹ by Sherman and Morrison: D the deviations' share, f the family's direction, s the doubt of the
 * strength. */
static void set_prior(struct placing *p, size_t e)
{
    const struct placed *at = &p->placed[e];
    const double *f = p->b->family[1];
    double inverse[FIT_TERMS_MAX],
        sum = 0, s = at->strength_sd * (at->basis == PRIOR_PRICE ? POOL_SHARE : 1), s2 = s * s;
    for (size_t k = 0; k < p->parameters; k++) {
        double sd = k == 0 ? 0.05 : at->shrink * p->b->deviation[k];
        inverse[k] = 1 / (sd * sd);
        sum += inverse[k] * f[k] * f[k];
        p->centre[e][k] = at->parameters[k];
    }
    for (size_t k = 0; k < p->parameters; k++)
        for (size_t m = 0; m < p->parameters; m++)
            p->precision[e][k][m] = (k == m ? inverse[k] : 0) -
                                    inverse[k] * f[k] * inverse[m] * f[m] * s2 / (1 + s2 * sum);
}

static double logit_of(const struct placing *p, const struct answer *x)
{
    return base_logit(p->b, p->placed[x->expert].parameters, x->row);
}

static void expect(struct placing *p)
{
    for (size_t q = 0; q < p->questions; q++)
        memcpy(p->weights + q * NODES, p->priors, sizeof(p->priors));
    for (size_t i = 0; i < p->count; i++) {
        const struct answer *x = &p->answers[i];
        double logit = p->stretch * logit_of(p, x);
        for (size_t n = 0; n < NODES; n++)
            p->weights[x->question * NODES + n] +=
                x->weight * log_chance(logit + p->nodes[n], x->score);
    }
    for (size_t q = 0; q < p->questions; q++) {
        double *w = p->weights + q * NODES, highest = -INFINITY, sum = 0;
        for (size_t n = 0; n < NODES; n++)
            highest = fmax(highest, w[n]);
        for (size_t n = 0; n < NODES; n++)
            sum += w[n] = exp(w[n] - highest);
        for (size_t n = 0; n < NODES; n++)
            w[n] /= sum;
    }
}

/* A Newton step, in one piece: gradient and curvature are sums over the same answers. */
static void maximise(struct placing *p, size_t e)
{
    double a[FIT_TERMS_MAX][FIT_TERMS_MAX], g[FIT_TERMS_MAX] = {0};
    double *at = p->placed[e].parameters;
    memcpy(a, p->precision[e], sizeof(a));
    for (size_t k = 0; k < p->parameters; k++)
        for (size_t m = 0; m < p->parameters; m++)
            g[k] += p->precision[e][k][m] * (at[m] - p->centre[e][m]);
    for (size_t i = 0; i < p->count; i++) {
        const struct answer *x = &p->answers[i];
        if (x->expert != e)
            continue;
        double logit = p->stretch * logit_of(p, x), off = 0, curve = 0;
        for (size_t n = 0; n < NODES; n++) {
            double chance = 1 / (1 + exp(-(logit + p->nodes[n])));
            double w = x->weight * p->weights[x->question * NODES + n];
            off += w * (chance - x->score);
            curve += w * chance * (1 - chance);
        }
        for (size_t k = 0; k < p->parameters; k++) {
            g[k] += p->stretch * off * term(x, k);
            for (size_t m = 0; m < p->parameters; m++)
                a[k][m] += p->stretch * p->stretch * curve * term(x, k) * term(x, m);
        }
    }
    if (!fit_solve(p->parameters, a, g))
        return;
    for (size_t k = 0; k < p->parameters; k++)
        at[k] -= fmax(-STEP_MAX, fmin(STEP_MAX, g[k]));
}

/* The doubt of the strength that is left: the curvature along the family, at the most probable parameters. */
static void narrow(struct placing *p, size_t e)
{
    const double *f = p->b->family[1];
    double information = 1 / (p->placed[e].strength_sd * p->placed[e].strength_sd);
    for (size_t i = 0; i < p->count; i++) {
        const struct answer *x = &p->answers[i];
        if (x->expert != e)
            continue;
        double chance = 1 / (1 + exp(-logit_of(p, x))), along = 0;
        for (size_t k = 0; k < p->parameters; k++)
            along += f[k] * term(x, k);
        information += x->weight * chance * (1 - chance) * along * along;
    }
    p->placed[e].strength_sd = 1 / sqrt(information);
}

static int compare_answers(const void *a, const void *b)
{
    const struct answer *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (x->expert > y->expert) - (x->expert < y->expert);
}

static size_t counted(const struct prior_expert *x)
{
    return x->outcome_count < PRIOR_OUTCOMES_MAX ? x->outcome_count : PRIOR_OUTCOMES_MAX;
}

static enum status say_answers(struct placing *p, const struct prior_expert *experts,
                               struct arena *a, struct error *err)
{
    struct features f;
    enum status status = features_init(&f, err);
    for (size_t e = 0; e < p->experts && status == OK; e++)
        for (size_t i = 0; i < counted(&experts[e]) && status == OK; i++) {
            const struct prior_outcome *o = &experts[e].outcomes[i];
            float *row = ARENA_ARRAY(a, p->width, float);
            if (!row) {
                status = error_set(err, ERR_MEMORY, "out of memory");
                break;
            }
            status = base_say(p->b, o->text, &f, row, err);
            p->answers[p->count++] = (struct answer){.hash = text_hash(o->text),
                                                     .expert = e,
                                                     .row = row,
                                                     .score = (double)o->score,
                                                     .weight = prior_outcome_weight(o),
                                                     .output_tokens = o->output_tokens};
        }
    features_done(&f);
    return status;
}

static void number_questions(struct placing *p)
{
    qsort(p->answers, p->count, sizeof(*p->answers), compare_answers);
    for (size_t i = 0; i < p->count; i++) {
        p->questions += i == 0 || p->answers[i].hash != p->answers[i - 1].hash;
        p->answers[i].question = p->questions - 1;
    }
}

/* Longer or shorter answers than placed: the mean of the logarithms, beside RATIO_PRIOR answers that say it is as
 * placed. */
static void fit_ratio(const struct placing *p, size_t e)
{
    const float *t = p->b->tokens;
    double sum = 0, n = RATIO_PRIOR, *ratio = &p->placed[e].output_ratio;
    for (size_t i = 0; i < p->count; i++) {
        const struct answer *x = &p->answers[i];
        if (x->expert != e || x->output_tokens <= 0)
            continue;
        const float *end = x->row + p->width; /* characters, length */
        double usual = (double)t[TOKENS_OUT_BASE] + (double)t[TOKENS_OUT_LENGTH] * (double)end[-1] +
                       (double)t[TOKENS_OUT_LOG_CHARACTERS] * log1p((double)end[-2]);
        sum += log1p(x->output_tokens) - usual - log(*ratio);
        n++;
    }
    *ratio *= exp(sum / n);
}

static enum status allocate(struct placing *p, const struct prior_expert *experts, struct arena *a,
                            struct error *err)
{
    size_t total = 0;
    for (size_t e = 0; e < p->experts; e++)
        total += counted(&experts[e]);
    p->answers = ARENA_ARRAY(a, total + 1, struct answer);
    p->weights = ARENA_ARRAY(a, (total + 1) * NODES, double);
    p->centre = arena_array(a, p->experts, sizeof(*p->centre));
    p->precision = arena_array(a, p->experts, sizeof(*p->precision));
    return p->answers && p->weights && p->centre && p->precision
               ? OK
               : error_set(err, ERR_MEMORY, "out of memory");
}

/* The course of it: answers told, questions found, then rounds. */
enum status place_by_outcomes(const struct base *b, const struct prior_expert *experts,
                              size_t count, struct placed *placed, struct arena *scratch,
                              struct error *err)
{
    struct placing p = {.b = b,
                        .experts = count,
                        .parameters = base_parameters(b),
                        .width = base_sample_width(b),
                        .placed = placed};
    enum status status = allocate(&p, experts, scratch, err);
    if (status == OK)
        status = say_answers(&p, experts, scratch, err);
    if (status != OK || !p.count)
        return status;
    number_questions(&p);
    set_nodes(&p);
    for (size_t e = 0; e < count; e++)
        set_prior(&p, e);
    for (int round = 0; round < ROUNDS; round++) {
        expect(&p);
        for (size_t e = 0; e < count; e++)
            if (experts[e].outcome_count)
                maximise(&p, e);
    }
    for (size_t e = 0; e < count; e++) {
        narrow(&p, e);
        placed[e].outcomes = experts[e].outcome_count ? counted(&experts[e]) : 0;
        fit_ratio(&p, e);
    }
    return OK;
}
