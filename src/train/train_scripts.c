/* Recorded token counts → what a character of each script is to each expert's tokenizer, where enough queries tell:
 * least squares of the input tokens on the characters of those scripts and on all other characters. Each slope is
 * pulled towards what the table of scripts (base/script.h) says at the expert's own slope, and held within what
 * tokenizers do. Where no script is told of, nothing is touched: data in Latin script train the model that they always
 * did. Runs in training alone, on its thread, after train_tokens.c. */
#include <math.h>
#include <string.h>

#include "fit/fit.h"
#include "train/train_int.h"

#define ROWS_MIN   30   /* queries that tell of a script */
#define SHARE_MIN  0.25 /* of a query's characters, as they count, for it to be one of them */
#define PRIOR_ROWS 3.0  /* the prior weighs as much as so many of them */

/* The terms of the regression: a constant, other characters, then the scripts that are learnt. */
enum { TERM_CONSTANT, TERM_OTHERS, TERM_SCRIPTS };

struct script_fit {
    size_t terms;
    enum script script[FIT_TERMS_MAX]; /* of the terms from TERM_SCRIPTS on */
    double a[FIT_TERMS_MAX][FIT_TERMS_MAX], b[FIT_TERMS_MAX];
    double told[FIT_TERMS_MAX];    /* queries that tell of a term */
    double squares[FIT_TERMS_MAX]; /* of its characters in them */
    double slopes[FIT_TERMS_MAX];
    bool fixed[FIT_TERMS_MAX]; /* its slope stays */
};

_Static_assert(TERM_SCRIPTS + SCRIPTS <= FIT_TERMS_MAX, "every script may be learnt");

static bool tells(double counted, double characters)
{
    return counted > 0 && counted >= SHARE_MIN * characters;
}

static const struct outcome *outcome_of(const struct train_table *t, size_t row, size_t e)
{
    return dataset_outcome(t->dataset, row, t->expert[e]);
}

static void choose_scripts(struct script_fit *f, const struct train_table *t, size_t e)
{
    size_t told[SCRIPTS] = {0};
    for (size_t i = 0; i < t->rows; i++)
        for (size_t s = 0; s < SCRIPTS && outcome_of(t, i, e)->tokens_known; s++)
            told[s] += tells((double)(t->scripts[i].of[s] * script_weight((enum script)s)),
                             (double)t->characters[i]);
    *f = (struct script_fit){.terms = TERM_SCRIPTS};
    for (size_t s = 0; s < SCRIPTS; s++)
        if (told[s] >= ROWS_MIN)
            f->script[f->terms++] = (enum script)s;
}

/* x [terms]; notes which terms the row tells of. */
static void look_at(struct script_fit *f, const struct train_table *t, size_t row, double *x)
{
    double characters = (double)t->characters[row], counted[FIT_TERMS_MAX] = {0};
    x[TERM_CONSTANT] = 1;
    counted[TERM_OTHERS] = characters;
    for (size_t k = TERM_SCRIPTS; k < f->terms; k++) {
        x[k] = (double)t->scripts[row].of[f->script[k]];
        counted[k] = x[k] * script_weight(f->script[k]);
        counted[TERM_OTHERS] -= counted[k];
    }
    x[TERM_OTHERS] = fmax(counted[TERM_OTHERS], 0);
    for (size_t k = TERM_OTHERS; k < f->terms; k++)
        if (tells(counted[k], characters)) {
            f->told[k]++;
            f->squares[k] += x[k] * x[k];
        }
}

static void gather(struct script_fit *f, const struct train_table *t, size_t e)
{
    for (size_t i = 0; i < t->rows; i++) {
        const struct outcome *o = outcome_of(t, i, e);
        double x[FIT_TERMS_MAX];
        if (!o->tokens_known)
            continue;
        look_at(f, t, i, x);
        for (size_t k = 0; k < f->terms; k++) {
            f->b[k] += x[k] * o->input_tokens;
            for (size_t l = 0; l < f->terms; l++)
                f->a[k][l] += x[k] * x[l];
        }
    }
}

static double bounded(double slope)
{
    return fmin(fmax(slope, (double)SCRIPT_TOKENS_MIN), (double)SCRIPT_TOKENS_MAX);
}

/* What slopes are before the data speak; other characters that too few queries tell of stay there. */
static void add_prior(struct script_fit *f, double slope)
{
    for (size_t k = TERM_OTHERS; k < f->terms; k++) {
        f->slopes[k] = bounded(k == TERM_OTHERS ? slope : slope * script_weight(f->script[k]));
        f->fixed[k] = f->told[k] < ROWS_MIN;
        double weight = f->fixed[k] ? 0 : PRIOR_ROWS * f->squares[k] / f->told[k];
        f->a[k][k] += weight;
        f->b[k] += weight * f->slopes[k];
    }
}

/* The slopes that are not fixed, given the others. */
static bool solve_free(struct script_fit *f)
{
    double a[FIT_TERMS_MAX][FIT_TERMS_MAX], b[FIT_TERMS_MAX];
    size_t at[FIT_TERMS_MAX], n = 0;
    for (size_t k = 0; k < f->terms; k++)
        if (!f->fixed[k])
            at[n++] = k;
    for (size_t i = 0; i < n; i++) {
        b[i] = f->b[at[i]];
        for (size_t l = 0; l < f->terms; l++)
            b[i] -= f->fixed[l] ? f->a[at[i]][l] * f->slopes[l] : 0;
        for (size_t j = 0; j < n; j++)
            a[i][j] = f->a[at[i]][at[j]];
    }
    if (!fit_solve(n, a, b))
        return false;
    for (size_t i = 0; i < n; i++)
        f->slopes[at[i]] = b[i];
    return true;
}

/* What leaves its bounds stays at them, and the others are solved again. */
static bool solve(struct script_fit *f)
{
    for (bool left = true; left;) {
        if (!solve_free(f))
            return false;
        left = false;
        for (size_t k = TERM_OTHERS; k < f->terms; k++) {
            double within = bounded(f->slopes[k]);
            left = left || within != f->slopes[k];
            f->fixed[k] = f->fixed[k] || within != f->slopes[k];
            f->slopes[k] = within;
        }
    }
    return true;
}

bool train_fit_scripts(const struct train_table *t, float *tokens, float *scripts)
{
    bool any = false;
    memset(scripts, 0, t->experts * SCRIPTS * sizeof(*scripts));
    for (size_t e = 0; e < t->experts; e++) {
        struct script_fit f;
        float *p = tokens + e * TOKEN_PARAMETERS;
        choose_scripts(&f, t, e);
        if (f.terms == TERM_SCRIPTS)
            continue;
        gather(&f, t, e);
        add_prior(&f, (double)p[TOKENS_IN_PER_CHARACTER]);
        if (!solve(&f))
            continue;
        any = true;
        p[TOKENS_IN_BASE] = (float)f.slopes[TERM_CONSTANT];
        p[TOKENS_IN_PER_CHARACTER] = (float)f.slopes[TERM_OTHERS];
        for (size_t k = TERM_SCRIPTS; k < f.terms; k++)
            scripts[e * SCRIPTS + f.script[k]] = (float)f.slopes[k];
    }
    return any;
}
