/* The guard, learnt: see guard_fit.h. Texts fall into a few kinds by their statistics (fit/kinds.h). The guard begins
 * where all but a hundredth of the training texts lie, each measured as if it had not been there, and is full a quarter
 * beyond: how bad estimates are in between nobody can tell by texts of training alone, so what is like training stays
 * as it is. Of many texts each is measured by its leverage; few bend the guard too much for that, and are measured by
 * guards that are learnt without them. Runs once, at the end of training; the same rows in the same order give the same
 * bits. */
#include "stage/guard_fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "fit/kinds.h"
#include "predict/predictor.h"

_Static_assert(KINDS_MAX <= GUARD_KINDS_MAX && FEATURES_MAX <= KINDS_DIMENSIONS_MAX, "they fit");

#define ROWS_MAX      32768 /* of more texts, as many evenly spaced */
#define DEVIATION_MIN 1e-3  /* of a statistic */
#define RIDGE         0.2   /* added to variances; so no single statistic makes a text foreign */
#define KNOWN_SHARE   0.99
#define RAMP          1.25f
#define NOVELTY_MIN   0.2f
#define LEVERAGE_MAX  0.5
#define ROWS_FEW      1000 /* texts: below, without_itself() is not to be trusted */
#define FOLDS         5

struct work {
    const struct guard_texts *texts;
    size_t rows, n;                          /* n: statistics */
    size_t fold;                             /* of FOLDS, left out; FOLDS: none is */
    float *x;                                /* [rows × n] standardised and clipped */
    float *away;                             /* [rows] scratch */
    float *scale, *whiten, *centre, *limits; /* of the guard */
};

/* Evenly spaced where there are more texts than rows. */
static size_t text_of(const struct work *w, size_t row)
{
    size_t among = row % (FOLDS - 1);
    if (w->fold < FOLDS)
        return row / (FOLDS - 1) * FOLDS + among + (among >= w->fold);
    return (size_t)((double)row * (double)w->texts->rows / (double)w->rows);
}

static void standardise(struct work *w)
{
    for (size_t i = 0; i < w->n; i++) {
        double sum = 0, squares = 0, rows = (double)w->rows;
        for (size_t r = 0; r < w->rows; r++)
            sum += (double)w->texts->said[text_of(w, r) * w->texts->stride + i];
        for (size_t r = 0; r < w->rows; r++) {
            double off = (double)w->texts->said[text_of(w, r) * w->texts->stride + i] - sum / rows;
            squares += off * off;
        }
        w->scale[i] = (float)(sum / rows);
        w->scale[w->n + i] = (float)(1 / fmax(sqrt(squares / rows), DEVIATION_MIN));
    }
    for (size_t r = 0; r < w->rows; r++)
        for (size_t i = 0; i < w->n; i++)
            w->x[r * w->n + i] =
                guard_standard(w->texts->said[text_of(w, r) * w->texts->stride + i], w->scale[i],
                               w->scale[w->n + i]);
}

/* Limits */

static int compare(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Sorts the values. */
static float beyond_most(float *values, size_t count)
{
    qsort(values, count, sizeof(*values), compare);
    return values[(size_t)(KNOWN_SHARE * (double)(count - 1))];
}

/* A text has drawn centre and covariance towards itself: without it, by its leverage, the distance is longer. */
static float without_itself(float distance, size_t statistics, size_t rows)
{
    double leverage = (double)distance * (double)statistics / (double)rows;
    leverage = leverage < LEVERAGE_MAX ? leverage : LEVERAGE_MAX;
    return (float)((double)distance / ((1 - leverage) * (1 - leverage)));
}

static struct guard guard_of(const struct work *w)
{
    return (struct guard){.kinds = KINDS_MAX,
                          .statistics = w->n,
                          .scale = w->scale,
                          .whiten = w->whiten,
                          .centre = w->centre,
                          .limits = w->limits};
}

static enum status learn(struct work *w, struct error *err)
{
    standardise(w);
    return kinds_fit(w->x, w->rows, w->n, RIDGE, w->whiten, w->centre, err);
}

/* The distance of every text from a guard that is learnt without its fold. */
static enum status find_away_by_folds(struct work *w, struct error *err)
{
    size_t all = w->rows, kind;
    enum status status = OK;
    for (w->fold = 0; w->fold < FOLDS && status == OK; w->fold++) {
        w->rows =
            all / FOLDS * (FOLDS - 1) + (all % FOLDS > w->fold ? all % FOLDS - 1 : all % FOLDS);
        status = learn(w, err);
        const struct guard g = guard_of(w);
        for (size_t text = w->fold; text < all && status == OK; text += FOLDS)
            w->away[text] = guard_distance(&g, w->texts->said + text * w->texts->stride, &kind);
    }
    w->fold = FOLDS;
    w->rows = all;
    return status;
}

static void find_away(struct work *w)
{
    const struct guard g = guard_of(w);
    for (size_t r = 0; r < w->rows; r++) {
        size_t kind;
        float far = guard_distance(&g, w->texts->said + text_of(w, r) * w->texts->stride, &kind);
        w->away[r] = without_itself(far, w->n, w->rows);
    }
}

/* `away` has the distances. */
static void find_limits(struct work *w)
{
    double length = 0, characters = 0;
    for (size_t r = 0; r < w->rows; r++) {
        size_t text = text_of(w, r);
        length += (double)w->texts->lengths[text];
        characters += log1p((double)w->texts->characters[text]);
    }
    w->limits[GUARD_LENGTH] = (float)(length / (double)w->rows);
    w->limits[GUARD_LOG_CHARACTERS] = (float)(characters / (double)w->rows);
    w->limits[GUARD_DISTANCE_BEGIN] = beyond_most(w->away, w->rows);
    for (size_t r = 0; r < w->rows; r++)
        w->away[r] = w->texts->novelty[text_of(w, r)];
    w->limits[GUARD_NOVELTY_BEGIN] = fmaxf(beyond_most(w->away, w->rows), NOVELTY_MIN);
    w->limits[GUARD_DISTANCE_FULL] = RAMP * w->limits[GUARD_DISTANCE_BEGIN];
    w->limits[GUARD_NOVELTY_FULL] = RAMP * w->limits[GUARD_NOVELTY_BEGIN];
}

static enum status fit(struct work *w, struct guard *ret, struct error *err)
{
    bool few = w->rows < ROWS_FEW;
    enum status status = few ? find_away_by_folds(w, err) : OK;
    if (status == OK)
        status = learn(w, err);
    if (status != OK)
        return status;
    if (!few)
        find_away(w);
    find_limits(w);
    *ret = guard_of(w);
    return OK;
}

enum status guard_fit(const struct guard_texts *t, struct arena *a, struct guard *ret,
                      struct error *err)
{
    size_t n = t->statistics, rows = t->rows < ROWS_MAX ? t->rows : ROWS_MAX;
    if (t->rows < GUARD_ROWS_MIN || !n)
        return *ret = (struct guard){.kinds = 0}, OK;
    CHECK(n <= FEATURES_MAX);
    float *floats = malloc(rows * (n + 1) * sizeof(*floats));
    struct work w = {.texts = t,
                     .rows = rows,
                     .n = n,
                     .fold = FOLDS,
                     .scale = ARENA_ARRAY(a, 2 * n, float),
                     .whiten = ARENA_ARRAY(a, n * n, float),
                     .centre = ARENA_ARRAY(a, KINDS_MAX * n, float),
                     .limits = ARENA_ARRAY(a, GUARD_LIMITS, float)};
    bool good = floats && w.scale && w.whiten && w.centre && w.limits;
    w.x = floats;
    w.away = good ? w.x + rows * n : NULL;
    enum status status = good ? fit(&w, ret, err) : error_set(err, ERR_MEMORY, "out of memory");
    free(floats);
    return status;
}
