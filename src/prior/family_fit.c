/* How models of unlike strength differ, fitted: see family_fit.h. The intercept of a model is its strength, so the
 * family's first row is (0, 1), and everything else of a model is pulled to what others of its strength do. How far it
 * is pulled is learnt as well: a parameter's variance over the models, each counted with its own uncertainty. Sums go
 * over all rows for each model and step, seconds in all; one thread, and no memory but the stack. */
#include "prior/family_fit.h"

#include <math.h>
#include <string.h>

#include "fit/fit.h"

#define ROUNDS        8
#define STEPS         12
#define DEVIATION     0.3 /* before the first round */
#define DEVIATION_MIN 0.05
#define STRENGTH_SD   2.0  /* before prices say anything */
#define ASKED_MIN     50.0 /* texts of a group */
#define GROUPS_MIN    4
#define SLOPE_RIDGE   1.0 /* models' worth of a belief that strength changes nothing */
#define LOGIT_MAX     30.0

_Static_assert(BASE_PARAMETERS_MAX <= FIT_TERMS_MAX, "what is fitted fits");

static double sigmoid(double x)
{
    return 1 / (1 + exp(-fmax(-LOGIT_MAX, fmin(LOGIT_MAX, x))));
}

static double term(const float *row, size_t k)
{
    return k == 0 ? 1 : (double)row[k - 1];
}

static double logit_of(const struct family_rows *r, const double *parameters, const float *row)
{
    double sum = 0;
    for (size_t k = 0; k < r->parameters; k++)
        sum += parameters[k] * term(row, k);
    return sum;
}

/* Gradient and curvature of the penalised loss at `parameters`. */
static void accumulate(const struct family_rows *r, size_t known, const double *parameters,
                       double a[FIT_TERMS_MAX][FIT_TERMS_MAX], double *gradient)
{
    for (size_t i = 0; i < r->count; i++) {
        float score = r->scores[i * r->known + known];
        if (score < 0)
            continue;
        const float *row = r->rows + i * r->width;
        double p = sigmoid(logit_of(r, parameters, row)), w = p * (1 - p), x[FIT_TERMS_MAX];
        for (size_t k = 0; k < r->parameters; k++)
            x[k] = term(row, k);
        for (size_t k = 0; k < r->parameters; k++) {
            gradient[k] += (p - (double)score) * x[k];
            for (size_t m = 0; m <= k; m++)
                a[k][m] += w * x[k] * x[m];
        }
    }
    for (size_t k = 0; k < r->parameters; k++)
        for (size_t m = 0; m < k; m++)
            a[m][k] = a[k][m];
}

static void diagonal_of_inverse(double a[FIT_TERMS_MAX][FIT_TERMS_MAX], size_t n, double *ret)
{
    for (size_t k = 0; k < n; k++) {
        double copy[FIT_TERMS_MAX][FIT_TERMS_MAX], unit[FIT_TERMS_MAX] = {0};
        memcpy(copy, a, sizeof(copy));
        unit[k] = 1;
        ret[k] = fit_solve(n, copy, unit) ? unit[k] : 0;
    }
}

/* Newton, in one piece: each step needs all of it. */
void family_fit_one(const struct family_rows *r, size_t known, const double *centre,
                    const double *precision, double *parameters, double *variances)
{
    size_t n = r->parameters;
    double a[FIT_TERMS_MAX][FIT_TERMS_MAX];
    for (int step = 0; step < STEPS; step++) {
        double gradient[FIT_TERMS_MAX] = {0}, kept[FIT_TERMS_MAX][FIT_TERMS_MAX], largest = 0;
        memset(a, 0, sizeof(a));
        accumulate(r, known, parameters, a, gradient);
        for (size_t k = 0; k < n; k++) {
            gradient[k] += precision[k] * (parameters[k] - centre[k]);
            a[k][k] += precision[k];
        }
        memcpy(kept, a, sizeof(kept));
        if (!fit_solve(n, a, gradient))
            break;
        for (size_t k = 0; k < n; k++) {
            double move = fmax(-2, fmin(2, gradient[k]));
            parameters[k] -= move;
            largest = fmax(largest, fabs(move));
        }
        memcpy(a, kept, sizeof(a));
        if (largest < 1e-6)
            break;
    }
    if (variances)
        diagonal_of_inverse(a, n, variances);
}

/* What tells a parameter of strength: of the slope, models that were asked in several groups; of an offset, those
 * of them that were asked there. A model that was asked in one group alone says nothing of that group's offset, for
 * there is nothing else to tell its strength by. */
static bool says(const double *asked, size_t groups, size_t k)
{
    size_t wide = 0;
    for (size_t g = 0; g < groups; g++)
        wide += asked[g] >= ASKED_MIN;
    return wide >= GROUPS_MIN &&
           (k < DIFFICULTY_PARAMETERS || asked[k - DIFFICULTY_PARAMETERS] >= ASKED_MIN);
}

/* Parameter k over the known models: least squares on their strength. */
static void fit_line(struct base *b, size_t k, double (*asked)[FIT_TERMS_MAX])
{
    double n = 0, s = 0, y = 0, ss = 0, sy = 0;
    for (size_t j = 0; j < b->known_count; j++) {
        double strength = b->known[j].strength, value = b->known[j].parameters[k];
        if (!says(asked[j], b->head.groups, k))
            continue;
        n++;
        s += strength;
        y += value;
        ss += strength * strength;
        sy += strength * value;
    }
    if (n == 0)
        return;
    double slope = (sy - s * y / n) / (ss - s * s / n + SLOPE_RIDGE);
    b->family[1][k] = slope;
    b->family[0][k] = (y - slope * s) / n;
}

static void fit_deviation(struct base *b, size_t k, double (*asked)[FIT_TERMS_MAX],
                          double (*variances)[FIT_TERMS_MAX])
{
    double sum = 0, n = 0;
    for (size_t j = 0; j < b->known_count; j++) {
        const struct base_known *x = &b->known[j];
        if (!says(asked[j], b->head.groups, k))
            continue;
        n++;
        double off = x->parameters[k] - b->family[0][k] - b->family[1][k] * x->strength;
        sum += off * off + variances[j][k];
    }
    if (n > 0)
        b->deviation[k] = fmax(DEVIATION_MIN, sqrt(sum / n));
}

static void fit_known(const struct family_rows *r, struct base *b, size_t j, double *variances)
{
    double centre[FIT_TERMS_MAX], precision[FIT_TERMS_MAX];
    struct base_known *x = &b->known[j];
    base_family(b, x->strength, centre);
    for (size_t k = 1; k < r->parameters; k++)
        precision[k] = 1 / (b->deviation[k] * b->deviation[k]);
    centre[0] = base_strength_by_price(b, &x->price);
    precision[0] = 1 / (b->strength_sd * b->strength_sd);
    family_fit_one(r, j, centre, precision, x->parameters, variances);
    x->strength = x->parameters[0];
}

/* asked[groups] of each known model: how many texts of a group it has a score of, by the posterior. */
static void count_asked(const struct family_rows *r, double (*asked)[FIT_TERMS_MAX])
{
    memset(asked, 0, r->known * sizeof(*asked));
    for (size_t i = 0; i < r->count; i++)
        for (size_t j = 0; j < r->known; j++)
            for (size_t g = 0; g + DIFFICULTY_PARAMETERS < r->parameters; g++)
                asked[j][g] +=
                    r->scores[i * r->known + j] < 0 ? 0 : (double)r->rows[i * r->width + 1 + g];
}

void family_fit(const struct family_rows *r, struct base *b)
{
    double variances[BASE_KNOWN_MAX][FIT_TERMS_MAX], asked[BASE_KNOWN_MAX][FIT_TERMS_MAX];
    count_asked(r, asked);
    b->price[0] = b->price[1] = 0;
    b->strength_sd = STRENGTH_SD;
    for (size_t k = 0; k < r->parameters; k++) {
        b->family[0][k] = k == 1;
        b->family[1][k] = k == 0;
        b->deviation[k] = DEVIATION;
    }
    for (size_t j = 0; j < b->known_count; j++) {
        b->known[j].strength = 0;
        base_family(b, 0, b->known[j].parameters);
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t j = 0; j < b->known_count; j++)
            fit_known(r, b, j, variances[j]);
        for (size_t k = 1; k < r->parameters; k++) {
            fit_line(b, k, asked);
            fit_deviation(b, k, asked, variances);
        }
        family_fit_price(b);
    }
}

void family_fit_price(struct base *b)
{
    double n = 0, x = 0, y = 0, xx = 0, xy = 0, rest = 0;
    for (size_t j = 0; j < b->known_count; j++) {
        double price = log(base_price_usd(&b->known[j].price)), s = b->known[j].strength;
        n++;
        x += price;
        y += s;
        xx += price * price;
        xy += price * s;
    }
    double slope = (xy - x * y / n) / (xx - x * x / n + 1e-6);
    b->price[1] = slope > 0 ? slope : 0;
    b->price[0] = (y - b->price[1] * x) / n;
    for (size_t j = 0; j < b->known_count; j++) {
        double off = b->known[j].strength - base_strength_by_price(b, &b->known[j].price);
        rest += off * off;
    }
    b->strength_sd = sqrt(rest / fmax(1, n - 2));
}

/* One piece, for it is one sum. */
void family_fit_question(const struct family_rows *r, const struct base *b, double *ret_sd,
                         double *ret_share)
{
    double products = 0, weights = 0, chances = 0, pairs = 0;
    for (size_t i = 0; i < r->count; i++) {
        double sum = 0, own = 0, w = 0, ww = 0, n = 0;
        for (size_t j = 0; j < r->known; j++) {
            float score = r->scores[i * r->known + j];
            if (score < 0)
                continue;
            double p = sigmoid(logit_of(r, b->known[j].parameters, r->rows + i * r->width));
            double off = (double)score - p, v = p * (1 - p);
            sum += off;
            own += off * off;
            w += v;
            ww += v * v;
            n++;
        }
        if (n < 2)
            continue;
        double count = n * (n - 1);
        products += (sum * sum - own) / count;
        weights += (w * w - ww) / count;
        chances += w / n;
        pairs++;
    }
    *ret_sd = pairs > 0 && products > 0 ? sqrt(products / weights) : 0;
    *ret_share = pairs > 0 && products > 0 ? products / chances : 0;
}
