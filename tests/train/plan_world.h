/* Recorded answers whose truth is known: two weak experts and a strong one answer questions of ten choices, and nothing
 * about a question tells who will be right. What their answers tell is up to `kind`. */
#pragma once

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/rng.h"
#include "data/dataset.h"
#include "train/plan_learn.h"

#define PLAN_WORLD_EXPERTS 3
#define PLAN_WORLD_CHOICES 10
#define PLAN_WORLD_FOLDS   4

enum plan_world_kind {
    PLAN_WORLD_AGREE,   /* the weak agree on 60 % of the questions, and just then both are right */
    PLAN_WORLD_CLOSEST, /* the first weak one is wrong just where its text says so */
    PLAN_WORLD_NOISE    /* nothing tells anything: scores are coins, choices are dice */
};

struct plan_world {
    struct dataset dataset;
    struct dataset_expert experts[PLAN_WORLD_EXPERTS];
    struct query *queries;
    struct outcome *outcomes;
    struct answer_cell *cells;
    struct estimate *estimates;
    uint8_t *folds;
    float *characters;
    size_t expert[PLAN_WORLD_EXPERTS];
    struct answer_table answers;
    struct plan_rows rows;
    struct arena *arena;
};

/* Another choice than this one. */
static inline uint16_t plan_world_other(struct rng *r, uint16_t than)
{
    return (uint16_t)(1 + (than + rng_below(r, PLAN_WORLD_CHOICES - 1)) % PLAN_WORLD_CHOICES);
}

static inline void plan_world_answers(struct rng *r, enum plan_world_kind kind, bool *right,
                                      uint16_t *class, bool *doubtful)
{
    uint16_t key = (uint16_t)(1 + rng_below(r, PLAN_WORLD_CHOICES));
    bool agree = rng_uniform(r) < 0.6;
    for (size_t e = 0; e < PLAN_WORLD_EXPERTS; e++) {
        right[e] = rng_uniform(r) < (e == 2 ? 0.9 : 0.7);
        class[e] = key;
    }
    if (kind == PLAN_WORLD_AGREE) {
        right[0] = right[1] = agree;
        right[2] = !agree || rng_uniform(r) < 0.7;
    }
    for (size_t e = 0; e < PLAN_WORLD_EXPERTS; e++) {
        if (!right[e])
            class[e] = plan_world_other(r, key);
        while (kind == PLAN_WORLD_AGREE && e == 1 && !agree && class[1] == class[0])
            class[1] = plan_world_other(r, key);
        doubtful[e] = kind == PLAN_WORLD_CLOSEST && e == 0 && !right[0];
        if (kind == PLAN_WORLD_NOISE) {
            right[e] = rng_below(r, 2);
            class[e] = (uint16_t)(1 + rng_below(r, PLAN_WORLD_CHOICES));
        }
    }
}

/* Cost in nano-USD of a call: the weak 1, 1.1 and the strong `strong` thousandths of a dollar, ±10 %. */
static inline int64_t plan_world_cost(struct rng *r, size_t e, double strong)
{
    double usd = (e == 2 ? strong : 1 + 0.1 * (double)e) * 1e-3;
    return (int64_t)(usd * 1e9 * (0.9 + 0.2 * rng_uniform(r)));
}

static inline void plan_world_row(struct plan_world *w, struct rng *r, enum plan_world_kind kind,
                                  double strong, size_t row)
{
    bool right[PLAN_WORLD_EXPERTS], doubtful[PLAN_WORLD_EXPERTS];
    uint16_t class[PLAN_WORLD_EXPERTS];
    plan_world_answers(r, kind, right, class, doubtful);
    w->queries[row].choice_count = PLAN_WORLD_CHOICES;
    w->folds[row] = (uint8_t)rng_below(r, PLAN_WORLD_FOLDS);
    w->characters[row] = (float)(50 + rng_below(r, 400));
    for (size_t e = 0; e < PLAN_WORLD_EXPERTS; e++) {
        size_t at = row * PLAN_WORLD_EXPERTS + e;
        double guess = (kind == PLAN_WORLD_NOISE ? 0.5 : e == 2 ? 0.85 : 0.65);
        w->outcomes[at] = (struct outcome){.present = true,
                                           .known = true,
                                           .cost_known = true,
                                           .score = right[e],
                                           .cost_nano_usd = plan_world_cost(r, e, strong),
                                           .answer_class = class[e]};
        w->estimates[at] =
            (struct estimate){.quality = (float)(guess + 0.1 * (rng_uniform(r) - 0.5)),
                              .output_tokens = 50,
                              .cost_nano_usd = w->outcomes[at].cost_nano_usd};
        w->cells[at].present = true;
        for (size_t s = 0; s < ANSWER_STATS; s++)
            w->cells[at].stats[s] = (float)rng_uniform(r);
        w->cells[at].stats[ANSWER_LOG_CLOSEST] = doubtful[e] ? logf(2) : 0;
    }
}

/* `strong`: how many times as much the strong one costs. */
static inline struct plan_world *plan_world_make(enum plan_world_kind kind, size_t rows,
                                                 double strong, uint64_t seed)
{
    static const char *const names[PLAN_WORLD_EXPERTS] = {"weak-a", "weak-b", "strong"};
    struct arena *a = arena_create((size_t)1 << 30);
    struct plan_world *w = ARENA_NEW(a, struct plan_world);
    size_t cells = rows * PLAN_WORLD_EXPERTS;
    struct rng r;
    rng_seed(&r, seed);
    w->arena = a;
    w->queries = ARENA_ARRAY(a, rows, struct query);
    w->outcomes = ARENA_ARRAY(a, cells, struct outcome);
    w->cells = ARENA_ARRAY(a, cells, struct answer_cell);
    w->estimates = ARENA_ARRAY(a, cells, struct estimate);
    w->folds = ARENA_ARRAY(a, rows, uint8_t);
    w->characters = ARENA_ARRAY(a, rows, float);
    cr_assert(w->queries && w->outcomes && w->cells && w->estimates && w->folds && w->characters);
    for (size_t e = 0; e < PLAN_WORLD_EXPERTS; e++) {
        w->experts[e].name = str_from(names[e]);
        w->expert[e] = e;
    }
    for (size_t row = 0; row < rows; row++)
        plan_world_row(w, &r, kind, strong, row);
    w->dataset = (struct dataset){.path = STR("world"),
                                  .queries = w->queries,
                                  .query_count = rows,
                                  .experts = w->experts,
                                  .expert_count = PLAN_WORLD_EXPERTS,
                                  .outcomes = w->outcomes};
    w->answers.cells = w->cells;
    w->rows = (struct plan_rows){.dataset = &w->dataset,
                                 .answers = &w->answers,
                                 .rows = rows,
                                 .experts = PLAN_WORLD_EXPERTS,
                                 .expert = w->expert,
                                 .folds = w->folds,
                                 .fold_count = PLAN_WORLD_FOLDS,
                                 .estimates = w->estimates,
                                 .characters = w->characters};
    return w;
}

static inline void plan_world_free(struct plan_world *w)
{
    arena_free(w->arena);
}

static inline const struct outcome *plan_world_outcome(const struct plan_world *w, size_t row,
                                                       size_t e)
{
    return &w->outcomes[row * PLAN_WORLD_EXPERTS + e];
}

static inline double plan_world_usd(const struct outcome *o)
{
    return (double)o->cost_nano_usd / (double)NANO_PER_USD;
}

/* Small forests: these worlds are simple. */
static inline struct forest_options plan_world_forest(void)
{
    return (struct forest_options){.trees = 30,
                                   .leaves = 6,
                                   .learning_rate = 0.1f,
                                   .l2 = 5,
                                   .row_share = 0.7f,
                                   .feature_share = 0.5f,
                                   .curvature_min = 3};
}
