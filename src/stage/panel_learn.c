/* Learning a sequential panel: see panel_learn.h. All subsets of all rows are kept in tables (what would stand, how
 * far each member is trusted, what the verdicts lead to), because a verdict is needed in every state that an earlier
 * one may lead to; trees are grown on a sample of them. Sizes of subsets are done from the largest, for the target of
 * a state is what the verdicts of the next size make of it. One thread and one generator; memory is 50 bytes for each
 * row, subset and lambda, in an arena that goes with the call. */
#include "stage/panel_learn.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/check.h"
#include "stage/panel_votes.h"

#define ARENA_BYTES  ((size_t)8 << 30)
#define LAMBDA_LEAST 0.01 /* times the mean cost of the dearest member: a call is worth this gain */
#define LAMBDA_MOST  1.0
#define CHEAP_KNOTS  3   /* lambdas beyond, for what the cheap members cost */
#define CHEAP_MOST   0.5 /* times the mean cost of the cheapest */
#define ERRORS_MIN   2.0 /* standard errors that going on must gain */

#define STATES_PER_ROW                                                                             \
    6 /* times the states of a number of answers: more numbers of them, fewer states of each */

static const float hurdles[] = {0, 0.005f, 0.01f, 0.02f, 0.03f, 0.05f, 0.08f};
#define HURDLES (sizeof(hurdles) / sizeof(hurdles[0]))

struct learner {
    const struct panel_rows *rows;
    const struct panel_learn_options *options;
    struct rng *rng;
    struct arena *arena;
    struct panel *panel;
    struct panel_votes *votes; /* [folds] by the rows of the others */
    size_t n, members, knots, subsets;
    /* By subset and row: */
    float *trust;    /* [subsets × n × members] */
    float *top;      /* [subsets × n] */
    uint8_t *winner; /* [subsets × n] whose answer stands there */
    uint8_t *final;  /* [subsets × n × knots] whose answer stands in the end */
    float *later;    /* [subsets × n × knots] USD paid from there on */
    uint8_t *asked;  /* [subsets × n × knots] who has been asked then */
    float *score;    /* [n × members] that values learn from */
};

void panel_learn_options_default(struct panel_learn_options *o)
{
    *o = (struct panel_learn_options){
        .posterior = {.trees = 240,
                      .leaves = 8,
                      .learning_rate = 0.05f,
                      .l2 = 5,
                      .row_share = 0.7f,
                      .feature_share = 0.5f,
                      .curvature_min = 3},
        .values = {.trees = 60,
                   .leaves = 8,
                   .learning_rate = 0.05f,
                   .l2 = 20,
                   .row_share = 0.7f,
                   .feature_share = 0.5f,
                   .curvature_min = 3},
        .posterior_states = 3,
        .value_states = 4,
        .lambda_count = 10,
        .surrogate = 0.5f,
    };
}

static const struct panel_cell *cell_of(const struct panel_rows *r, size_t row, size_t member)
{
    return &r->cells[row * r->members + member];
}

void panel_row_state(const struct panel_rows *r, size_t row, uint8_t asked, struct panel_state *ret)
{
    *ret = (struct panel_state){.members = r->members,
                                .asked = asked,
                                .characters = r->characters[row],
                                .choice_count = r->choice_counts[row]};
    for (size_t i = 0; i < r->members; i++) {
        const struct panel_cell *c = cell_of(r, row, i);
        ret->member[i] = (struct panel_member){.quality = c->quality,
                                               .output_tokens = c->output_tokens,
                                               .cost_usd = (double)c->expected_usd,
                                               .answer_class = c->answer_class,
                                               .stats = c->stats,
                                               .certainty = c->certainty};
    }
}

/* Lambdas: geometric, dense where the dearest member is in question, then a few for the cheap ones. */
static void choose_lambdas(const struct learner *l)
{
    double most = 0, least = INFINITY;
    for (size_t i = 0; i < l->members; i++) {
        double mean = 0;
        for (size_t row = 0; row < l->n; row++)
            mean += (double)cell_of(l->rows, row, i)->cost_usd / (double)l->n;
        mean = fmax(mean, 1e-9);
        most = fmax(most, mean);
        least = fmin(least, mean);
    }
    size_t dense = l->knots - CHEAP_KNOTS;
    double at = LAMBDA_LEAST / most, end = LAMBDA_MOST / most;
    double step = pow(end / at, 1 / (double)(dense - 1));
    for (size_t k = 0; k < dense; k++) {
        l->panel->lambdas[k] = (float)at;
        at *= step;
    }
    step = pow(fmax(CHEAP_MOST / least / end, 2), 1 / (double)CHEAP_KNOTS);
    for (size_t k = dense; k < l->knots; k++)
        l->panel->lambdas[k] = (float)(end *= step);
}

static double binomial(size_t n, size_t k)
{
    double c = 1;
    for (size_t i = 0; i < k; i++)
        c *= (double)(n - i) / (double)(i + 1);
    return c;
}

/* Sampled states: row and subset of each. */
struct states {
    uint32_t *row;
    uint8_t *subset;
    size_t count;
};

/* Of a row and number of answers: fewer where there are many numbers of answers, or eight members take minutes. */
static size_t states_of(const struct learner *l, size_t wanted)
{
    size_t most = STATES_PER_ROW * wanted / l->members;
    return most < wanted ? most : wanted;
}

/* Of each number of answers `least`..`most`, so many states of a row on average. */
static enum status draw_states(const struct learner *l, struct arena *a, size_t least, size_t most,
                               size_t wanted, struct states *ret, struct error *err)
{
    size_t room = 0;
    for (size_t subset = 0; subset < l->subsets; subset++) {
        size_t size = (size_t)__builtin_popcountll(subset);
        room += size >= least && size <= most ? l->n : 0;
    }
    struct states s = {ARENA_ARRAY(a, room + 1, uint32_t), ARENA_ARRAY(a, room + 1, uint8_t), 0};
    if (!s.row || !s.subset)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t subset = 0; subset < l->subsets; subset++) {
        size_t size = (size_t)__builtin_popcountll(subset);
        double share = (double)wanted / binomial(l->members, size);
        if (size < least || size > most)
            continue;
        for (size_t row = 0; row < l->n; row++)
            if (share >= 1 || rng_uniform(l->rng) < share) {
                s.row[s.count] = (uint32_t)row;
                s.subset[s.count++] = (uint8_t)subset;
            }
    }
    *ret = s;
    return OK;
}

/* Examples to grow a forest on. */
struct examples {
    struct states states;
    size_t features, outputs;
    float *x, *base, *targets, *weights;
    uint32_t *order;
};

static enum status examples_allocate(struct examples *e, size_t features, size_t outputs,
                                     struct arena *a, struct error *err)
{
    size_t n = e->states.count + 1;
    e->features = features;
    e->outputs = outputs;
    e->x = ARENA_ARRAY(a, n * features, float);
    e->base = ARENA_ARRAY(a, n * outputs, float);
    e->targets = ARENA_ARRAY(a, n * outputs, float);
    e->weights = ARENA_ARRAY(a, n * outputs, float);
    e->order = ARENA_ARRAY(a, n, uint32_t);
    bool good = e->x && e->base && e->targets && e->weights && e->order;
    return good ? OK : error_set(err, ERR_MEMORY, "out of memory");
}

/* Grows the trees of every fold on the examples of the others; `starts` [folds + 1] are the first trees of each.
 * `begin`, which may be NULL, sets the bases for a fold. */
static enum status grow(const struct learner *l, struct examples *e,
                        void (*begin)(const struct learner *l, struct examples *e, unsigned fold),
                        const struct forest_options *options, struct forest *forest, size_t *starts,
                        struct error *err)
{
    struct tree_bins *bins = NULL;
    forest->experts = e->outputs;
    enum status status = tree_bins_create(e->x, e->states.count, e->features, &bins, err);
    for (unsigned fold = 0; fold < l->rows->fold_count && status == OK; fold++) {
        size_t count = 0;
        starts[fold] = forest->tree_count;
        if (begin)
            begin(l, e, fold);
        for (size_t i = 0; i < e->states.count; i++)
            if (l->rows->folds[e->states.row[i]] != fold)
                e->order[count++] = (uint32_t)i;
        status = forest_train(bins, e->base, e->targets, e->weights, e->order, count, options,
                              1.0f / (float)l->rows->fold_count, l->rng, forest, err);
    }
    starts[l->rows->fold_count] = forest->tree_count;
    tree_bins_free(bins);
    return status;
}

/* out[outputs] += what the trees that never saw the fold say. */
static void predict_held_out(const struct learner *l, const struct forest *forest,
                             const size_t *starts, unsigned fold, const float *x, float *out)
{
    float said[PANEL_OUTPUTS_MAX] = {0};
    struct forest fresh = {.tree_count = starts[fold + 1] - starts[fold],
                           .experts = forest->experts,
                           .trees = forest->trees + starts[fold],
                           .leaves =
                               forest->leaves + starts[fold] * TREE_LEAVES_MAX * forest->experts};
    forest_predict(&fresh, x, said);
    for (size_t i = 0; i < forest->experts; i++)
        out[i] += said[i] * (float)l->rows->fold_count;
}

/* Posterior */

static void posterior_note(const struct learner *l, const size_t *starts)
{
    for (size_t subset = 0; subset < l->subsets; subset++)
        for (size_t row = 0; row < l->n; row++) {
            float x[PANEL_FEATURES_MAX], logits[PANEL_MEMBERS_MAX];
            struct panel_state s;
            struct panel_verdict v;
            size_t at = subset * l->n + row;
            panel_row_state(l->rows, row, (uint8_t)subset, &s);
            panel_start(&l->votes[l->rows->folds[row]], &s, logits);
            panel_features(&s, x);
            if (subset)
                predict_held_out(l, &l->panel->posterior, starts, l->rows->folds[row], x, logits);
            panel_posterior(&s, logits, &v);
            memcpy(l->trust + at * l->members, v.trust, l->members * sizeof(float));
            l->top[at] = v.top;
            l->winner[at] = (uint8_t)v.winner;
        }
}

/* Features that say nothing anywhere are left out, because trees draw some of all. */
static size_t posterior_features(const struct learner *l)
{
    for (size_t i = 0; i < l->n * l->members; i++)
        if (l->rows->cells[i].certainty.known)
            return PANEL_FEATURES(l->members);
    return PANEL_PLAIN_FEATURES(l->members);
}

/* Votes that the fold's rows had no part in. */
static void begin_posterior(const struct learner *l, struct examples *e, unsigned fold)
{
    for (size_t i = 0; i < e->states.count; i++) {
        struct panel_state s;
        panel_row_state(l->rows, e->states.row[i], e->states.subset[i], &s);
        panel_start(&l->votes[fold], &s, e->base + i * e->outputs);
    }
}

static enum status learn_votes(const struct learner *l, const struct states *states,
                               struct error *err)
{
    size_t count = sizeof(struct panel_votes) / sizeof(float);
    enum status status = OK;
    for (unsigned fold = 0; fold < l->rows->fold_count && status == OK; fold++) {
        status = panel_votes_fit(l->rows, states->row, states->subset, states->count, fold,
                                 &l->votes[fold], err);
        for (size_t k = 0; k < count; k++)
            ((float *)l->panel->votes.weights)[k] +=
                ((float *)l->votes[fold].weights)[k] / (float)l->rows->fold_count;
    }
    return status;
}

static enum status learn_posterior(const struct learner *l, struct arena *a, size_t *starts,
                                   struct error *err)
{
    struct examples e;
    enum status status = draw_states(l, a, 1, l->members,
                                     states_of(l, l->options->posterior_states), &e.states, err);
    if (status == OK)
        status = examples_allocate(&e, posterior_features(l), l->members, a, err);
    if (status != OK)
        return status;
    for (size_t i = 0; i < e.states.count; i++) {
        float x[PANEL_FEATURES_MAX];
        struct panel_state s;
        panel_row_state(l->rows, e.states.row[i], e.states.subset[i], &s);
        panel_features(&s, x);
        memcpy(e.x + i * e.features, x, e.features * sizeof(*x));
        for (size_t m = 0; m < l->members; m++) {
            const struct panel_cell *c = cell_of(l->rows, e.states.row[i], m);
            e.targets[i * e.outputs + m] = c->score;
            e.weights[i * e.outputs + m] = c->confidence;
        }
    }
    status = learn_votes(l, &e.states, err);
    return status == OK ? grow(l, &e, begin_posterior, &l->options->posterior, &l->panel->posterior,
                               starts, err)
                        : status;
}

/* The scores that values learn from: what was recorded, in part replaced by what all answers together say of it. */
static void find_scores(const struct learner *l)
{
    float part = l->options->surrogate;
    const float *full = l->trust + (l->subsets - 1) * l->n * l->members;
    for (size_t i = 0; i < l->n * l->members; i++) {
        const struct panel_cell *c = &l->rows->cells[i];
        l->score[i] = (1 - part) * c->score + part * (c->answer_class ? full[i] : 0);
    }
}

/* Values */

static void state_at(const struct learner *l, size_t subset, size_t row, struct panel_state *s,
                     struct panel_verdict *v)
{
    size_t at = subset * l->n + row;
    panel_row_state(l->rows, row, (uint8_t)subset, s);
    *v = (struct panel_verdict){.winner = l->winner[at], .top = l->top[at]};
    memcpy(v->trust, l->trust + at * l->members, l->members * sizeof(float));
}

/* What is gained over stopping if member `e` is asked here and verdicts are followed from then on: its price is left
 * to the moment of decision, when it is known better. Before any call, over e's own answer. */
static float target_gain(const struct learner *l, size_t subset, size_t row, size_t e, size_t k)
{
    size_t next = (subset | (size_t)1 << e) * l->n + row;
    const float *score = l->score + row * l->members;
    size_t now = subset ? l->winner[subset * l->n + row] : e;
    return score[l->final[next * l->knots + k]] - score[now] -
           l->panel->lambdas[k] * l->later[next * l->knots + k];
}

static float least_confidence(const struct learner *l, size_t row)
{
    float least = 1;
    for (size_t i = 0; i < l->members; i++)
        least = fminf(least, cell_of(l->rows, row, i)->confidence);
    return least;
}

static void value_example(const struct learner *l, struct examples *e, size_t i)
{
    struct panel_state s;
    struct panel_verdict v;
    float base[PANEL_MEMBERS_MAX], weight = least_confidence(l, e->states.row[i]);
    size_t subset = e->states.subset[i], row = e->states.row[i];
    state_at(l, subset, row, &s, &v);
    panel_value_features(&s, &v, e->x + i * e->features, base);
    for (size_t m = 0; m < l->members; m++)
        for (size_t k = 0; k < l->knots; k++) {
            size_t at = i * e->outputs + m * l->knots + k;
            e->base[at] = base[m];
            e->weights[at] = weight;
            e->targets[at] = -1;
            if (subset >> m & 1)
                continue;
            float target = (target_gain(l, subset, row, m, k) + 1) / 2;
            e->targets[at] = fminf(fmaxf(target, 0), 1);
        }
}

#define NEWTON_STEPS 8
#define NEWTON_RIDGE 1.0

/* The offset at which an output is right on average. Trees alone come near it in small steps only, and a gain that is
 * believed too small by a tenth sends a query to the wrong expert first. */
static float fit_offset(const struct examples *e, size_t output)
{
    double offset = 0;
    for (int step = 0; step < NEWTON_STEPS; step++) {
        double gradient = NEWTON_RIDGE * offset, curvature = NEWTON_RIDGE;
        for (size_t i = 0; i < e->states.count; i++) {
            size_t at = i * e->outputs + output;
            if (e->targets[at] < 0)
                continue;
            double p = 1 / (1 + exp(-((double)e->base[at] + offset)));
            gradient += (double)e->weights[at] * (p - (double)e->targets[at]);
            curvature += (double)e->weights[at] * p * (1 - p);
        }
        offset -= gradient / curvature;
    }
    return (float)offset;
}

static void fit_offsets(const struct learner *l, struct examples *e, size_t size)
{
    for (size_t k = 0; k < e->outputs; k++) {
        float offset = l->panel->offsets[size][k] = fit_offset(e, k);
        for (size_t i = 0; i < e->states.count; i++)
            e->base[i * e->outputs + k] += offset;
    }
}

/* The choice in one state at one lambda. */
struct choice {
    float gain;
    uint8_t member; /* members: nobody is left */
};

static void choose(const struct learner *l, const size_t *starts, size_t subset, size_t row,
                   struct choice *ret)
{
    float x[PANEL_VALUES_MAX], base[PANEL_MEMBERS_MAX], gains[PANEL_OUTPUTS_MAX] = {0};
    size_t size = (size_t)__builtin_popcountll(subset);
    struct panel_state s;
    struct panel_verdict v;
    state_at(l, subset, row, &s, &v);
    panel_value_features(&s, &v, x, base);
    for (size_t m = 0; m < l->members; m++)
        for (size_t k = 0; k < l->knots; k++)
            gains[m * l->knots + k] = base[m] + l->panel->offsets[size][m * l->knots + k];
    predict_held_out(l, &l->panel->values[size], starts, l->rows->folds[row], x, gains);
    for (size_t i = 0; i < l->members * l->knots; i++)
        gains[i] = panel_gain_of(gains[i]);
    for (size_t k = 0; k < l->knots; k++) {
        panel_choose(l->panel, &s, gains, (double)l->panel->lambdas[k], &v);
        ret[k] = (struct choice){-INFINITY, (uint8_t)l->members};
        for (size_t m = 0; m < l->members; m++)
            if (v.ask >> m & 1)
                ret[k] = (struct choice){v.gain[m], (uint8_t)m};
    }
}

/* What going on was worth in a state, by what was recorded. */
static double realised(const struct learner *l, size_t subset, size_t row, size_t k, size_t member)
{
    size_t next = ((subset | (size_t)1 << member) * l->n + row) * l->knots + k;
    const struct panel_cell *cells = cell_of(l->rows, row, 0);
    double paid = (double)cells[member].cost_usd + (double)l->later[next];
    return (double)cells[l->final[next]].score -
           (double)cells[l->winner[subset * l->n + row]].score -
           (double)l->panel->lambdas[k] * paid;
}

/* Sets the hurdle of (size, k): the one at which most was gained over all states of that size, where that is more than
 * noise. choices [subsets × n × knots]. */
static void find_hurdle(const struct learner *l, size_t size, size_t k,
                        const struct choice *choices)
{
    double sum[HURDLES] = {0}, squares[HURDLES] = {0}, best = 0;
    float hurdle = INFINITY;
    for (size_t row = 0; row < l->n; row++) {
        double mine[HURDLES] = {0};
        for (size_t subset = 0; subset < l->subsets; subset++) {
            const struct choice *c = &choices[(subset * l->n + row) * l->knots + k];
            if ((size_t)__builtin_popcountll(subset) != size || c->member == l->members)
                continue;
            double gain = realised(l, subset, row, k, c->member);
            for (size_t h = 0; h < HURDLES && c->gain > hurdles[h]; h++)
                mine[h] += gain;
        }
        for (size_t h = 0; h < HURDLES; h++) {
            sum[h] += mine[h];
            squares[h] += mine[h] * mine[h];
        }
    }
    for (size_t h = 0; h < HURDLES; h++)
        if (sum[h] > best && sum[h] > ERRORS_MIN * sqrt(squares[h])) {
            best = sum[h];
            hurdle = hurdles[h];
        }
    l->panel->hurdles[size][k] = hurdle;
}

/* What the verdicts of this size lead to. */
static void follow(const struct learner *l, size_t subset, size_t row, const struct choice *choices)
{
    size_t at = subset * l->n + row, size = (size_t)__builtin_popcountll(subset);
    for (size_t k = 0; k < l->knots; k++) {
        const struct choice *c = &choices[at * l->knots + k];
        size_t here = at * l->knots + k;
        bool goes = c->member < l->members && (!size || c->gain > l->panel->hurdles[size][k]);
        l->final[here] = l->winner[at];
        l->later[here] = 0;
        l->asked[here] = (uint8_t)subset;
        if (!goes)
            continue;
        size_t next = ((subset | (size_t)1 << c->member) * l->n + row) * l->knots + k;
        l->final[here] = l->final[next];
        l->later[here] = l->later[next] + cell_of(l->rows, row, c->member)->cost_usd;
        l->asked[here] = l->asked[next];
    }
}

/* One number of answers: grow, choose in all its states, find hurdles, follow. */
static enum status learn_values(const struct learner *l, size_t size, struct arena *a,
                                struct choice *choices, struct error *err)
{
    struct examples e;
    size_t starts[UINT8_MAX + 1];
    enum status status =
        draw_states(l, a, size, size, states_of(l, l->options->value_states), &e.states, err);
    if (status == OK)
        status = examples_allocate(&e, PANEL_VALUES(l->members), l->members * l->knots, a, err);
    if (status != OK)
        return status;
    for (size_t i = 0; i < e.states.count; i++)
        value_example(l, &e, i);
    fit_offsets(l, &e, size);
    status = grow(l, &e, NULL, &l->options->values, &l->panel->values[size], starts, err);
    if (status != OK)
        return status;
    for (size_t subset = 0; subset < l->subsets; subset++)
        if ((size_t)__builtin_popcountll(subset) == size)
            for (size_t row = 0; row < l->n; row++)
                choose(l, starts, subset, row, choices + (subset * l->n + row) * l->knots);
    for (size_t k = 0; size && k < l->knots; k++)
        find_hurdle(l, size, k, choices);
    for (size_t subset = 0; subset < l->subsets; subset++)
        if ((size_t)__builtin_popcountll(subset) == size)
            for (size_t row = 0; row < l->n; row++)
                follow(l, subset, row, choices);
    return OK;
}

/* The member that routing among singles would ask. */
static size_t best_single(const struct learner *l, size_t row, double lambda)
{
    size_t best = 0;
    double most = -INFINITY;
    for (size_t i = 0; i < l->members; i++) {
        const struct panel_cell *c = cell_of(l->rows, row, i);
        double utility = (double)c->quality - lambda * (double)c->expected_usd;
        if (utility > most) {
            most = utility;
            best = i;
        }
    }
    return best;
}

/* A lambda that is closed asks whom routing would ask, and nobody further. */
static void note_runs(const struct learner *l, size_t k, bool open, const struct panel_runs *runs)
{
    for (size_t row = 0; row < l->n; row++) {
        size_t at = row * l->knots + k;
        uint8_t one = (uint8_t)best_single(l, row, (double)l->panel->lambdas[k]);
        runs->asked[at] = l->asked[at];
        runs->winner[at] = l->final[at];
        if (open)
            continue;
        runs->asked[at] = (uint8_t)(1u << one);
        runs->winner[at] = one;
    }
}

/* What each lambda did, with and without the panel; closes those at which it gains no more than noise. */
static void find_figures(const struct learner *l, struct panel_figures *f,
                         const struct panel_runs *runs)
{
    double n = (double)l->n;
    memset(f, 0, sizeof(*f));
    for (size_t k = 0; k < l->knots; k++) {
        double lambda = (double)l->panel->lambdas[k], singles[3] = {0}, panel[3] = {0}, gain = 0,
               squares = 0;
        for (size_t row = 0; row < l->n; row++) {
            size_t at = row * l->knots + k;
            const struct panel_cell *one = cell_of(l->rows, row, best_single(l, row, lambda)),
                                    *end = cell_of(l->rows, row, l->final[at]);
            double mine[3] = {(double)end->score, (double)l->later[at],
                              __builtin_popcount(l->asked[at])};
            double more = mine[0] - (double)one->score - lambda * (mine[1] - (double)one->cost_usd);
            singles[0] += (double)one->score / n;
            singles[1] += (double)one->cost_usd / n;
            for (size_t i = 0; i < 3; i++)
                panel[i] += mine[i] / n;
            gain += more / n;
            squares += more * more / n;
        }
        double error = sqrt(fmax(squares - gain * gain, 0) / n);
        bool open = gain > ERRORS_MIN * error;
        for (size_t size = 0; size < l->members && !open; size++)
            l->panel->hurdles[size][k] = INFINITY;
        f->open += open;
        f->gain[k] = open ? gain : 0;
        f->gain_error[k] = open ? error : 0;
        f->score[k] = open ? panel[0] : singles[0];
        f->cost_usd[k] = open ? panel[1] : singles[1];
        f->calls[k] = open ? panel[2] : 1;
        if (runs)
            note_runs(l, k, open, runs);
    }
}

static enum status learner_allocate(struct learner *l, struct error *err)
{
    size_t states = l->subsets * l->n;
    l->trust = ARENA_ARRAY(l->arena, states * l->members, float);
    l->top = ARENA_ARRAY(l->arena, states, float);
    l->winner = ARENA_ARRAY(l->arena, states, uint8_t);
    l->final = ARENA_ARRAY(l->arena, states * l->knots, uint8_t);
    l->later = ARENA_ARRAY(l->arena, states * l->knots, float);
    l->asked = ARENA_ARRAY(l->arena, states * l->knots, uint8_t);
    l->score = ARENA_ARRAY(l->arena, l->n * l->members, float);
    l->votes = ARENA_ARRAY(l->arena, l->rows->fold_count, struct panel_votes);
    bool good =
        l->votes && l->trust && l->top && l->winner && l->final && l->later && l->asked && l->score;
    return good ? OK : error_set(err, ERR_MEMORY, "out of memory");
}

/* The order of the whole: who is right first, then what going on is worth, from the last call to the first. */
static enum status learn(struct learner *l, struct error *err)
{
    size_t starts[UINT8_MAX + 1], full = l->subsets - 1;
    struct arena *scratch = arena_create(ARENA_BYTES);
    struct choice *choices = ARENA_ARRAY(l->arena, l->subsets * l->n * l->knots, struct choice);
    enum status status = learner_allocate(l, err);
    if (status != OK || !choices || !scratch) {
        arena_free(scratch);
        return error_set(err, ERR_MEMORY, "out of memory");
    }
    choose_lambdas(l);
    status = learn_posterior(l, scratch, starts, err);
    if (status == OK) {
        posterior_note(l, starts);
        find_scores(l);
        for (size_t i = 0; i < l->n * l->knots; i++) {
            l->final[full * l->n * l->knots + i] = l->winner[full * l->n + i / l->knots];
            l->asked[full * l->n * l->knots + i] = (uint8_t)full;
        }
    }
    for (size_t size = l->members; size-- > 0 && status == OK;) {
        arena_reset(scratch);
        status = learn_values(l, size, scratch, choices, err);
    }
    arena_free(scratch);
    return status;
}

enum status panel_learn(const struct panel_rows *rows, const struct panel_learn_options *options,
                        struct rng *rng, struct panel *ret, struct panel_figures *figures,
                        const struct panel_runs *runs, struct error *err)
{
    CHECK(rows->members >= 1);
    CHECK(rows->members <= PANEL_MEMBERS_MAX);
    CHECK(options->lambda_count > CHEAP_KNOTS + 1);
    CHECK(options->lambda_count <= PANEL_LAMBDAS_MAX);
    struct panel panel = {.members = rows->members, .lambda_count = options->lambda_count};
    struct learner l = {.rows = rows,
                        .options = options,
                        .rng = rng,
                        .arena = arena_create(ARENA_BYTES),
                        .panel = &panel,
                        .n = rows->rows,
                        .members = rows->members,
                        .knots = options->lambda_count,
                        .subsets = (size_t)1 << rows->members};
    enum status status = l.arena ? learn(&l, err) : error_set(err, ERR_MEMORY, "out of memory");
    if (status == OK) {
        find_figures(&l, figures, runs);
        *ret = panel;
    } else {
        panel_done(&panel);
    }
    arena_free(l.arena);
    return status;
}

void panel_done(struct panel *p)
{
    forest_done(&p->posterior);
    for (size_t s = 0; s < PANEL_MEMBERS_MAX; s++)
        forest_done(&p->values[s]);
}
