/* The linear head, learnt: a head for each fold, whose mean is the model's. Weights are large and malloced: floats
 * [buckets × width] of the fold, and of the mean, in whose place the packed ones come to lie. A learner belongs to
 * one training and its thread. Until `finish` it owns its memory; from then on the weights are the model's arena's.
 * Calls come in the order that source_kind.h gives: `predict` speaks for the fold that was learnt last. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/fmath.h"
#include "predict/linear.h"
#include "train/linear_train.h"
#include "train/source_kind.h"
#include "train/spread_fit.h"

#define SCRATCH_COLUMNS 3 /* floats for each bucket that linear_train works with */

struct learner {
    struct source_training in;
    const struct sparse_rows *rows;
    struct linear_shape shape;
    size_t buckets, cells;
    float *weights, *fold_weights, *scratch; /* malloced */
    float *bias, *fold_bias;                 /* [width] */
};

static void learner_free(void *of)
{
    struct learner *l = of;
    if (!l)
        return;
    free(l->weights);
    free(l->fold_weights);
    free(l->scratch);
    free(l);
}

static enum status allocate(struct learner *l, struct error *err)
{
    l->bias = ARENA_ARRAY(l->in.keep, l->shape.width, float);
    l->fold_bias = ARENA_ARRAY(l->in.scratch, l->shape.width, float);
    l->weights = calloc(l->cells, sizeof(float));
    l->fold_weights = malloc(l->cells * sizeof(float));
    l->scratch = malloc(l->buckets * SCRATCH_COLUMNS * sizeof(float));
    if (!l->bias || !l->fold_bias || !l->weights || !l->fold_weights || !l->scratch)
        return error_set(err, ERR_MEMORY, "out of memory for %zu experts", l->shape.experts);
    return OK;
}

static enum status create(const struct source_training *in, struct source *s, void **ret,
                          struct error *err)
{
    const struct train_table *t = in->table;
    size_t groups = t->group_count;
    if (s->encoder == NOWHERE || !t->encoded[s->encoder].encoder->bucket_count)
        return error_set(err, ERR_INPUT, "source '%.*s' wants an encoder with buckets",
                         STR_FMT(s->name));
    struct learner *l = calloc(1, sizeof(*l));
    if (!l)
        return error_set(err, ERR_MEMORY, "out of memory");
    l->in = *in;
    l->rows = &t->encoded[s->encoder].sparse;
    l->shape = (struct linear_shape){t->experts, groups, linear_width(t->experts, groups)};
    l->buckets = t->encoded[s->encoder].encoder->bucket_count;
    l->cells = l->buckets * l->shape.width;
    s->columns = l->shape.width;
    s->length_at = t->experts + groups;
    *ret = l;
    return allocate(l, err);
}

WIDE_LOOPS static void average_into(float *sum, const float *part, size_t n, float share)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += part[i] * share;
}

static void learn(void *of, uint32_t *order, size_t count, float share, struct rng *rng)
{
    struct learner *l = of;
    const struct train_table *t = l->in.table;
    struct linear_targets targets = {t->targets, t->weights, t->groups, t->lengths};
    linear_train(&l->shape, l->buckets, l->rows, &targets, &l->in.options->linear, order, count,
                 rng, l->fold_weights, l->fold_bias, l->scratch);
    average_into(l->weights, l->fold_weights, l->cells, share);
    average_into(l->bias, l->fold_bias, l->shape.width, share);
}

static void predict(const void *of, size_t row, const struct source_view *v, float *columns,
                    float *facts)
{
    const struct learner *l = of;
    size_t from = l->rows->starts[row];
    (void)v;
    (void)facts;
    linear_predict(l->fold_weights, l->fold_bias, l->shape.width, l->rows->buckets + from,
                   l->rows->values + from, l->rows->starts[row + 1] - from, columns);
}

static enum status finish(void *of, const uint32_t *order, size_t count, struct source *s,
                          struct error *err)
{
    struct learner *l = of;
    (void)order;
    (void)count;
    struct linear_head *h = ARENA_NEW(l->in.keep, struct linear_head);
    if (!h || arena_defer(l->in.keep, free, l->weights) != OK)
        return error_set(err, ERR_MEMORY, "out of memory");
    uint16_t *packed = (uint16_t *)l->fold_weights; /* its floats are no longer needed */
    for (size_t i = 0; i < l->cells; i++)
        packed[i] = linear_to_bf16(l->weights[i]);
    memcpy(l->weights, packed, l->cells * sizeof(*packed));
    *h = (struct linear_head){l->shape.groups, l->shape.width, (const uint16_t *)l->weights,
                              l->bias};
    l->weights = NULL; /* the arena's now */
    s->state = h;
    return OK;
}

static enum status novelty(const void *of, float *ret, struct error *err)
{
    const struct learner *l = of;
    uint8_t *times = malloc(l->buckets);
    if (!times)
        return error_set(err, ERR_MEMORY, "out of memory");
    spread_own_novelty(l->rows, l->in.table->rows, l->buckets, times, ret);
    free(times);
    return OK;
}

static void describe(const struct source *s, struct buf *out)
{
    buf_addf(out, ",\"groups\":%zu", ((const struct linear_head *)s->state)->groups);
}

static size_t tensors(const struct source *s, const struct encoder *encoder,
                      struct model_tensor ret[SOURCE_TENSORS_MAX])
{
    const struct linear_head *h = s->state;
    ret[0] = (struct model_tensor){.item = {"bias", "F32", 1, {h->width}, h->bias},
                                   .parts = {{PART_EXPERTS, 0},
                                             {PART_SHARED, h->groups + 1},
                                             {PART_PADDING, LINEAR_WIDTH_STEP}}};
    ret[1] = ret[0];
    /* bfloat16 under the name of its bytes: numpy and what reads by it know no BF16. */
    ret[1].item = (struct safetensors_item){
        "weights", "U16", 2, {encoder->bucket_count, h->width}, h->weights};
    ret[1].axis = 1;
    return 2;
}

const struct source_kind linear_kind = {
    .ops = &linear_source,
    .prior = {0.7, 0.5},
    .create = create,
    .learn = learn,
    .predict = predict,
    .finish = finish,
    .free = learner_free,
    .novelty = novelty,
    .describe = describe,
    .tensors = tensors,
};
