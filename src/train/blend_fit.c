/* Fitting the blend: see blend_fit.h. The rows stand in two *views*, held out by text and by whole domains; each has
 * the n-gram model's estimates, the newness of the texts, and what every late source says, always by learners that
 * never saw the row. What is minimised is the squared error of the differences between experts (fit/differences.h), for
 * a decision compares them: the log loss would have weights that tell how hard a text is, and worse decisions. A source
 * is kept only if that error falls by more than chance would have it. Arrays live in the scratch arena. On the thread
 * that trains, and everything is in one order, so that the same data give the same bytes. */
#include "train/blend_fit.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "base/fmath.h"
#include "fit/differences.h"
#include "fit/fit.h"
#include "train/source_kind.h"
#include "train/unseen.h"

#define WEIGHT_RIDGE   5.0
#define GAIN_MAX       1.0
#define UNLIKE_RIDGE   1.0
#define ALL_KNOWN      (-30.0f) /* what makes nothing unlike */
#define ERRORS_TO_KEEP 2.0      /* standard errors that a gain must exceed */

static const double penalties[] = {1, 10, 100};
#define PENALTIES (sizeof(penalties) / sizeof(penalties[0]))

/* What is fitted: gains of the level, where known and where fresh, then the weights of each source. */
#define GAINS          2
#define TERMS(sources) (GAINS + BLEND_SOURCE_TERMS * (sources))
_Static_assert(TERMS(TRAIN_LATE_MAX) <= FIT_TERMS_MAX, "one fit finds all weights");

struct view {
    const uint8_t *folds;
    unsigned fold_count;
    const float *quality, *novelty, *entropy;
    float *said[TRAIN_LATE_MAX]; /* [rows × experts] */
};

struct fitting {
    struct train_work *work;
    struct view views[2]; /* texts, domains */
    size_t view_count, late;
    float *candidates[2][PENALTIES];          /* of the source at hand: as `said` */
    float *x, *offsets, *targets, *weights;   /* [2 × rows × experts (× terms)] */
    float *loss;                              /* [2 × rows] */
    float blend[BLEND_TERMS(TRAIN_LATE_MAX)]; /* as far as it is fitted */
    struct late_figures figures[TRAIN_LATE_MAX];
};

static enum status allocate(struct fitting *f, struct error *err)
{
    struct arena *a = f->work->scratch;
    size_t cells = f->work->table.rows * f->work->table.experts;
    bool good = true;
    for (size_t v = 0; v < f->view_count; v++) {
        for (size_t k = 0; k < f->late; k++)
            good = (f->views[v].said[k] = ARENA_ARRAY(a, cells, float)) && good;
        for (size_t p = 0; p < PENALTIES; p++)
            good = (f->candidates[v][p] = ARENA_ARRAY(a, cells, float)) && good;
    }
    f->x = ARENA_ARRAY(a, 2 * cells * TERMS(f->late), float);
    f->offsets = ARENA_ARRAY(a, 2 * cells, float);
    f->targets = ARENA_ARRAY(a, 2 * cells, float);
    f->weights = ARENA_ARRAY(a, 2 * cells, float);
    f->loss = ARENA_ARRAY(a, 4 * f->work->table.rows, float);
    return good && f->x && f->offsets && f->targets && f->weights && f->loss
               ? OK
               : error_set(err, ERR_MEMORY, "out of memory");
}

/* Learners */

static size_t rows_of(const struct fitting *f, const struct view *v, unsigned fold, bool inside,
                      uint32_t *order)
{
    size_t count = 0;
    for (size_t i = 0; i < f->work->table.rows; i++)
        if ((v->folds[i] == fold) == inside)
            order[count++] = (uint32_t)i;
    return count;
}

/* What late source k says of every row of a view under each penalty, by learners that never saw it. */
static enum status learn_view(struct fitting *f, size_t view, size_t k, struct error *err)
{
    struct train_work *w = f->work;
    const struct view *v = &f->views[view];
    size_t s = w->predictor->source_count + k, experts = w->table.experts;
    enum status status = OK;
    for (unsigned fold = 0; fold < v->fold_count && status == OK; fold++) {
        size_t count = rows_of(f, v, fold, false, w->order),
               held_out = rows_of(f, v, fold, true, w->inside);
        for (size_t p = 0; p < PENALTIES && held_out && status == OK; p++) {
            w->kinds[s]->penalise(w->learners[s], penalties[p]);
            status = w->kinds[s]->learn_late(w->learners[s], w->order, count, err);
            for (size_t i = 0; i < held_out && status == OK; i++)
                w->kinds[s]->predict(w->learners[s], w->inside[i], NULL,
                                     f->candidates[view][p] + w->inside[i] * experts, NULL);
        }
    }
    return status;
}

#define CENTRE                                                                                     \
    BLEND_UNLIKE_TERMS /* of the blend's numbers; behind it the gains, then the sources' weights */
_Static_assert(BLEND_TERMS(0) == CENTRE + 1 + GAINS, "the fit's slopes are the blend's numbers");

/* How unlike training a text is */

static enum status fit_unlike(struct fitting *f, struct error *err)
{
    static const double prior[BLEND_UNLIKE_TERMS - 1] = {0};
    size_t rows = f->work->table.rows, n = 0;
    f->blend[0] = ALL_KNOWN;
    if (f->view_count < 2)
        return OK;
    for (size_t v = 0; v < 2; v++)
        for (size_t i = 0; i < rows; i++, n++) {
            float terms[BLEND_UNLIKE_TERMS];
            blend_unlike_terms(f->views[v].novelty[i], f->views[v].entropy[i], terms);
            memcpy(f->x + n * (BLEND_UNLIKE_TERMS - 1), terms + 1, sizeof(terms) - sizeof(*terms));
            f->targets[n] = (float)v;
        }
    return fit_shared_logistic(f->x, f->targets, NULL, n, 1, BLEND_UNLIKE_TERMS - 1, prior,
                               UNLIKE_RIDGE, f->blend, f->blend + 1, err);
}

/* Weights */

static float mean_of(const float *x, size_t n)
{
    float sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum / (float)n;
}

/* What one row brings to the fit of sources use[count]: for each expert their terms, as blend_run has them. */
static void add_terms(const struct fitting *f, const struct view *v, size_t row, const size_t *use,
                      size_t count, float *x, float *offsets)
{
    size_t experts = f->work->table.experts, terms = TERMS(count);
    float unlike = blend_unlike(f->blend, v->novelty[row], v->entropy[row]);
    for (size_t e = 0; e < experts; e++)
        offsets[e] = blend_logit(v->quality[row * experts + e]);
    float z = mean_of(offsets, experts), from = z - f->blend[CENTRE];
    for (size_t e = 0; e < experts; e++) {
        x[e * terms] = (1 - unlike) * from;
        x[e * terms + 1] = unlike * from;
    }
    for (size_t k = 0; k < count; k++) {
        const float *d = v->said[use[k]] + row * experts;
        float apart_by = mean_of(d, experts) - z;
        for (size_t e = 0; e < experts; e++) {
            float own = d[e] - offsets[e] - apart_by, *to = x + e * terms + TERMS(k);
            to[0] = (1 - unlike) * apart_by;
            to[1] = (1 - unlike) * own;
            to[2] = unlike * apart_by;
            to[3] = unlike * own;
        }
    }
}

/* The level from which it is spread: its mean over the rows as training knows them. */
static void fit_centre(struct fitting *f)
{
    const struct train_table *t = &f->work->table;
    double sum = 0;
    for (size_t i = 0; i < t->rows * t->experts; i++)
        sum += (double)blend_logit(f->views[0].quality[i]);
    f->blend[CENTRE] = (float)(sum / (double)(t->rows * t->experts));
}

/* Where nothing is held out as a domain, what is known of the known stands for all. */
static void copy_known(float *blend, size_t count)
{
    blend[CENTRE + 2] = blend[CENTRE + 1];
    for (size_t k = 0; k < count; k++)
        memcpy(blend + BLEND_TERMS(k) + 2, blend + BLEND_TERMS(k), 2 * sizeof(*blend));
}

/* Fits the weights of sources use[count] into f->blend, in their order. */
static void fit_weights(struct fitting *f, const size_t *use, size_t count)
{
    const struct train_table *t = &f->work->table;
    size_t cells = t->rows * t->experts, terms = TERMS(count);
    double low[FIT_TERMS_MAX] = {0}, high[FIT_TERMS_MAX];
    for (size_t k = 0; k < terms; k++)
        high[k] = k < GAINS ? GAIN_MAX : 1;
    for (size_t v = 0; v < f->view_count; v++) {
        for (size_t i = 0; i < t->rows; i++)
            add_terms(f, &f->views[v], i, use, count, f->x + (v * cells + i * t->experts) * terms,
                      f->offsets + v * cells + i * t->experts);
        memcpy(f->targets + v * cells, t->scores, cells * sizeof(float));
        memcpy(f->weights + v * cells, t->weights, cells * sizeof(float));
    }
    const struct difference_rows rows = {
        f->x, f->offsets, f->targets, f->weights, f->view_count * t->rows, t->experts, terms};
    fit_differences(&rows, low, high, WEIGHT_RIDGE, f->blend + CENTRE + 1);
    if (f->view_count < 2)
        copy_known(f->blend, count);
}

/* What the blended model says of a row: quality[experts]. */
static void blend_row(const struct fitting *f, const struct view *v, size_t row, const size_t *use,
                      size_t count, float *quality)
{
    static const bool none_apart[EXPERTS_MAX];
    size_t experts = f->work->table.experts;
    struct blend_view said = {.novelty = v->novelty[row], .entropy = v->entropy[row]};
    for (size_t k = 0; k < count; k++)
        said.logits[k] = v->said[use[k]] + row * experts;
    memcpy(quality, v->quality + row * experts, experts * sizeof(*quality));
    blend_run(f->blend, count, &said, experts, none_apart, quality);
}

/* loss[views × rows] with the `count` sources that were fitted last. A gain is not the merit of a source, so it is
 * there without any. */
static void find_losses(const struct fitting *f, size_t count, float *loss)
{
    const struct train_table *t = &f->work->table;
    const float *slopes = f->blend + CENTRE + 1;
    size_t terms = TERMS(count);
    float quality[EXPERTS_MAX];
    for (size_t i = 0; i < f->view_count * t->rows; i++) {
        const float *x = f->x + i * t->experts * terms, *offsets = f->offsets + i * t->experts;
        size_t cell = i % t->rows * t->experts;
        for (size_t e = 0; e < t->experts; e++) {
            float z = offsets[e];
            for (size_t k = 0; k < terms; k++)
                z += slopes[k] * x[e * terms + k];
            quality[e] = fmath_sigmoid(z);
        }
        loss[i] =
            (float)fit_difference_loss(quality, t->scores + cell, t->weights + cell, t->experts);
    }
}

struct gain {
    double mean, error; /* of a row, and its standard error */
};

static struct gain compare(const float *before, const float *after, size_t rows)
{
    double sum = 0, squares = 0, n = (double)rows;
    for (size_t i = 0; i < rows; i++) {
        double d = (double)before[i] - (double)after[i];
        sum += d;
        squares += d * d;
    }
    return (struct gain){sum / n, sqrt(fmax(squares / n - sum / n * (sum / n), 0) / n)};
}

static double total(const struct fitting *f, const float *loss)
{
    double sum = 0;
    for (size_t i = 0; i < f->view_count * f->work->table.rows; i++)
        sum += (double)loss[i];
    return sum;
}

/* Learns source k, and keeps what it says under the penalty by which it is worth most when it stands alone. */
static enum status learn_source(struct fitting *f, size_t k, struct error *err)
{
    enum status status = OK;
    double best = INFINITY;
    size_t chosen = 0, cells = f->work->table.rows * f->work->table.experts;
    for (size_t v = 0; v < f->view_count && status == OK; v++)
        status = learn_view(f, v, k, err);
    for (size_t p = 0; p < PENALTIES && status == OK; p++) {
        for (size_t v = 0; v < f->view_count; v++)
            memcpy(f->views[v].said[k], f->candidates[v][p], cells * sizeof(float));
        fit_weights(f, &k, 1);
        find_losses(f, 1, f->loss);
        double sum = total(f, f->loss);
        if (sum < best) {
            best = sum;
            chosen = p;
        }
    }
    for (size_t v = 0; v < f->view_count && status == OK; v++)
        memcpy(f->views[v].said[k], f->candidates[v][chosen], cells * sizeof(float));
    f->figures[k].penalty = penalties[chosen];
    return status;
}

/* Choosing */

/* What sources use[count] are worth together with source k less without it: figures of k. */
static bool is_worth_it(struct fitting *f, const size_t *use, size_t count, size_t at)
{
    size_t rows = f->work->table.rows, without[TRAIN_LATE_MAX], left = 0;
    float *with = f->loss, *less = f->loss + 2 * rows;
    struct late_figures *figures = &f->figures[use[at]];
    for (size_t i = 0; i < count; i++)
        if (i != at)
            without[left++] = use[i];
    fit_weights(f, use, count);
    memcpy(figures->weights, f->blend + BLEND_TERMS(at), sizeof(figures->weights));
    find_losses(f, count, with);
    fit_weights(f, without, left);
    find_losses(f, left, less);
    struct gain known = compare(less, with, rows), fresh = {(double)NAN, (double)NAN}, sum = known;
    if (f->view_count == 2) {
        fresh = compare(less + rows, with + rows, rows);
        sum = compare(less, with, 2 * rows);
    }
    figures->known_gain = known.mean;
    figures->known_error = known.error;
    figures->fresh_gain = fresh.mean;
    figures->fresh_error = fresh.error;
    return sum.mean > ERRORS_TO_KEEP * sum.error;
}

/* Leaves out one source after the other, whichever is worth least, until each is worth having beside the others. */
static size_t choose(struct fitting *f, size_t *use)
{
    size_t count = f->late;
    for (size_t k = 0; k < count; k++)
        use[k] = k;
    for (bool changed = true; changed && count;) {
        size_t worst = count;
        double least = INFINITY;
        changed = false;
        for (size_t i = 0; i < count; i++) {
            bool good = is_worth_it(f, use, count, i);
            const struct late_figures *x = &f->figures[use[i]];
            double gain = x->known_gain + (f->view_count == 2 ? x->fresh_gain : 0);
            if (!good && gain < least) {
                least = gain;
                worst = i;
            }
        }
        if (worst == count)
            break;
        f->figures[use[worst]].left_out = true;
        memmove(use + worst, use + worst + 1, (count - worst - 1) * sizeof(*use));
        count--;
        changed = true;
    }
    return count;
}

/* Takes the sources that were left out from the predictor, and encoders that nobody reads any more. */
static void drop(struct train_work *w, const size_t *use, size_t count)
{
    struct predictor *p = w->predictor;
    size_t first = p->source_count, kept = 0, place[ENCODERS_MAX];
    for (size_t k = 0; k < p->late_count; k++)
        if (kept == count || use[kept] != k)
            w->kinds[first + k]->free(w->learners[first + k]);
        else {
            p->sources[first + kept] = p->sources[first + k];
            w->kinds[first + kept] = w->kinds[first + k];
            w->learners[first + kept++] = w->learners[first + k];
        }
    p->late_count = kept;
    size_t encoders = 0;
    for (size_t i = 0; i < p->encoder_count; i++) {
        bool read = false;
        for (size_t s = 0; s < first + kept; s++)
            read = read || p->sources[s].encoder == i;
        place[i] = read ? encoders : NOWHERE;
        if (read) {
            p->encoders[encoders] = p->encoders[i];
            w->table.encoded[encoders++] = w->table.encoded[i];
        }
    }
    for (size_t s = 0; s < first + kept; s++)
        if (p->sources[s].encoder != NOWHERE)
            p->sources[s].encoder = place[p->sources[s].encoder];
    p->encoder_count = w->table.encoder_count = encoders;
}

static enum status keep(struct fitting *f, const size_t *use, size_t count, struct error *err)
{
    struct train_work *w = f->work;
    struct trained *out = w->out;
    out->late = ARENA_ARRAY(out->arena, f->late, struct late_figures);
    float *blend = ARENA_ARRAY(out->arena, BLEND_TERMS(count), float);
    if (!out->late || !blend)
        return error_set(err, ERR_MEMORY, "out of memory");
    out->late_count = f->late;
    memcpy(out->late, f->figures, f->late * sizeof(*out->late));
    fit_weights(f, use, count);
    memcpy(blend, f->blend, BLEND_TERMS(count) * sizeof(*blend));
    for (size_t i = 0; i < w->table.rows; i++) {
        float quality[EXPERTS_MAX];
        blend_row(f, &f->views[0], i, use, count, quality);
        if (count)
            memcpy(w->quality + i * w->table.experts, quality, w->table.experts * sizeof(*quality));
    }
    for (size_t k = 0; k < count; k++)
        w->kinds[w->predictor->source_count + use[k]]->penalise(
            w->learners[w->predictor->source_count + use[k]], f->figures[use[k]].penalty);
    drop(w, use, count);
    w->predictor->blend = count ? blend : NULL;
    return OK;
}

/* One piece: which views there are is found here, and everything else hangs on it. */
enum status train_blend(struct train_work *w, const float *novelty, const float *entropy,
                        struct error *err)
{
    struct predictor *p = w->predictor;
    struct unseen unseen;
    struct fitting f = {.work = w, .view_count = 1, .late = p->late_count};
    size_t use[TRAIN_LATE_MAX];
    if (!p->late_count)
        return OK;
    CHECK(p->late_count <= TRAIN_LATE_MAX);
    enum status status = train_unseen(w, &unseen, err);
    if (status != OK)
        return status;
    f.views[0] = (struct view){.folds = w->table.folds,
                               .fold_count = TRAIN_FOLDS,
                               .quality = w->quality,
                               .novelty = novelty,
                               .entropy = entropy};
    if (unseen.folds)
        f.views[f.view_count++] = (struct view){.folds = unseen.folds,
                                                .fold_count = UNSEEN_FOLDS,
                                                .quality = unseen.quality,
                                                .novelty = unseen.novelty,
                                                .entropy = unseen.entropy};
    status = allocate(&f, err);
    if (status == OK)
        status = fit_unlike(&f, err);
    fit_centre(&f);
    for (size_t k = 0; k < f.late && status == OK; k++) {
        f.figures[k].name = p->sources[p->source_count + k].name;
        status = learn_source(&f, k, err);
    }
    if (status != OK)
        return status;
    size_t count = choose(&f, use);
    return keep(&f, use, count, err);
}
