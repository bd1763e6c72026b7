/* Kinds of points: see kinds.h. Everything runs in the order of the rows, sums are in double precision, and nothing
 * is random, so the same points give the same bits. One thread and no state: some ten passes over all points, which is
 * for training and never for a request. Points are as the caller scales them; clipping what lies far out is its
 * business, or single points become kinds. The whitening is a lower triangle, for so is a Cholesky factor's inverse. */
#include "fit/kinds.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

#define ROUNDS 10

struct work {
    const float *x; /* [rows × n] */
    size_t rows, n;
    double ridge;
    float *centre;        /* [KINDS_MAX × n], before whitening */
    float *away;          /* [rows] from the nearest centre, squared */
    uint8_t *kind;        /* [rows] */
    double *sums, *cross; /* [KINDS_MAX × n], [n × n] */
    float *whiten, *whitened;
};

/* Kinds */

static float squared(const float *a, const float *b, size_t n)
{
    float sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

/* The first is the mean, each further one the row that is farthest from all before it. */
static void start_kinds(struct work *w)
{
    memset(w->centre, 0, KINDS_MAX * w->n * sizeof(*w->centre));
    for (size_t r = 0; r < w->rows; r++)
        w->away[r] = INFINITY;
    for (size_t k = 0; k < KINDS_MAX; k++) {
        size_t farthest = 0;
        for (size_t r = 0; r < w->rows && k; r++) {
            w->away[r] =
                fminf(w->away[r], squared(w->x + r * w->n, w->centre + (k - 1) * w->n, w->n));
            farthest = w->away[r] > w->away[farthest] ? r : farthest;
        }
        if (k)
            memcpy(w->centre + k * w->n, w->x + farthest * w->n, w->n * sizeof(*w->centre));
    }
}

static void assign_kinds(struct work *w)
{
    for (size_t r = 0; r < w->rows; r++) {
        float nearest = INFINITY;
        for (size_t k = 0; k < KINDS_MAX; k++) {
            float away = squared(w->x + r * w->n, w->centre + k * w->n, w->n);
            w->kind[r] = away < nearest ? (uint8_t)k : w->kind[r];
            nearest = fminf(nearest, away);
        }
    }
}

/* An empty kind keeps its centre. */
static void move_kinds(struct work *w)
{
    double counts[KINDS_MAX] = {0};
    memset(w->sums, 0, KINDS_MAX * w->n * sizeof(*w->sums));
    for (size_t r = 0; r < w->rows; r++) {
        counts[w->kind[r]]++;
        for (size_t i = 0; i < w->n; i++)
            w->sums[w->kind[r] * w->n + i] += (double)w->x[r * w->n + i];
    }
    for (size_t k = 0; k < KINDS_MAX; k++)
        for (size_t i = 0; i < w->n && counts[k] > 0; i++)
            w->centre[k * w->n + i] = (float)(w->sums[k * w->n + i] / counts[k]);
}

/* Whitening */

static void find_covariance(struct work *w)
{
    double off[KINDS_DIMENSIONS_MAX];
    size_t n = w->n;
    memset(w->cross, 0, n * n * sizeof(*w->cross));
    for (size_t r = 0; r < w->rows; r++) {
        for (size_t i = 0; i < n; i++)
            off[i] = (double)(w->x[r * n + i] - w->centre[w->kind[r] * n + i]);
        for (size_t i = 0; i < n; i++)
            for (size_t k = 0; k <= i; k++)
                w->cross[i * n + k] += off[i] * off[k];
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k <= i; k++)
            w->cross[i * n + k] /= (double)w->rows;
        w->cross[i * n + i] += w->ridge;
    }
}

/* The inverse of the Cholesky factor of `cross`, which becomes that factor: row by row, forward substitution. The
 * ridge keeps what a root is taken of above zero. */
static void invert_factor(struct work *w)
{
    size_t n = w->n;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k <= i; k++) {
            double sum = w->cross[i * n + k];
            for (size_t j = 0; j < k; j++)
                sum -= w->cross[i * n + j] * w->cross[k * n + j];
            w->cross[i * n + k] = i == k ? sqrt(sum) : sum / w->cross[k * n + k];
        }
    memset(w->whiten, 0, n * n * sizeof(*w->whiten));
    for (size_t column = 0; column < n; column++) {
        double solved[KINDS_DIMENSIONS_MAX] = {0};
        for (size_t i = column; i < n; i++) {
            double sum = i == column;
            for (size_t j = column; j < i; j++)
                sum -= w->cross[i * n + j] * solved[j];
            solved[i] = sum / w->cross[i * n + i];
            w->whiten[i * n + column] = (float)solved[i];
        }
    }
}

static void whiten_centres(struct work *w)
{
    for (size_t k = 0; k < KINDS_MAX; k++)
        for (size_t i = 0; i < w->n; i++) {
            float sum = 0;
            for (size_t j = 0; j <= i; j++)
                sum += w->whiten[i * w->n + j] * w->centre[k * w->n + j];
            w->whitened[k * w->n + i] = sum;
        }
}

static void fit(struct work *w)
{
    start_kinds(w);
    for (int round = 0; round < ROUNDS; round++) {
        assign_kinds(w);
        move_kinds(w);
    }
    assign_kinds(w);
    find_covariance(w);
    invert_factor(w);
    whiten_centres(w);
}

enum status kinds_fit(const float *x, size_t rows, size_t dimensions, double ridge, float *whiten,
                      float *centre, struct error *err)
{
    size_t n = dimensions, centres = KINDS_MAX * n;
    CHECK(n <= KINDS_DIMENSIONS_MAX && rows > 0 && ridge > 0);
    float *floats = malloc((rows + centres) * sizeof(*floats));
    double *doubles = malloc((centres + n * n) * sizeof(*doubles));
    struct work w = {.x = x,
                     .rows = rows,
                     .n = n,
                     .ridge = ridge,
                     .kind = calloc(rows, 1),
                     .whiten = whiten,
                     .whitened = centre};
    bool good = floats && doubles && w.kind;
    if (good) {
        w.away = floats;
        w.centre = w.away + rows;
        w.sums = doubles;
        w.cross = w.sums + centres;
        fit(&w);
    }
    free(floats);
    free(doubles);
    free(w.kind);
    return good ? OK : error_set(err, ERR_MEMORY, "out of memory");
}
