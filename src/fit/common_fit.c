/* See common_fit.h. The Hessian is an arrow: a block for each expert, which touches the others only by way of the
 * common slopes. So a step of all is a step of the common ones by the Schur complement, then one of each expert. Double
 * precision, sums in the order of the rows: the same data give the same bits. For training alone. */
#include "fit/common_fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "fit/fit.h"

#define STEPS           50
#define STEP_MIN        1e-7
#define STEP_MAX        2.0
#define INTERCEPT_RIDGE 1e-3
#define UNKNOWNS_MAX    (1 + COMMON_FIT_TERMS_MAX)

_Static_assert(UNKNOWNS_MAX <= FIT_TERMS_MAX, "fit_solve has room");

struct block {              /* of an expert; the intercept comes first */
    double w[UNKNOWNS_MAX]; /* what is sought */
    double g[UNKNOWNS_MAX], h[UNKNOWNS_MAX][UNKNOWNS_MAX];
    double to_common[UNKNOWNS_MAX][COMMON_FIT_TERMS_MAX]; /* H⁻¹ · its columns towards the common */
};

struct fitting {
    const struct common_sample *s;
    double penalty, ridge;
    double common[COMMON_FIT_TERMS_MAX];
    struct block *blocks; /* [experts] */
};

static void add_outcome(struct block *b, const double *x, size_t unknowns, double target,
                        double weight)
{
    double z = 0;
    for (size_t k = 0; k < unknowns; k++)
        z += b->w[k] * x[k];
    double p = 1 / (1 + exp(-z)), residual = weight * (p - target), bend = weight * p * (1 - p);
    for (size_t k = 0; k < unknowns; k++) {
        b->g[k] += residual * x[k];
        for (size_t l = 0; l < unknowns; l++)
            b->h[k][l] += bend * x[k] * x[l];
    }
}

static void sum_outcomes(const struct fitting *f, size_t e)
{
    const struct common_sample *s = f->s;
    struct block *b = &f->blocks[e];
    memset(b->h, 0, sizeof(b->h));
    b->h[0][0] = INTERCEPT_RIDGE;
    b->g[0] = INTERCEPT_RIDGE * b->w[0];
    for (size_t k = 0; k < s->terms; k++) {
        b->h[1 + k][1 + k] = f->penalty;
        b->g[1 + k] = f->penalty * (b->w[1 + k] - f->common[k]);
    }
    for (size_t i = 0; i < s->count; i++) {
        size_t row = s->order[i], at = row * s->experts + e;
        double x[UNKNOWNS_MAX] = {1, (double)s->own[at]};
        if (s->targets[at] < 0 || s->weights[at] <= 0)
            continue;
        for (size_t k = 1; k < s->terms; k++)
            x[1 + k] = (double)s->shared[row * (s->terms - 1) + k - 1];
        add_outcome(b, x, 1 + s->terms, (double)s->targets[at], (double)s->weights[at]);
    }
}

/* h⁻¹ · x in place of x. */
static void solve(const struct block *b, size_t unknowns, double *x)
{
    double h[FIT_TERMS_MAX][FIT_TERMS_MAX];
    for (size_t k = 0; k < unknowns; k++)
        memcpy(h[k], b->h[k], unknowns * sizeof(double));
    CHECK(fit_solve(unknowns, h, x)); /* ridges make it positive */
}

/* One piece: what stands on either side of the common step. Returns the longest step. */
static double step(struct fitting *f)
{
    size_t terms = f->s->terms, unknowns = 1 + terms, experts = f->s->experts;
    double schur[FIT_TERMS_MAX][FIT_TERMS_MAX] = {{0}}, common[FIT_TERMS_MAX], longest = 0;
    for (size_t k = 0; k < terms; k++) {
        common[k] = f->ridge * f->common[k];
        schur[k][k] = f->ridge + f->penalty * (double)experts;
    }
    for (size_t e = 0; e < experts; e++) {
        struct block *b = &f->blocks[e];
        sum_outcomes(f, e);
        for (size_t k = 0; k < terms; k++)
            common[k] -= f->penalty * (b->w[1 + k] - f->common[k]);
        solve(b, unknowns, b->g);
        for (size_t k = 0; k < terms; k++) {
            double column[FIT_TERMS_MAX] = {0};
            column[1 + k] = -f->penalty;
            solve(b, unknowns, column);
            for (size_t l = 0; l < unknowns; l++)
                b->to_common[l][k] = column[l];
        }
        for (size_t k = 0; k < terms; k++) {
            common[k] += f->penalty * b->g[1 + k];
            for (size_t l = 0; l < terms; l++)
                schur[k][l] += f->penalty * b->to_common[1 + k][l];
        }
    }
    CHECK(fit_solve(terms, schur, common));
    for (size_t k = 0; k < terms; k++)
        longest = fmax(longest, fabs(common[k]));
    for (size_t e = 0; e < experts; e++)
        for (size_t l = 0; l < unknowns; l++) {
            for (size_t k = 0; k < terms; k++)
                f->blocks[e].g[l] -= f->blocks[e].to_common[l][k] * common[k];
            longest = fmax(longest, fabs(f->blocks[e].g[l]));
        }
    double share = longest > STEP_MAX ? STEP_MAX / longest : 1;
    for (size_t k = 0; k < terms; k++)
        f->common[k] -= share * common[k];
    for (size_t e = 0; e < experts; e++)
        for (size_t l = 0; l < unknowns; l++)
            f->blocks[e].w[l] -= share * f->blocks[e].g[l];
    return longest;
}

enum status fit_common_logistic(const struct common_sample *s, double penalty, double ridge,
                                float *ret, struct error *err)
{
    CHECK(s->terms >= 1 && s->terms <= COMMON_FIT_TERMS_MAX && penalty > 0 && ridge > 0);
    struct fitting f = {.s = s, .penalty = penalty, .ridge = ridge};
    f.blocks = calloc(s->experts, sizeof(*f.blocks));
    if (!f.blocks)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (int n = 0; n < STEPS; n++)
        if (step(&f) < STEP_MIN)
            break;
    for (size_t e = 0; e < s->experts; e++)
        for (size_t k = 0; k <= s->terms; k++)
            ret[k * s->experts + e] = (float)f.blocks[e].w[k];
    free(f.blocks);
    return OK;
}
