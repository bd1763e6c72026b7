/* Recorded outcomes as a world in which cells are bought (bench_play): one pool, cut into questions to learn from and
 * questions to measure on, by text; with it what the whole matrix is worth there. */
#pragma once

#include "data/dataset.h"
#include "predict/model.h"

#define PLAY_FOLDS  5
#define PLAY_POINTS 12 /* shares of the reference's cost at which accuracy is taken */

/* Everything of one data set that the pool needs; every cell has a score and a cost. */
struct play_pool {
    struct dataset *all;
    size_t reference; /* index in `all` */
    struct arena *arena;
};

struct play_pool_options {
    const char *data, *dataset, *experts, *reference; /* reference NULL: whoever cost most in all */
    bool recorded; /* scores as recorded; else judged anew from the texts, one rule for all */
};

NODISCARD enum status play_pool_load(const struct play_pool_options *o, struct play_pool *ret,
                                     struct error *err);
void play_pool_free(struct play_pool *p);

/* One cut of the pool. */
struct play_fold {
    const struct play_pool *pool;
    struct dataset *train, *test;
    uint64_t seed;
    int64_t whole_nano_usd; /* what all cells of `train` cost */
    double hull;            /* mean accuracy of the best mixes of single experts, on `test` */
    double full;            /* of the model that all cells of `train` teach */
    size_t points;          /* that some expert can pay */
};

/* The fold and the training seed follow from `seed`. Measures hull and full. */
NODISCARD enum status play_fold_make(const struct play_pool *pool, uint64_t seed,
                                     struct play_fold *ret, struct error *err);
void play_fold_free(struct play_fold *f);

/* Which cells of f->train are bought, and what may still be. */
struct purchase {
    const struct play_fold *fold;
    bool *bought; /* [questions × experts] of f->train */
    size_t count;
    int64_t left_nano_usd;
    /* [questions × experts]: scores in place of the recorded ones, by purchase_vote(), negative: none;
     * NULL: as recorded */
    float *labels;
};

/* Pays the recorded cost. False: already bought, or not affordable any more. */
bool purchase_buy(struct purchase *p, size_t question, size_t expert);
/* Trains on what is bought, with labels where they are wanted. */
NODISCARD enum status purchase_train(struct purchase *p, struct model **ret, struct error *err);
/* Mean accuracy on f->test at the points. */
NODISCARD enum status play_fold_measure(const struct play_fold *f, const struct model *m,
                                        double *ret, struct error *err);
