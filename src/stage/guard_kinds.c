/* Levels of kinds of which training has few texts: see guard_kinds.h. With m_e an expert's level in all of training, an
 * outcome of it on a text of kind k is right with the probability
 *
 *   σ(m_e + c + d_e + c_k + d_ke)        o_ke = c + d_e + c_k + d_ke
 *
 * where c and d_e belong to all such kinds together, for a new kind of question may well fall into several, and every
 * term is normal around 0: a hundred outcomes are enough to tell how hard a kind is, and much less who does well in it.
 * The most probable terms are found one after the other, round by round, each by a step of Newton's method, in double
 * precision and in a fixed order. Runs once, at the end of training. */
#include "stage/guard_kinds.h"

#include <math.h>
#include <stdlib.h>

#include "base/check.h"

#define ROWS_FEW   150  /* from so many texts of a kind on estimates are as trained */
#define SHARE_FEW  0.02 /* nor is a kind new of which that share of training is */
#define FEW        0.7f /* s_k of 2/3 as many texts, and of fewer */
#define ROUNDS     60
#define ROWS_USUAL 10 /* as many texts stand for what tokens are in general */

/* 1 / variance of c, d_e, c_k, d_ke */
static const double precision[4] = {1 / 4.0, 1 / 0.16, 1 / 0.25, 1 / 0.04};

struct cell {
    double count, right; /* outcomes of an expert in a kind, as far as they are believed */
    double calls, input, output;
};

struct work {
    const struct guard_outcomes *o;
    const float *few;   /* [kinds] */
    struct cell *cells; /* [kinds × experts] */
    size_t kinds;
    double common, of_kind[GUARD_KINDS_MAX];
    double *experts, *both; /* [experts], [kinds × experts] */
};

/* s_k of so many texts. */
static float share_of(size_t texts, size_t rows)
{
    double most = fmin(ROWS_FEW, SHARE_FEW * (double)rows);
    double ramp = (most - (double)texts) / (most / 3);
    return texts ? FEW * (float)fmin(fmax(ramp, 0), 1) : 0;
}

static void add_row(struct work *w, size_t row, size_t kind)
{
    const struct guard_outcomes *o = w->o;
    for (size_t e = 0; e < o->experts; e++) {
        struct cell *c = &w->cells[kind * o->experts + e];
        size_t at = row * o->experts + e;
        if (o->scores[at] >= 0) {
            c->count += (double)o->weights[at];
            c->right += (double)o->weights[at] * (double)o->scores[at];
        }
        if (o->input_tokens[at] >= 0 && o->output_tokens[at] >= 0) {
            c->calls++;
            c->input += (double)o->input_tokens[at];
            c->output += (double)o->output_tokens[at];
        }
    }
}

/* Levels */

static double offset(const struct work *w, size_t kind, size_t e)
{
    return w->common + w->experts[e] + w->of_kind[kind] + w->both[kind * w->o->experts + e];
}

/* One step of a term over the cells of kinds [from, to) and experts [first, last). */
static void step(struct work *w, double *term, double precise, size_t from, size_t to, size_t first,
                 size_t last)
{
    double slope = -precise * *term, curve = precise;
    for (size_t k = from; k < to; k++)
        for (size_t e = first; e < last && w->few[k] > 0; e++) {
            const struct cell *c = &w->cells[k * w->o->experts + e];
            double p = 1 / (1 + exp(-((double)w->o->levels[e] + offset(w, k, e))));
            slope += c->right - c->count * p;
            curve += c->count * p * (1 - p);
        }
    *term += slope / curve;
}

static void fit_levels(struct work *w)
{
    size_t experts = w->o->experts;
    for (int round = 0; round < ROUNDS; round++) {
        step(w, &w->common, precision[0], 0, w->kinds, 0, experts);
        for (size_t e = 0; e < experts; e++)
            step(w, &w->experts[e], precision[1], 0, w->kinds, e, e + 1);
        for (size_t k = 0; k < w->kinds; k++) {
            step(w, &w->of_kind[k], precision[2], k, k + 1, 0, experts);
            for (size_t e = 0; e < experts; e++)
                step(w, &w->both[k * experts + e], precision[3], k, k + 1, e, e + 1);
        }
    }
}

/* Tokens */

/* ln of the mean over the kind's calls, drawn towards those of all kinds that training has few of, to the usual. */
static float log_times(double sum, double calls, double sum_all, double calls_all, double usual)
{
    if (!(usual > 0) || !(calls_all > 0))
        return 0;
    double all = (sum_all + ROWS_USUAL * usual) / (calls_all + ROWS_USUAL);
    double mean = (sum + ROWS_USUAL * all) / (calls + ROWS_USUAL);
    return mean > 0 ? (float)log(mean / usual) : 0;
}

static void write_kind(const struct work *w, size_t kind, const struct cell *all, float *terms)
{
    size_t experts = w->o->experts;
    for (size_t e = 0; e < experts; e++) {
        const struct cell *c = &w->cells[kind * experts + e];
        terms[GUARD_KIND_LEVEL * experts + e] = (float)offset(w, kind, e);
        terms[GUARD_KIND_INPUT * experts + e] =
            log_times(c->input, c->calls, all[e].input, all[e].calls, (double)w->o->usual_input[e]);
        terms[GUARD_KIND_OUTPUT * experts + e] = log_times(
            c->output, c->calls, all[e].output, all[e].calls, (double)w->o->usual_output[e]);
    }
}

/* Of all kinds that are few, each expert's calls; all [experts] is zero. */
static void sum_calls(const struct work *w, struct cell *all)
{
    for (size_t k = 0; k < w->kinds; k++)
        for (size_t e = 0; e < w->o->experts && w->few[k] > 0; e++) {
            const struct cell *c = &w->cells[k * w->o->experts + e];
            all[e].calls += c->calls;
            all[e].input += c->input;
            all[e].output += c->output;
        }
}

static enum status fit(struct work *w, const uint8_t *kind, float *of_kind, struct error *err)
{
    size_t experts = w->o->experts;
    w->cells = calloc((w->kinds + 1) * experts, sizeof(*w->cells));
    w->experts = calloc((w->kinds + 1) * experts, sizeof(*w->experts));
    if (w->cells && w->experts) {
        struct cell *all = w->cells + w->kinds * experts;
        w->both = w->experts + experts;
        for (size_t r = 0; r < w->o->rows; r++)
            add_row(w, r, kind[r]);
        fit_levels(w);
        sum_calls(w, all);
        for (size_t k = 0; k < w->kinds; k++)
            if (w->few[k] > 0)
                write_kind(w, k, all, of_kind + k * GUARD_KIND_TERMS * experts);
    }
    bool good = w->cells && w->experts;
    free(w->cells);
    free(w->experts);
    return good ? OK : error_set(err, ERR_MEMORY, "out of memory");
}

/* One piece: rows are counted by their kind before it is known whether anything is to be learnt. */
enum status guard_kinds_fit(const struct guard_outcomes *o, struct arena *a, struct guard *g,
                            struct error *err)
{
    size_t texts[GUARD_KINDS_MAX] = {0}, terms = g->kinds * GUARD_KIND_TERMS * o->experts;
    bool any = false;
    if (!g->kinds)
        return OK;
    CHECK(g->kinds <= GUARD_KINDS_MAX);
    uint8_t *kind = malloc(o->rows + 1);
    float *few = ARENA_ARRAY(a, g->kinds, float), *of_kind = ARENA_ARRAY(a, terms, float);
    if (!kind || !few || !of_kind) {
        free(kind);
        return error_set(err, ERR_MEMORY, "out of memory");
    }
    for (size_t r = 0; r < o->rows; r++) {
        size_t nearest;
        guard_distance(g, o->said + r * o->stride, &nearest);
        kind[r] = (uint8_t)nearest;
        texts[nearest]++;
    }
    for (size_t k = 0; k < g->kinds; k++) {
        few[k] = share_of(texts[k], o->rows);
        any |= few[k] > 0;
    }
    struct work w = {.o = o, .few = few, .kinds = g->kinds};
    enum status status = any ? fit(&w, kind, of_kind, err) : OK;
    free(kind);
    if (status == OK && any) {
        g->few = few;
        g->of_kind = of_kind;
    }
    return status;
}
