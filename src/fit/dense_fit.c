/* Principal components and logistic regression: see dense_fit.h. On one thread, in one order, so that the same rows
 * give the same bits. The matrix products are plain loops over blocks that stay in registers; a library of matrix
 * products would gain a few tenths of a second of a training (bench/encoders.md). The regression is in double
 * precision; it has some twenty unknowns for each expert, and experts have nothing in common here. */
#include "fit/dense_fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/fmath.h"
#include "base/rng.h"

#define SPARE      8 /* directions beyond those wanted, which make the others converge */
#define WIDTH_MAX  (DENSE_FIT_MAX + SPARE) /* a multiple of LANES */
#define ITERATIONS 8
#define SWEEPS     30
#define TINY       1e-12

#define NEWTON_STEPS    25
#define NEWTON_STEP_MIN 1e-6
#define NEWTON_STEP_MAX 2.0
#define INTERCEPT_RIDGE 1e-3

#define LANES 8 /* floats of a vector; the width is a multiple */
#define BLOCK                                                                                      \
    4 /* rows that go through the products together, so that a basis is read once for them */

typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));

struct principal {
    const struct dense_rows *rows;
    const uint32_t *order;
    size_t count, stride, width;
    const float *mean;
    float *basis, *next; /* [dims × width]; columns beyond the dims are zero */
    float *centred;      /* [dims × BLOCK] */
};

static const float *row_at(const struct principal *p, size_t i)
{
    return p->rows->x + (size_t)p->order[i * p->stride] * p->rows->dims;
}

/* For LANES columns of the basis: y = centred · basis, then next += centred · y, which is the rows' part of the
 * covariance times the basis. Each sum has one order, whatever the width of the vectors. */
WIDE_LOOPS static void add_block(const float *centred, const float *basis, size_t dims,
                                 size_t width, float *next)
{
    lanes y[BLOCK] = {{0}};
    for (size_t d = 0; d < dims; d++) {
        lanes b;
        memcpy(&b, basis + d * width, sizeof(b));
        for (size_t r = 0; r < BLOCK; r++)
            y[r] += centred[d * BLOCK + r] * b;
    }
    for (size_t d = 0; d < dims; d++) {
        lanes sum;
        memcpy(&sum, next + d * width, sizeof(sum));
        for (size_t r = 0; r < BLOCK; r++)
            sum += centred[d * BLOCK + r] * y[r];
        memcpy(next + d * width, &sum, sizeof(sum));
    }
}

/* next = covariance · basis, times the number of rows. */
static void multiply(struct principal *p)
{
    size_t dims = p->rows->dims;
    memset(p->next, 0, dims * p->width * sizeof(*p->next));
    for (size_t i = 0; i < p->count; i += BLOCK) {
        for (size_t r = 0; r < BLOCK; r++)
            for (size_t d = 0; d < dims; d++)
                p->centred[d * BLOCK + r] = i + r < p->count ? row_at(p, i + r)[d] - p->mean[d] : 0;
        for (size_t k = 0; k < p->width; k += LANES)
            add_block(p->centred, p->basis + k, dims, p->width, p->next + k);
    }
}

static double dot(const float *basis, size_t dims, size_t width, size_t a, size_t b)
{
    double sum = 0;
    for (size_t i = 0; i < dims; i++)
        sum += (double)basis[i * width + a] * (double)basis[i * width + b];
    return sum;
}

/* Gram and Schmidt, twice over, so that rounding leaves nothing; what has no length of its own becomes zero. */
static void orthonormalise(float *basis, size_t dims, size_t width)
{
    for (size_t k = 0; k < width; k++) {
        double before = dot(basis, dims, width, k, k);
        for (int pass = 0; pass < 2; pass++)
            for (size_t j = 0; j < k; j++) {
                double along = dot(basis, dims, width, j, k);
                for (size_t i = 0; i < dims; i++)
                    basis[i * width + k] -= (float)(along * (double)basis[i * width + j]);
            }
        double left = dot(basis, dims, width, k, k);
        double scale = left > 1e-10 * before && left > 0 ? 1 / sqrt(left) : 0;
        for (size_t i = 0; i < dims; i++)
            basis[i * width + k] = (float)((double)basis[i * width + k] * scale);
    }
}

/* One rotation of Jacobi's method, by which a[p][q] vanishes; the columns of `v` gather the rotations. */
static void rotate(double a[WIDTH_MAX][WIDTH_MAX], double v[WIDTH_MAX][WIDTH_MAX], size_t n,
                   size_t p, size_t q)
{
    double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
    double t = (theta >= 0 ? 1 : -1) / (fabs(theta) + sqrt(theta * theta + 1));
    double c = 1 / sqrt(t * t + 1), s = t * c;
    for (size_t k = 0; k < n; k++) {
        double x = a[k][p], y = a[k][q];
        a[k][p] = c * x - s * y;
        a[k][q] = s * x + c * y;
    }
    for (size_t k = 0; k < n; k++) {
        double x = a[p][k], y = a[q][k];
        a[p][k] = c * x - s * y;
        a[q][k] = s * x + c * y;
        x = v[k][p];
        y = v[k][q];
        v[k][p] = c * x - s * y;
        v[k][q] = s * x + c * y;
    }
}

/* Eigenvalues of a symmetric matrix onto its diagonal, eigenvectors into the columns of `v`. */
static void eigen(double a[WIDTH_MAX][WIDTH_MAX], double v[WIDTH_MAX][WIDTH_MAX], size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            v[i][j] = i == j;
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        double off = 0, all = 0;
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++) {
                all += a[i][j] * a[i][j];
                off += i == j ? 0 : a[i][j] * a[i][j];
            }
        if (!(off > TINY * TINY * all))
            return;
        for (size_t p = 0; p + 1 < n; p++)
            for (size_t q = p + 1; q < n; q++)
                if (fabs(a[p][q]) > 0)
                    rotate(a, v, n, p, q);
    }
}

/* `next` is the covariance times the orthonormal basis: what the covariance is within it, and its largest directions,
 * in falling order. variance [width] */
static void ritz(const struct principal *p, size_t *order, double *variance,
                 double v[WIDTH_MAX][WIDTH_MAX])
{
    double a[WIDTH_MAX][WIDTH_MAX];
    size_t dims = p->rows->dims, n = p->width;
    for (size_t j = 0; j < n; j++)
        for (size_t k = 0; k < n; k++) {
            a[j][k] = 0;
            for (size_t i = 0; i < dims; i++)
                a[j][k] += (double)p->basis[i * n + j] * (double)p->next[i * n + k];
        }
    for (size_t j = 0; j < n; j++)
        for (size_t k = 0; k < j; k++)
            a[j][k] = a[k][j] = (a[j][k] + a[k][j]) / 2;
    eigen(a, v, n);
    for (size_t k = 0; k < n; k++) {
        variance[k] = fmax(a[k][k], 0) / (double)p->count;
        size_t at = k;
        for (; at > 0 && variance[order[at - 1]] < variance[k]; at--)
            order[at] = order[at - 1];
        order[at] = k;
    }
}

/* The basis turned into the components, each with its largest entry positive, and divided by the common scale. */
static void hand_over(const struct principal *p, size_t components, float *directions)
{
    static _Thread_local double v[WIDTH_MAX][WIDTH_MAX];
    double variance[WIDTH_MAX], mean = 0;
    size_t order[WIDTH_MAX], dims = p->rows->dims, n = p->width;
    ritz(p, order, variance, v);
    size_t found = n < components ? n : components;
    for (size_t k = 0; k < found; k++)
        mean += variance[order[k]] / (double)components;
    double scale = mean > TINY ? 1 / sqrt(mean) : 0;
    memset(directions, 0, dims * components * sizeof(*directions));
    for (size_t k = 0; k < found; k++) {
        double furthest = 0;
        for (size_t i = 0; i < dims; i++) {
            double sum = 0;
            for (size_t j = 0; j < n; j++)
                sum += (double)p->basis[i * n + j] * v[j][order[k]];
            directions[i * components + k] = (float)(sum * scale);
            furthest = fabs(sum) > fabs(furthest) ? sum : furthest;
        }
        for (size_t i = 0; furthest < 0 && i < dims; i++)
            directions[i * components + k] = -directions[i * components + k];
    }
}

static void find_mean(const struct principal *p, float *mean)
{
    for (size_t d = 0; d < p->rows->dims; d++) {
        double sum = 0;
        for (size_t i = 0; i < p->count; i++)
            sum += (double)row_at(p, i)[d];
        mean[d] = (float)(sum / (double)p->count);
    }
}

/* One piece: what is allocated here is gone when it returns. */
enum status dense_principal(const struct dense_rows *r, const uint32_t *order, size_t count,
                            size_t components, float *mean, float *directions, struct error *err)
{
    CHECK(components > 0 && components <= DENSE_FIT_MAX && count > 0 && r->dims > 0);
    struct principal p = {.rows = r, .order = order, .mean = mean};
    struct rng rng;
    p.stride = (count + DENSE_ROWS_MAX - 1) / DENSE_ROWS_MAX;
    p.count = count / p.stride;
    size_t wanted = components + SPARE < r->dims ? components + SPARE : r->dims;
    p.width = (wanted + LANES - 1) / LANES * LANES;
    float *block = calloc(r->dims * (2 * p.width + BLOCK), sizeof(*block));
    if (!block)
        return error_set(err, ERR_MEMORY, "out of memory");
    p.basis = block;
    p.next = block + r->dims * p.width;
    p.centred = block + 2 * r->dims * p.width;
    find_mean(&p, mean);
    rng_seed(&rng, 1);
    for (size_t i = 0; i < r->dims; i++)
        for (size_t k = 0; k < wanted; k++)
            p.basis[i * p.width + k] = (float)(rng_uniform(&rng) - 0.5);
    orthonormalise(p.basis, r->dims, p.width);
    for (int k = 0; k < ITERATIONS; k++) {
        multiply(&p);
        memcpy(p.basis, p.next, r->dims * p.width * sizeof(*p.basis));
        orthonormalise(p.basis, r->dims, p.width);
    }
    multiply(&p);
    hand_over(&p, components, directions);
    free(block);
    return OK;
}

/* The regression */

#define UNKNOWNS_MAX (1 + DENSE_FIT_MAX)

struct regression {
    const struct dense_sample *sample;
    size_t unknowns;
    double w[UNKNOWNS_MAX], g[UNKNOWNS_MAX], h[UNKNOWNS_MAX][UNKNOWNS_MAX];
};

static void add_outcome(struct regression *r, const float *c, double target, double weight)
{
    double x[UNKNOWNS_MAX], z = r->w[0];
    x[0] = 1;
    for (size_t k = 1; k < r->unknowns; k++) {
        x[k] = (double)c[k - 1];
        z += r->w[k] * x[k];
    }
    double p = 1 / (1 + exp(-z)), residual = weight * (p - target), bend = weight * p * (1 - p);
    for (size_t k = 0; k < r->unknowns; k++) {
        r->g[k] += residual * x[k];
        for (size_t l = 0; l <= k; l++)
            r->h[k][l] += bend * x[k] * x[l];
    }
}

static void sum_outcomes(struct regression *r, size_t e, double penalty)
{
    const struct dense_sample *s = r->sample;
    for (size_t k = 0; k < r->unknowns; k++) {
        double ridge = k ? penalty : INTERCEPT_RIDGE;
        memset(r->h[k], 0, sizeof(r->h[k]));
        r->h[k][k] = ridge;
        r->g[k] = ridge * r->w[k];
    }
    for (size_t i = 0; i < s->count; i++) {
        size_t at = (size_t)s->order[i] * s->experts + e;
        if (s->targets[at] >= 0 && s->weights[at] > 0)
            add_outcome(r, s->components + (size_t)s->order[i] * s->terms, (double)s->targets[at],
                        (double)s->weights[at]);
    }
}

/* Solves h · x = g in place of g, by Cholesky's factors in place of the lower half of h, which is positive. */
static void solve(struct regression *r)
{
    size_t n = r->unknowns;
    for (size_t k = 0; k < n; k++)
        for (size_t i = k; i < n; i++) {
            double sum = r->h[i][k];
            for (size_t j = 0; j < k; j++)
                sum -= r->h[i][j] * r->h[k][j];
            r->h[i][k] = i == k ? sqrt(fmax(sum, TINY)) : sum / r->h[k][k];
        }
    for (size_t k = 0; k < n; k++) {
        for (size_t j = 0; j < k; j++)
            r->g[k] -= r->h[k][j] * r->g[j];
        r->g[k] /= r->h[k][k];
    }
    for (size_t k = n; k-- > 0;) {
        for (size_t j = k + 1; j < n; j++)
            r->g[k] -= r->h[j][k] * r->g[j];
        r->g[k] /= r->h[k][k];
    }
}

/* One piece: experts one by one, each by the same steps. */
enum status dense_logistic(const struct dense_sample *s, double penalty, float *ret,
                           struct error *err)
{
    CHECK(s->terms <= DENSE_FIT_MAX && penalty > 0);
    struct regression *r = malloc(sizeof(*r));
    if (!r)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t e = 0; e < s->experts; e++) {
        *r = (struct regression){.sample = s, .unknowns = 1 + s->terms};
        for (int step = 0; step < NEWTON_STEPS; step++) {
            double longest = 0;
            sum_outcomes(r, e, penalty);
            solve(r);
            for (size_t k = 0; k < r->unknowns; k++)
                longest = fmax(longest, fabs(r->g[k]));
            double share = longest > NEWTON_STEP_MAX ? NEWTON_STEP_MAX / longest : 1;
            for (size_t k = 0; k < r->unknowns; k++)
                r->w[k] -= share * r->g[k];
            if (longest < NEWTON_STEP_MIN)
                break;
        }
        for (size_t k = 0; k < r->unknowns; k++)
            ret[k * s->experts + e] = (float)r->w[k];
    }
    free(r);
    return OK;
}

double dense_loss(const float *logits, const float *scores, const float *weights, size_t cells)
{
    double sum = 0;
    for (size_t i = 0; i < cells; i++) {
        double z = (double)logits[i], y = (double)scores[i];
        if (y >= 0)
            sum += (double)weights[i] * (fmax(z, 0) - z * y + log1p(exp(-fabs(z))));
    }
    return sum;
}
