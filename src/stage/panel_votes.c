/* Fitting the weighted vote: see panel_votes.h. Newton's method on sparse terms: of up to 94 a state has some thirty,
 * and only what is there is added up. Of very many states a part is taken in even steps, for a hundred weights need no
 * more. One thread; scratch is an arena that goes with the call; the same states give the same weights. */
#include "stage/panel_votes.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"

#define STATES_MAX   40000
#define NEWTON_STEPS 6
#define RIDGE        10.0
#define OWN_TERM(m)  (6 + (m)) /* the logit of its own estimate: pulled to 1, all others to 0 */

/* The terms of one member in the states in which it was asked, or in those in which it was not. */
struct sample {
    size_t count, terms;
    struct panel_term *at; /* [starts[count]] */
    size_t *starts;        /* [count + 1] */
    float *targets, *weights;
};

struct newton {
    double gradient[PANEL_TERMS_MAX], curvature[PANEL_TERMS_MAX][PANEL_TERMS_MAX];
};

static enum status sample_allocate(struct sample *s, size_t states, size_t terms, struct arena *a,
                                   struct error *err)
{
    *s = (struct sample){.terms = terms};
    s->at = ARENA_ARRAY(a, (states + 1) * terms, struct panel_term);
    s->starts = ARENA_ARRAY(a, states + 1, size_t);
    s->targets = ARENA_ARRAY(a, states + 1, float);
    s->weights = ARENA_ARRAY(a, states + 1, float);
    bool good = s->at && s->starts && s->targets && s->weights;
    return good ? OK : error_set(err, ERR_MEMORY, "out of memory");
}

static void sample_add(struct sample *s, const struct panel_rows *rows, size_t row, uint8_t subset,
                       size_t member)
{
    struct panel_state state;
    const struct panel_cell *c = &rows->cells[row * rows->members + member];
    size_t start = s->starts[s->count];
    panel_row_state(rows, row, subset, &state);
    s->targets[s->count] = c->score;
    s->weights[s->count] = c->confidence;
    s->starts[++s->count] = start + panel_vote_terms(&state, member, s->at + start);
}

/* Gradient and curvature of the loss with its ridge, the lower half. */
static void newton_add(const struct sample *s, const float *weights, size_t own, struct newton *n)
{
    memset(n, 0, sizeof(*n));
    for (size_t k = 0; k < s->terms; k++) {
        double ridge = k ? RIDGE : RIDGE / 100;
        n->gradient[k] = ridge * ((double)weights[k] - (k == own));
        n->curvature[k][k] = ridge;
    }
    for (size_t i = 0; i < s->count; i++) {
        const struct panel_term *t = s->at + s->starts[i];
        size_t count = s->starts[i + 1] - s->starts[i];
        double z = 0;
        for (size_t k = 0; k < count; k++)
            z += (double)(t[k].value * weights[t[k].index]);
        double p = 1 / (1 + exp(-z)), slope = (double)s->weights[i] * (p - (double)s->targets[i]),
               bend = (double)s->weights[i] * p * (1 - p);
        for (size_t k = 0; k < count; k++) {
            double *line = n->curvature[t[k].index], by = bend * (double)t[k].value;
            n->gradient[t[k].index] += slope * (double)t[k].value;
            for (size_t j = 0; j < count; j++)
                line[t[j].index] += by * (double)t[j].value;
        }
    }
}

/* Solves curvature · step = gradient by Cholesky's method, in place; the ridge keeps the curvature positive. */
static void newton_solve(struct newton *n, size_t terms)
{
    for (size_t i = 0; i < terms; i++) {
        double *line = n->curvature[i];
        for (size_t k = 0; k <= i; k++) {
            double sum = line[k];
            for (size_t j = 0; j < k; j++)
                sum -= line[j] * n->curvature[k][j];
            line[k] = k < i ? sum / n->curvature[k][k] : sqrt(fmax(sum, 1e-9));
        }
        for (size_t j = 0; j < i; j++)
            n->gradient[i] -= line[j] * n->gradient[j];
        n->gradient[i] /= line[i];
    }
    for (size_t i = terms; i-- > 0;) {
        for (size_t j = i + 1; j < terms; j++)
            n->gradient[i] -= n->curvature[j][i] * n->gradient[j];
        n->gradient[i] /= n->curvature[i][i];
    }
}

static void fit(const struct sample *s, size_t own, struct newton *n, float *weights)
{
    memset(weights, 0, s->terms * sizeof(*weights));
    weights[own] = 1;
    for (int step = 0; step < NEWTON_STEPS; step++) {
        newton_add(s, weights, own, n);
        newton_solve(n, s->terms);
        for (size_t k = 0; k < s->terms; k++)
            weights[k] -= (float)n->gradient[k];
    }
}

enum status panel_votes_fit(const struct panel_rows *rows, const uint32_t *row,
                            const uint8_t *subset, size_t count, unsigned fold,
                            struct panel_votes *ret, struct error *err)
{
    struct sample s = {0};
    struct arena *a = arena_create((size_t)1 << 30);
    struct newton *n = a ? ARENA_NEW(a, struct newton) : NULL;
    size_t every = count / STATES_MAX + 1;
    enum status status =
        n ? sample_allocate(&s, count / every + 1, PANEL_TERMS(rows->members), a, err)
          : error_set(err, ERR_MEMORY, "out of memory");
    memset(ret, 0, sizeof(*ret));
    for (size_t m = 0; m < 2 * rows->members && status == OK; m++) {
        size_t asked = m % 2, member = m / 2;
        s.count = 0;
        for (size_t i = 0; i < count; i += every)
            if (rows->folds[row[i]] != fold && (subset[i] >> member & 1) == asked)
                sample_add(&s, rows, row[i], subset[i], member);
        fit(&s, OWN_TERM(member), n, ret->weights[member][asked]);
    }
    arena_free(a);
    return status;
}
