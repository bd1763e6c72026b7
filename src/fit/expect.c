/* Expected outcomes; see expect.h. The latent traits of a question live on a grid, so that all that a round needs are
 * tables: the logarithms of an expert's chances at a node in a group, and the outcomes that are expected to have come
 * from there. A round infers each row's place on the grid from what is known of it, gathers the tables, and takes
 * Newton steps from them. Everything runs in the order of the rows and experts: the same data give the same bits. */
#include "fit/expect.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/fmath.h"
#include "fit/fit.h"

#define TRAITS                                                                                     \
    2 /* ability, and one contrast between the experts that are strong and those that are weak */
#define SIDE     9    /* nodes along each */
#define STEP     0.75 /* standard deviations between nodes */
#define NODES    (SIDE * SIDE)
#define ROUNDS   25
#define SWEEPS   2
#define STEP_MAX 1.0 /* of a parameter in one step */

/* So many known outcomes of an expert halve what an expected one of it weighs. */
#define EXPECTED_HALF 2500.0

/* Ridges, in units of curvature: as much stands for the prior as so many outcomes of a question that is a toss. */
#define INTERCEPT_RIDGE 0.5 /* around the mean of all experts */
#define ABILITY_RIDGE   4.0 /* of the slope on ability, around the mean of all */
#define CONTRAST_RIDGE  4.0 /* of the slope on the contrast, around none */
#define OWN_RIDGE       8.0 /* of what is an expert's own in a group, around none */
#define TRAIT_RIDGE     4.0 /* of a group's mean of a trait, around none */

struct expect {
    size_t rows, experts, groups; /* the last group: none is known */
    const float *targets, *weights;
    const uint8_t *group_of;
    double at[NODES][TRAITS];
    float log_prior[NODES];
    double *intercepts, *slopes; /* [experts], [experts × TRAITS] */
    double *traits, *own;        /* [groups × TRAITS] means; [experts × groups] */
    double *counts,
        *sums; /* [experts × groups × NODES]: outcomes expected there, and their scores */
    float *right, *wrong; /* [experts × groups × NODES]: logarithms of the chances of either */
};

static size_t cell(const struct expect *x, size_t e, size_t g)
{
    return (e * x->groups + g) * NODES;
}

static size_t group(const struct expect *x, size_t row)
{
    return x->group_of[row] < x->groups - 1 ? x->group_of[row] : x->groups - 1;
}

static double clamp(double step)
{
    return step > STEP_MAX ? STEP_MAX : step < -STEP_MAX ? -STEP_MAX : step;
}

/* Where things start */

static void make_grid(struct expect *x)
{
    double weights[NODES], sum = 0;
    for (int i = 0; i < NODES; i++) {
        const int row = i / SIDE - SIDE / 2, column = i % SIDE - SIDE / 2;
        x->at[i][0] = STEP * row;
        x->at[i][1] = STEP * column;
        weights[i] = exp(-(x->at[i][0] * x->at[i][0] + x->at[i][1] * x->at[i][1]) / 2);
        sum += weights[i];
    }
    for (int i = 0; i < NODES; i++)
        x->log_prior[i] = (float)log(weights[i] / sum);
}

static double log_odds(const struct expect *x, size_t e)
{
    double sum = 1, known = 2;
    for (size_t at = e; at < x->rows * x->experts; at += x->experts)
        if (x->targets[at] >= 0) {
            sum += (double)(x->weights[at] * x->targets[at]);
            known += (double)x->weights[at];
        }
    return log(sum / (known - sum));
}

/* The contrast starts as "strong rather than weak": from nothing it would stay nothing. */
static void start(struct expect *x)
{
    double mean = 0, farthest = 0;
    for (size_t e = 0; e < x->experts; e++) {
        x->intercepts[e] = log_odds(x, e);
        mean += x->intercepts[e] / (double)x->experts;
    }
    for (size_t e = 0; e < x->experts; e++)
        farthest = fmax(farthest, fabs(x->intercepts[e] - mean));
    for (size_t e = 0; e < x->experts; e++) {
        x->slopes[e * TRAITS] = 1;
        x->slopes[e * TRAITS + 1] = farthest > 0 ? 0.5 * (x->intercepts[e] - mean) / farthest : 0;
    }
}

/* Expectation */

/* What expert e makes of a question of group g at a node: terms[1 + TRAITS] are its derivatives. */
static double logit_at(const struct expect *x, size_t e, size_t g, int node, double *terms)
{
    double z = x->intercepts[e] + x->own[e * x->groups + g];
    terms[0] = 1;
    for (size_t t = 0; t < TRAITS; t++) {
        terms[1 + t] = x->at[node][t] + x->traits[g * TRAITS + t];
        z += x->slopes[e * TRAITS + t] * terms[1 + t];
    }
    return z;
}

static void tabulate(struct expect *x)
{
    double terms[1 + TRAITS];
    for (size_t e = 0; e < x->experts; e++)
        for (size_t g = 0; g < x->groups; g++)
            for (int i = 0; i < NODES; i++) {
                double z = logit_at(x, e, g, i, terms);
                x->right[cell(x, e, g) + (size_t)i] = (float)-log1p(exp(-z));
                x->wrong[cell(x, e, g) + (size_t)i] = (float)-log1p(exp(z));
            }
}

WIDE_LOOPS static void add_evidence(float *sums, const float *right, const float *wrong, float good,
                                    float bad)
{
    for (int i = 0; i < NODES; i++)
        sums[i] += good * right[i] + bad * wrong[i];
}

static void normalise(float *p)
{
    float top = p[0], sum = 0;
    for (int i = 1; i < NODES; i++)
        top = p[i] > top ? p[i] : top;
    for (int i = 0; i < NODES; i++)
        sum += p[i] = fmath_exp(p[i] - top);
    for (int i = 0; i < NODES; i++)
        p[i] /= sum;
}

/* Where on the grid a row is, posterior[NODES], by what is known of it. False: nothing is. */
static bool infer(const struct expect *x, size_t row, float *posterior)
{
    bool any = false;
    memcpy(posterior, x->log_prior, sizeof(x->log_prior));
    for (size_t e = 0; e < x->experts; e++) {
        size_t at = row * x->experts + e, k = cell(x, e, group(x, row));
        float y = x->targets[at], w = x->weights[at];
        if (y < 0)
            continue;
        add_evidence(posterior, x->right + k, x->wrong + k, w * y, w * (1 - y));
        any = true;
    }
    if (any)
        normalise(posterior);
    return any;
}

static void gather_cell(struct expect *x, size_t k, const float *posterior, double weight,
                        double score)
{
    for (int i = 0; i < NODES; i++) {
        double count = weight * (double)posterior[i];
        x->counts[k + (size_t)i] += count;
        x->sums[k + (size_t)i] += count * score;
    }
}

static void gather(struct expect *x)
{
    float posterior[NODES];
    size_t cells = x->experts * x->groups * NODES;
    memset(x->counts, 0, cells * sizeof(*x->counts));
    memset(x->sums, 0, cells * sizeof(*x->sums));
    for (size_t row = 0; row < x->rows; row++) {
        if (!infer(x, row, posterior))
            continue;
        for (size_t e = 0; e < x->experts; e++) {
            size_t at = row * x->experts + e;
            if (x->targets[at] >= 0)
                gather_cell(x, cell(x, e, group(x, row)), posterior, (double)x->weights[at],
                            (double)x->targets[at]);
        }
    }
}

/* Maximisation */

/* Gradient and curvature of the loss at a node, by the logit. */
static void differentiate(const struct expect *x, size_t e, size_t g, int node, double *terms,
                          double *gradient, double *curvature)
{
    size_t k = cell(x, e, g) + (size_t)node;
    double p = 1 / (1 + exp(-logit_at(x, e, g, node, terms)));
    *gradient = x->counts[k] * p - x->sums[k];
    *curvature = x->counts[k] * p * (1 - p);
}

static void pull(double *a, double *b, double ridge, double away)
{
    *a += ridge;
    *b += ridge * away;
}

/* Intercept and slopes; `means`: of all experts' intercepts and slopes on ability. */
static void step_expert(struct expect *x, size_t e, const double means[2])
{
    double a[FIT_TERMS_MAX][FIT_TERMS_MAX] = {{0}}, b[FIT_TERMS_MAX] = {0};
    double terms[1 + TRAITS], gradient, curvature, *slopes = x->slopes + e * TRAITS;
    for (size_t g = 0; g < x->groups; g++)
        for (int i = 0; i < NODES; i++) {
            differentiate(x, e, g, i, terms, &gradient, &curvature);
            for (size_t k = 0; k <= TRAITS; k++) {
                b[k] += gradient * terms[k];
                for (size_t l = 0; l <= TRAITS; l++)
                    a[k][l] += curvature * terms[k] * terms[l];
            }
        }
    pull(&a[0][0], &b[0], INTERCEPT_RIDGE, x->intercepts[e] - means[0]);
    pull(&a[1][1], &b[1], ABILITY_RIDGE, slopes[0] - means[1]);
    pull(&a[2][2], &b[2], CONTRAST_RIDGE, slopes[1]);
    if (!fit_solve(1 + TRAITS, a, b))
        return;
    x->intercepts[e] -= clamp(b[0]);
    for (size_t t = 0; t < TRAITS; t++)
        slopes[t] -= clamp(b[1 + t]);
}

/* What is the experts' own in a group, and the group's means of the traits; these take half of their step, for the
 * former explain the same. */
static void step_group(struct expect *x, size_t g)
{
    double b[TRAITS], a[TRAITS], terms[1 + TRAITS], gradient, curvature;
    for (size_t t = 0; t < TRAITS; t++) {
        a[t] = TRAIT_RIDGE;
        b[t] = TRAIT_RIDGE * x->traits[g * TRAITS + t];
    }
    for (size_t e = 0; e < x->experts; e++) {
        double *own = &x->own[e * x->groups + g], r = 0, h = 0;
        for (int i = 0; i < NODES; i++) {
            differentiate(x, e, g, i, terms, &gradient, &curvature);
            r += gradient;
            h += curvature;
        }
        for (size_t t = 0; t < TRAITS; t++) {
            double slope = x->slopes[e * TRAITS + t];
            b[t] += r * slope;
            a[t] += h * slope * slope;
        }
        *own -= clamp((r + OWN_RIDGE * *own) / (h + OWN_RIDGE));
    }
    for (size_t t = 0; t < TRAITS; t++)
        x->traits[g * TRAITS + t] -= clamp(b[t] / a[t]) / 2;
}

static void maximise(struct expect *x)
{
    double means[2] = {0};
    for (size_t e = 0; e < x->experts; e++) {
        means[0] += x->intercepts[e] / (double)x->experts;
        means[1] += x->slopes[e * TRAITS] / (double)x->experts;
    }
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        for (size_t e = 0; e < x->experts; e++)
            step_expert(x, e, means);
        for (size_t g = 0; g < x->groups; g++)
            step_group(x, g);
    }
}

/* Filling */

static void fit(struct expect *x)
{
    make_grid(x);
    start(x);
    tabulate(x);
    for (int round = 0; round < ROUNDS; round++) {
        gather(x);
        maximise(x);
        tabulate(x);
    }
}

/* Whoever was asked much has told what is its own, which what is expected of it must not drown. */
static void share_weights(const struct expect *x, float share, float *ret)
{
    for (size_t e = 0; e < x->experts; e++) {
        double known = 0;
        for (size_t at = e; at < x->rows * x->experts; at += x->experts)
            known += x->targets[at] >= 0 ? (double)x->weights[at] : 0;
        known /= EXPECTED_HALF;
        ret[e] = share / (float)(1 + known * known);
    }
}

static void fill(const struct expect *x, const float *shares, float *targets, float *weights)
{
    float posterior[NODES];
    for (size_t row = 0; row < x->rows; row++) {
        if (!infer(x, row, posterior))
            continue;
        for (size_t e = 0; e < x->experts; e++) {
            size_t at = row * x->experts + e, k = cell(x, e, group(x, row));
            if (targets[at] >= 0)
                continue;
            float p = 0;
            for (int i = 0; i < NODES; i++)
                p += posterior[i] * fmath_exp(x->right[k + (size_t)i]);
            targets[at] = p < 1 ? p : 1;
            weights[at] = shares[e];
        }
    }
}

static bool has_holes(const float *targets, size_t cells)
{
    for (size_t i = 0; i < cells; i++)
        if (targets[i] < 0)
            return true;
    return false;
}

/* Lays out its three blocks of memory in the order of the struct: one way in, one way out. */
enum status expect_fill(float *targets, float *weights, const uint8_t *groups, size_t rows,
                        size_t experts, size_t group_count, float share, struct error *err)
{
    size_t groups_all = group_count + 1, cells = experts * groups_all * NODES;
    if (!has_holes(targets, rows * experts))
        return OK;
    struct expect *x = calloc(1, sizeof(*x));
    size_t parameters = experts * (1 + TRAITS) + groups_all * (TRAITS + experts);
    double *doubles = calloc(parameters + 2 * cells, sizeof(*doubles));
    float *floats = calloc(2 * cells + experts, sizeof(*floats));
    bool good = x && doubles && floats;
    if (good) {
        *x = (struct expect){.rows = rows,
                             .experts = experts,
                             .groups = groups_all,
                             .targets = targets,
                             .weights = weights,
                             .group_of = groups};
        x->intercepts = doubles;
        x->slopes = x->intercepts + experts;
        x->traits = x->slopes + experts * TRAITS;
        x->own = x->traits + groups_all * TRAITS;
        x->counts = x->own + experts * groups_all;
        x->sums = x->counts + cells;
        x->right = floats;
        x->wrong = floats + cells;
        float *shares = floats + 2 * cells;
        fit(x);
        share_weights(x, share, shares);
        fill(x, shares, targets, weights);
    }
    free(x);
    free(doubles);
    free(floats);
    return good ? OK : error_set(err, ERR_MEMORY, "out of memory for %zu experts", experts);
}
