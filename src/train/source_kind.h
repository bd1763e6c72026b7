/* How a kind of source learns and how it is written: the half of predict/model_source.h that decisions do not need. A
 * kind is a file, and a row in source_kinds.c.
 *
 * Every row is predicted by a learner that never saw it: training calls `learn` with the rows of all folds but one,
 * then `predict` for the rows of that one, fold by fold; `finish` makes the source of the model. */
#pragma once

#include "base/rng.h"
#include "predict/predictor.h"
#include "train/model_tensor.h"
#include "train/train_int.h"

#define SOURCE_TENSORS_MAX 4

/* What a learner may look at while it lives. */
struct source_training {
    const struct train_table *table;
    const struct train_options *options;
    const struct source
        *before;           /* [the source's index], finished only when this one is to finish */
    struct arena *keep;    /* goes with the model */
    struct arena *scratch; /* goes when training ends */
};

struct source_kind {
    const struct source_ops *ops;
    double prior[LEVEL_SLOPES]; /* of its slopes in the base stage; the data pull them from there */
    /* Sets columns and length_at of a source whose other fields are set. *ret is freed by `free`, also when it
     * fails. */
    enum status (*create)(const struct source_training *in, struct source *s, void **ret,
                          struct error *err);
    /* From nothing, on rows order[count] in ascending order, which it may shuffle. `share`: of this fold in the
     * model. */
    void (*learn)(void *learner, uint32_t *order, size_t count, float share, struct rng *rng);
    /* Of a late kind instead, which may fail; and how hard its weights are pulled to zero from then on. */
    enum status (*learn_late)(void *learner, const uint32_t *order, size_t count,
                              struct error *err);
    void (*penalise)(void *learner, double penalty);
    /* As source_ops.run, of a row of the table. */
    void (*predict)(const void *learner, size_t row, const struct source_view *v, float *columns,
                    float *facts);
    /* Sets s->state, which lives as long as in->keep. order[count]: all rows. */
    enum status (*finish)(void *learner, const uint32_t *order, size_t count, struct source *s,
                          struct error *err);
    void (*free)(void *learner); /* NULL is fine */
    /* novelty[rows] of the table's own texts, each as if it had not been there. NULL: it says none. */
    enum status (*novelty)(const void *learner, float *novelty, struct error *err);

    /* Adds ,"key":value to the source's entry in the model file. NULL: nothing to add. */
    void (*describe)(const struct source *s, struct buf *out);
    /* Its tensors, names without "source.NAME."; returns how many. */
    size_t (*tensors)(const struct source *s, const struct encoder *encoder,
                      struct model_tensor ret[SOURCE_TENSORS_MAX]);
};

/* NULL: there is none. */
const struct source_kind *source_kind_named(struct str kind);
/* One more, and its source_ops with it, as source_ops_register. */
NODISCARD enum status source_kind_register(const struct source_kind *k, struct error *err);

extern const struct source_kind linear_kind, groups_kind, difficulty_kind, dense_kind, opinion_kind;
