/* Panels learnt in small worlds of which the best that can be done is known by enumeration. */
#include "stage/panel_learn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#define MEMBERS 3
#define CHOICES 4
#define ROWS    3000
#define FOLDS   4

static const double right[MEMBERS] = {0.55, 0.6, 0.85};
static const float usd[MEMBERS] = {0.001f, 0.0015f, 0.02f};

struct world {
    struct panel_rows rows;
    struct panel_cell *cells;
    float *characters;
    uint32_t *choices;
    uint8_t *folds;
};

/* Members err independently, and evenly over the wrong choices. Where `telling` is false, what they say has nothing to
 * do with whether they are right. */
static void world_make(struct world *w, size_t rows, bool telling, uint64_t seed)
{
    static const float stats[ANSWER_STATS] = {0};
    struct rng r;
    rng_seed(&r, seed);
    w->cells = calloc(rows * MEMBERS, sizeof(*w->cells));
    w->characters = calloc(rows, sizeof(float));
    w->choices = calloc(rows, sizeof(uint32_t));
    w->folds = calloc(rows, 1);
    for (size_t row = 0; row < rows; row++) {
        uint64_t truth = rng_below(&r, CHOICES);
        w->choices[row] = CHOICES;
        w->folds[row] = (uint8_t)(row % FOLDS);
        w->characters[row] = 100;
        for (size_t i = 0; i < MEMBERS; i++) {
            bool good = rng_uniform(&r) < right[i];
            uint64_t wrong = (truth + 1 + rng_below(&r, CHOICES - 1)) % CHOICES;
            uint64_t says = good ? truth : wrong;
            if (!telling)
                says = rng_below(&r, CHOICES);
            w->cells[row * MEMBERS + i] = (struct panel_cell){.quality = (float)right[i],
                                                              .output_tokens = 10,
                                                              .expected_usd = usd[i],
                                                              .cost_usd = usd[i],
                                                              .score = good,
                                                              .confidence = 1,
                                                              .answer_class = (uint16_t)(says + 1),
                                                              .stats = stats};
        }
    }
    w->rows =
        (struct panel_rows){rows, MEMBERS, w->cells, w->characters, w->choices, w->folds, FOLDS};
}

static void world_done(struct world *w)
{
    free(w->cells);
    free(w->characters);
    free(w->choices);
    free(w->folds);
}

static void learn(const struct world *w, struct panel *p, struct panel_figures *f)
{
    struct panel_learn_options o;
    struct rng r;
    struct error err;
    panel_learn_options_default(&o);
    o.posterior.trees = o.values.trees = 40;
    rng_seed(&r, 1);
    cr_assert_eq(panel_learn(&w->rows, &o, &r, p, f, NULL, &err), OK, "%s", err.text);
}

/* The best that can be done from a state in which said[i] (0: not asked) was answered, by enumeration of what each
 * other member may say. */
static double best_from(const unsigned *said, double lambda)
{
    double joint[CHOICES], total = 0, best = 0;
    for (unsigned truth = 1; truth <= CHOICES; truth++) {
        joint[truth - 1] = 1.0 / CHOICES;
        for (size_t i = 0; i < MEMBERS; i++)
            if (said[i])
                joint[truth - 1] *= said[i] == truth ? right[i] : (1 - right[i]) / (CHOICES - 1);
        total += joint[truth - 1];
    }
    bool any = false;
    for (size_t i = 0; i < MEMBERS; i++)
        any |= said[i] != 0;
    for (unsigned a = 0; a < CHOICES && any; a++)
        best = fmax(best, joint[a] / total);
    for (size_t e = 0; e < MEMBERS; e++) {
        double value = -lambda * (double)usd[e];
        if (said[e])
            continue;
        for (unsigned a = 1; a <= CHOICES; a++) {
            unsigned next[MEMBERS];
            double chance = 0;
            for (unsigned truth = 1; truth <= CHOICES; truth++)
                chance += joint[truth - 1] / total *
                          (a == truth ? right[e] : (1 - right[e]) / (CHOICES - 1));
            memcpy(next, said, sizeof(next));
            next[e] = a;
            value += chance * best_from(next, lambda);
        }
        best = fmax(best, value);
    }
    return best;
}

static double utility(const struct world *w, const struct panel *p, double lambda)
{
    double sum = 0;
    for (size_t row = 0; row < w->rows.rows; row++) {
        const struct panel_cell *cells = &w->cells[row * MEMBERS];
        struct panel_state s;
        struct panel_verdict v;
        uint8_t asked = 0;
        for (;;) {
            panel_row_state(&w->rows, row, asked, &s);
            panel_verdict(p, &s, lambda, &v);
            if (!v.ask)
                break;
            asked |= v.ask;
            sum -= lambda * (double)cells[__builtin_ctz(v.ask)].cost_usd;
        }
        sum += (double)cells[v.winner].score;
    }
    return sum / (double)w->rows.rows;
}

Test(panel_learn, comes_close_to_the_best_by_enumeration_at_every_lambda)
{
    struct world w, fresh;
    struct panel p;
    struct panel_figures f;
    const unsigned nothing[MEMBERS] = {0};
    world_make(&w, ROWS, true, 1);
    world_make(&fresh, 2 * ROWS, true, 2);
    learn(&w, &p, &f);
    for (size_t k = 0; k < p.lambda_count; k++) {
        double lambda = (double)p.lambdas[k], best = best_from(nothing, lambda),
               done = utility(&fresh, &p, lambda);
        double held_out = f.score[k] - lambda * f.cost_usd[k];
        cr_assert_gt(done, best - 0.025, "lambda %g: %g of %g", lambda, done, best);
        cr_assert_lt(done, best + 0.025, "lambda %g: %g of %g", lambda, done, best);
        cr_assert_float_eq(held_out, done, 0.04, "what training says: %g, not %g", held_out, done);
    }
    cr_assert_gt(f.open, 1);
    cr_assert_gt(f.calls[3], 1.5, "several are asked where they pay: %g", f.calls[3]);
    cr_assert_lt(f.calls[p.lambda_count - 1], 1.05, "one where price is all: %g",
                 f.calls[p.lambda_count - 1]);
    panel_done(&p);
    world_done(&w);
    world_done(&fresh);
}

Test(panel_learn, where_answers_tell_nothing_nobody_is_asked_twice)
{
    struct world w;
    struct panel p;
    struct panel_figures f;
    world_make(&w, ROWS, false, 3);
    learn(&w, &p, &f);
    for (size_t k = 0; k < p.lambda_count; k++)
        cr_assert_eq(f.calls[k], 1, "lambda %g: %g calls", (double)p.lambdas[k], f.calls[k]);
    cr_assert_eq(f.open, 0);
    double alone = utility(&w, &p, (double)p.lambdas[3]);
    cr_assert_float_eq(alone, f.score[3] - (double)p.lambdas[3] * f.cost_usd[3], 1e-4);
    panel_done(&p);
    world_done(&w);
}

Test(panel_learn, the_same_rows_and_seed_give_the_same_panel)
{
    struct world w;
    struct panel a, b;
    struct panel_figures f, g;
    world_make(&w, 400, true, 5);
    learn(&w, &a, &f);
    learn(&w, &b, &g);
    cr_assert_eq(memcmp(&f, &g, sizeof(f)), 0);
    cr_assert_eq(memcmp(a.hurdles, b.hurdles, sizeof(a.hurdles)), 0);
    cr_assert_eq(a.posterior.tree_count, FOLDS * 40);
    cr_assert_eq(memcmp(a.posterior.leaves, b.posterior.leaves,
                        a.posterior.tree_count * TREE_LEAVES_MAX * MEMBERS * sizeof(float)),
                 0);
    panel_done(&a);
    panel_done(&b);
    world_done(&w);
}

/* Certainty of the two cheap ones: more where they are right, or of a row drawn by chance. */
static void make_certain(const struct world *w, bool shuffled)
{
    struct rng r;
    rng_seed(&r, 9);
    for (size_t row = 0; row < w->rows.rows; row++)
        for (size_t i = 0; i < 2; i++) {
            size_t from = shuffled ? rng_below(&r, w->rows.rows) : row;
            float least = (float)rng_uniform(&r) + w->cells[from * MEMBERS + i].score;
            w->cells[row * MEMBERS + i].certainty =
                (struct certainty){true, 2 * least, least, least};
        }
}

Test(panel_learn, certainty_of_the_cheap_ones_is_worth_what_it_tells)
{
    struct world w;
    struct panel p;
    struct panel_figures f;
    double lambda = 10, none, told, chance;
    world_make(&w, ROWS, true, 11);
    learn(&w, &p, &f);
    none = utility(&w, &p, lambda);
    panel_done(&p);
    make_certain(&w, false);
    learn(&w, &p, &f);
    told = utility(&w, &p, lambda);
    panel_done(&p);
    make_certain(&w, true);
    learn(&w, &p, &f);
    chance = utility(&w, &p, lambda);
    panel_done(&p);
    world_done(&w);
    cr_expect_gt(told, none + 0.05, "%f %f", told, none);
    cr_expect_lt(chance, none + 0.02, "%f %f", chance, none);
}
