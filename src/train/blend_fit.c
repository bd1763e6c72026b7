/* Fitting the blend: see blend_fit.h. The rows stand in two *views*, held out by text and by whole domains; each has
 * the n-gram model's estimates, the newness of the texts, and what every late source says, always by learners that
 * never saw the row. What counts is what decisions get (the utility of the expert that would be chosen, over a range of
 * prices of quality), and not the log loss: an embedding tells more of how hard a text is, which decides nothing. That
 * is noisy, so little hangs on it: the weights have one shape, and the rows decide its strength, and whether a source
 * is there at all. Arrays live in the scratch arena. On the thread that trains, in one order, so that the same data
 * give the same bytes. */
#include "train/blend_fit.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "fit/dense_fit.h"
#include "fit/fit.h"
#include "train/source_kind.h"
#include "train/unseen.h"

#define UNLIKE_RIDGE 1.0
#define ALL_KNOWN    (-30.0f) /* what makes nothing unlike */
#define ERRORS       1.0      /* standard errors that a gain must exceed, and a loss must not */
#define LAMBDAS      16
#define LAMBDA_LOW                                                                                 \
    0.1 /* times what the best expert is better than the cheapest for each USD more */
#define LAMBDA_HIGH 8.0

static const double penalties[] = {10, 100};
#define PENALTIES (sizeof(penalties) / sizeof(penalties[0]))

/* The shape, as predict/blend.h has it: by how much of their distance from the centre levels grow, where known and
 * where fresh, and what the sources weigh together. Chosen once, on a plateau (bench/encoders.md). */
static const float level_shape[] = {0.2f, 0.6f};
static const float source_shape[BLEND_SOURCE_TERMS] = {0.2f, 0.15f, 0.4f, 0.3f};
static const float strengths[] = {1, 1.5f};
#define STRENGTHS (sizeof(strengths) / sizeof(strengths[0]))

/* Of the blend's numbers: the centre; behind it the gains of the level, then the sources' weights. */
#define CENTRE BLEND_UNLIKE_TERMS

struct view {
    const uint8_t *folds;
    unsigned fold_count;
    const float *quality, *novelty, *entropy;
    float *said[TRAIN_LATE_MAX]; /* [rows × experts] */
    float *flat[TRAIN_LATE_MAX]; /* [experts] the means of those */
};

struct fitting {
    struct train_work *work;
    struct view views[2]; /* texts, domains */
    size_t view_count, late;
    float *candidates[2][PENALTIES]; /* of the source at hand: as `said` */
    float *x, *targets;              /* [2 × rows (× terms)] of what is unlike */
    float *with, *less;              /* [views × rows] utilities */
    double cost[EXPERTS_MAX];        /* mean USD of a call */
    double lambdas[LAMBDAS];         /* [lambda_count] quality for each USD */
    size_t lambda_count;
    float blend[BLEND_TERMS(TRAIN_LATE_MAX)]; /* as it is set */
    struct late_figures figures[TRAIN_LATE_MAX];
};

static enum status allocate(struct fitting *f, struct error *err)
{
    struct arena *a = f->work->scratch;
    size_t rows = f->work->table.rows, experts = f->work->table.experts;
    bool good = true;
    for (size_t v = 0; v < f->view_count; v++) {
        for (size_t k = 0; k < f->late; k++) {
            good = (f->views[v].said[k] = ARENA_ARRAY(a, rows * experts, float)) && good;
            good = (f->views[v].flat[k] = ARENA_ARRAY(a, experts, float)) && good;
        }
        for (size_t p = 0; p < PENALTIES; p++)
            good = (f->candidates[v][p] = ARENA_ARRAY(a, rows * experts, float)) && good;
    }
    f->x = ARENA_ARRAY(a, 2 * rows * BLEND_UNLIKE_TERMS, float);
    f->targets = ARENA_ARRAY(a, 2 * rows, float);
    f->with = ARENA_ARRAY(a, 2 * rows, float);
    f->less = ARENA_ARRAY(a, 2 * rows, float);
    return good && f->x && f->targets && f->with && f->less
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

/* Decisions */

/* Where the best expert is the cheapest, or nobody knows what they cost, quality alone decides. */
static void set_lambdas(struct fitting *f, double better, double dearer)
{
    bool open = better > 0 && dearer > 0;
    f->lambda_count = open ? LAMBDAS : 1;
    f->lambdas[0] = 0;
    for (size_t k = 0; open && k < LAMBDAS; k++)
        f->lambdas[k] =
            better / dearer * LAMBDA_LOW * pow(LAMBDA_HIGH / LAMBDA_LOW, (double)k / (LAMBDAS - 1));
}

/* Around the quality for each USD at which the choice between the cheapest expert and the best is open. */
static void find_lambdas(struct fitting *f)
{
    const struct train_table *t = &f->work->table;
    double score[EXPERTS_MAX] = {0};
    size_t best = 0, cheapest = 0;
    for (size_t e = 0; e < t->experts; e++) {
        double sum = 0, known = 0, paid = 0;
        for (size_t i = 0; i < t->rows; i++) {
            const struct outcome *o = dataset_outcome(t->dataset, i, t->expert[e]);
            sum += o->known ? (double)o->score : 0;
            known += o->known;
            f->cost[e] += o->cost_known ? (double)o->cost_nano_usd / (double)NANO_PER_USD : 0;
            paid += o->cost_known;
        }
        f->cost[e] /= fmax(paid, 1);
        score[e] = sum / fmax(known, 1);
        best = score[e] > score[best] ? e : best;
        cheapest = f->cost[e] < f->cost[cheapest] ? e : cheapest;
    }
    set_lambdas(f, score[best] - score[cheapest], f->cost[best] - f->cost[cheapest]);
}

/* What decisions by quality[experts] get of a row: score less what is paid, on average over the lambdas. Who is neither
 * known nor expected to do anything there cannot be chosen. */
static float utility(const struct fitting *f, size_t row, const float *quality)
{
    const struct train_table *t = &f->work->table;
    const float *scores = t->targets + row * t->experts;
    double sum = 0;
    for (size_t k = 0; k < f->lambda_count; k++) {
        double best = -INFINITY, got = 0;
        for (size_t e = 0; e < t->experts; e++) {
            double price = f->lambdas[k] * f->cost[e], worth = (double)quality[e] - price;
            if (scores[e] >= 0 && worth > best) {
                best = worth;
                got = (double)scores[e] - price;
            }
        }
        sum += got;
    }
    return (float)(sum / (double)f->lambda_count);
}

/* The level from which levels grow: its mean over the rows as training knows them. */
static void fit_centre(struct fitting *f)
{
    const struct train_table *t = &f->work->table;
    double sum = 0;
    for (size_t i = 0; i < t->rows * t->experts; i++)
        sum += (double)blend_logit(f->views[0].quality[i]);
    f->blend[CENTRE] = (float)(sum / (double)(t->rows * t->experts));
}

/* Sources share the weight. */
static void set_weights(struct fitting *f, size_t count, float strength)
{
    for (size_t k = 0; k < sizeof(level_shape) / sizeof(level_shape[0]); k++)
        f->blend[CENTRE + 1 + k] = strength * level_shape[k];
    for (size_t s = 0; s < count; s++)
        for (size_t k = 0; k < BLEND_SOURCE_TERMS; k++)
            f->blend[BLEND_TERMS(s) + k] = strength * source_shape[k] / (float)count;
}

/* What the blended model says of a row: quality[experts]. Of source `flat` only its mean is heard. */
static void blend_row(const struct fitting *f, const struct view *v, size_t row, const size_t *use,
                      size_t count, size_t flat, float *quality)
{
    static const bool none_apart[EXPERTS_MAX];
    size_t experts = f->work->table.experts;
    struct blend_view said = {.novelty = v->novelty[row], .entropy = v->entropy[row]};
    for (size_t k = 0; k < count; k++)
        said.logits[k] = use[k] == flat ? v->flat[use[k]] : v->said[use[k]] + row * experts;
    memcpy(quality, v->quality + row * experts, experts * sizeof(*quality));
    blend_run(f->blend, count, &said, experts, none_apart, quality);
}

/* ret[views × rows]; returns their sum. */
static double find_utilities(const struct fitting *f, const size_t *use, size_t count, size_t flat,
                             float *ret)
{
    size_t rows = f->work->table.rows;
    float quality[EXPERTS_MAX];
    double sum = 0;
    for (size_t i = 0; i < f->view_count * rows; i++) {
        blend_row(f, &f->views[i / rows], i % rows, use, count, flat, quality);
        ret[i] = utility(f, i % rows, quality);
        sum += (double)ret[i];
    }
    return sum;
}

/* Sets the strength by which sources use[count] get most; the weaker where it makes no difference. */
static void fit_strength(struct fitting *f, const size_t *use, size_t count)
{
    double most = -INFINITY;
    float chosen = strengths[0];
    for (size_t s = 0; s < STRENGTHS && count; s++) {
        set_weights(f, count, strengths[s]);
        double sum = find_utilities(f, use, count, NOWHERE, f->with);
        chosen = sum > most ? strengths[s] : chosen;
        most = fmax(sum, most);
    }
    set_weights(f, count, chosen);
}

/* Learning */

static void find_flat(const struct train_table *t, const float *said, float *flat)
{
    for (size_t e = 0; e < t->experts; e++) {
        double sum = 0;
        for (size_t i = 0; i < t->rows; i++)
            sum += (double)said[i * t->experts + e];
        flat[e] = (float)(sum / (double)t->rows);
    }
}

/* Learns source k, and keeps what it says under the penalty by which it has the lowest log loss of its own. */
static enum status learn_source(struct fitting *f, size_t k, struct error *err)
{
    const struct train_table *t = &f->work->table;
    enum status status = OK;
    double best = INFINITY;
    size_t chosen = 0;
    for (size_t v = 0; v < f->view_count && status == OK; v++)
        status = learn_view(f, v, k, err);
    for (size_t p = 0; p < PENALTIES && status == OK; p++) {
        double sum = 0;
        for (size_t v = 0; v < f->view_count; v++)
            sum += dense_loss(f->candidates[v][p], t->scores, t->weights, t->rows * t->experts);
        chosen = sum < best ? p : chosen;
        best = fmin(sum, best);
    }
    for (size_t v = 0; v < f->view_count && status == OK; v++) {
        memcpy(f->views[v].said[k], f->candidates[v][chosen], t->rows * t->experts * sizeof(float));
        find_flat(t, f->views[v].said[k], f->views[v].flat[k]);
    }
    f->figures[k].penalty = penalties[chosen];
    return status;
}

/* Choosing */

struct gain {
    double mean, error; /* of a row, and its standard error */
};

static struct gain compare(const float *with, const float *less, size_t rows)
{
    double sum = 0, squares = 0, n = (double)rows;
    for (size_t i = 0; i < rows; i++) {
        double d = (double)with[i] - (double)less[i];
        sum += d;
        squares += d * d;
    }
    return (struct gain){sum / n, sqrt(fmax(squares / n - sum / n * (sum / n), 0) / n)};
}

/* Whether source use[at] is worth having among sources use[count]: against the same weights on its mean, because what
 * is the same of every text is no source's merit; and all of it must not be worse than the n-gram model. */
static bool is_worth_it(struct fitting *f, const size_t *use, size_t count, size_t at)
{
    size_t rows = f->work->table.rows;
    struct late_figures *x = &f->figures[use[at]];
    fit_strength(f, use, count);
    memcpy(x->weights, f->blend + BLEND_TERMS(at), sizeof(x->weights));
    find_utilities(f, use, count, NOWHERE, f->with);
    find_utilities(f, use, count, use[at], f->less);
    struct gain known = compare(f->with, f->less, rows), fresh = {(double)NAN, (double)NAN};
    struct gain own = compare(f->with, f->less, f->view_count * rows);
    if (f->view_count == 2)
        fresh = compare(f->with + rows, f->less + rows, rows);
    x->known_gain = known.mean;
    x->known_error = known.error;
    x->fresh_gain = fresh.mean;
    x->fresh_error = fresh.error;
    find_utilities(f, use, 0, NOWHERE, f->less);
    struct gain all = compare(f->with, f->less, f->view_count * rows);
    return own.mean > ERRORS * own.error && all.mean > -ERRORS * all.error;
}

/* The source that is worth least among those not worth having; NOWHERE: each of them is. */
static size_t find_worst(struct fitting *f, const size_t *use, size_t count)
{
    size_t worst = NOWHERE;
    double least = INFINITY;
    for (size_t i = 0; i < count; i++) {
        bool good = is_worth_it(f, use, count, i);
        const struct late_figures *x = &f->figures[use[i]];
        double gain = x->known_gain + (f->view_count == 2 ? x->fresh_gain : 0);
        if (!good && gain < least) {
            least = gain;
            worst = i;
        }
    }
    return worst;
}

/* Leaves out one source after the other until each is worth having beside the others; returns how many are left. */
static size_t choose(struct fitting *f, size_t *use)
{
    size_t count = f->late, worst;
    for (size_t k = 0; k < count; k++)
        use[k] = k;
    while ((worst = find_worst(f, use, count)) != NOWHERE) {
        f->figures[use[worst]].left_out = true;
        memmove(use + worst, use + worst + 1, (count - worst - 1) * sizeof(*use));
        count--;
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
    fit_strength(f, use, count);
    memcpy(blend, f->blend, BLEND_TERMS(count) * sizeof(*blend));
    for (size_t i = 0; i < w->table.rows; i++) {
        float quality[EXPERTS_MAX];
        blend_row(f, &f->views[0], i, use, count, NOWHERE, quality);
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
    find_lambdas(&f);
    for (size_t k = 0; k < f.late && status == OK; k++) {
        f.figures[k].name = p->sources[p->source_count + k].name;
        status = learn_source(&f, k, err);
    }
    if (status != OK)
        return status;
    size_t count = choose(&f, use);
    return keep(&f, use, count, err);
}
