/* The head on a dense half, learnt: principal components of the rows, then a logistic regression for each expert. It is
 * late, so it is learnt for whatever rows blend_fit.c holds out, under several penalties: the components, which hang on
 * the rows alone, are kept until other rows come. A learner belongs to one training and its thread; all of it but what
 * `finish` hands over is in the scratch arena. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "fit/dense_fit.h"
#include "predict/model_source.h"
#include "train/source_kind.h"

#define COMPONENTS      16
#define PENALTY_DEFAULT 100.0

_Static_assert(COMPONENTS <= DENSE_FIT_MAX, "there is room to learn");
_Static_assert(COMPONENTS <= DENSE_COMPONENTS_MAX, "there is room in a model");

struct learner {
    struct source_training in;
    struct dense_rows rows;
    struct dense_head head; /* of the rows that were learnt last; its arrays are the three below */
    float *mean, *directions, *weights;
    float *components; /* [rows × components] of every row of the table */
    double penalty;
    uint64_t learnt; /* hash of the rows that the components are of; 0: none */
};

static enum status allocate(struct learner *l, struct error *err)
{
    struct arena *a = l->in.scratch;
    size_t experts = l->in.table->experts, n = l->head.components;
    l->head.mean = l->mean = ARENA_ARRAY(a, l->head.dims, float);
    l->head.directions = l->directions = ARENA_ARRAY(a, l->head.dims * n, float);
    l->head.weights = l->weights = ARENA_ARRAY(a, (1 + n) * experts, float);
    l->components = ARENA_ARRAY(a, l->in.table->rows * n, float);
    return l->mean && l->directions && l->weights && l->components
               ? OK
               : error_set(err, ERR_MEMORY, "out of memory");
}

static enum status create(const struct source_training *in, struct source *s, void **ret,
                          struct error *err)
{
    if (s->encoder == NOWHERE || !in->table->encoded[s->encoder].encoder->dense_count)
        return error_set(err, ERR_INPUT, "source '%.*s' wants an encoder with a dense half",
                         STR_FMT(s->name));
    struct learner *l = ARENA_NEW(in->scratch, struct learner);
    if (!l)
        return error_set(err, ERR_MEMORY, "out of memory");
    size_t dims = in->table->encoded[s->encoder].encoder->dense_count;
    *l = (struct learner){
        .in = *in,
        .rows = {in->table->encoded[s->encoder].dense, dims},
        .head = {.dims = dims, .components = dims < COMPONENTS ? dims : COMPONENTS},
        .penalty = PENALTY_DEFAULT};
    s->columns = in->table->experts;
    *ret = l;
    return allocate(l, err);
}

static void penalise(void *of, double penalty)
{
    ((struct learner *)of)->penalty = penalty;
}

static uint64_t hash_rows(const uint32_t *order, size_t count)
{
    uint64_t h = hash64_mix(1, count);
    for (size_t i = 0; i < count; i++)
        h = hash64_mix(h, order[i]);
    return h ? h : 1;
}

static enum status find_components(struct learner *l, const uint32_t *order, size_t count,
                                   struct error *err)
{
    uint64_t hash = hash_rows(order, count);
    if (hash == l->learnt)
        return OK;
    l->learnt = 0;
    enum status status =
        dense_principal(&l->rows, order, count, l->head.components, l->mean, l->directions, err);
    for (size_t i = 0; i < l->in.table->rows && status == OK; i++)
        dense_components(&l->head, l->rows.x + i * l->head.dims,
                         l->components + i * l->head.components);
    l->learnt = status == OK ? hash : 0;
    return status;
}

static enum status learn(void *of, const uint32_t *order, size_t count, struct error *err)
{
    struct learner *l = of;
    const struct train_table *t = l->in.table;
    enum status status = find_components(l, order, count, err);
    const struct dense_sample sample = {.components = l->components,
                                        .terms = l->head.components,
                                        .order = order,
                                        .count = count,
                                        .targets = t->targets,
                                        .weights = t->weights,
                                        .experts = t->experts};
    return status == OK ? dense_logistic(&sample, l->penalty, l->weights, err) : status;
}

static void predict(const void *of, size_t row, const struct source_view *v, float *columns,
                    float *facts)
{
    const struct learner *l = of;
    (void)v;
    (void)facts;
    dense_logits(&l->head, l->components + row * l->head.components, l->in.table->experts, columns);
}

static const float *keep(struct arena *a, const float *from, size_t count)
{
    float *to = ARENA_ARRAY(a, count, float);
    return to ? memcpy(to, from, count * sizeof(*to)) : NULL;
}

static enum status finish(void *of, const uint32_t *order, size_t count, struct source *s,
                          struct error *err)
{
    struct learner *l = of;
    size_t n = l->head.components;
    struct dense_head *h = ARENA_NEW(l->in.keep, struct dense_head);
    enum status status =
        h ? learn(l, order, count, err) : error_set(err, ERR_MEMORY, "out of memory");
    if (status != OK)
        return status;
    *h = (struct dense_head){l->head.dims, n, keep(l->in.keep, l->mean, l->head.dims),
                             keep(l->in.keep, l->directions, l->head.dims * n),
                             keep(l->in.keep, l->weights, (1 + n) * s->experts)};
    s->state = h;
    return h->mean && h->directions && h->weights ? OK
                                                  : error_set(err, ERR_MEMORY, "out of memory");
}

static void learner_free(void *of)
{
    (void)of; /* in the arenas */
}

static size_t tensors(const struct source *s, const struct encoder *encoder,
                      struct model_tensor ret[SOURCE_TENSORS_MAX])
{
    const struct dense_head *h = s->state;
    (void)encoder;
    ret[0] = (struct model_tensor){.item = {"mean", "F32", 1, {h->dims}, h->mean}};
    ret[1] = (struct model_tensor){
        .item = {"directions", "F32", 2, {h->dims, h->components}, h->directions}};
    ret[2] = (struct model_tensor){
        .item = {"weights", "F32", 2, {1 + h->components, s->experts}, h->weights},
        .axis = 1,
        .parts = {{PART_EXPERTS, 0}}};
    return 3;
}

const struct source_kind dense_kind = {
    .ops = &dense_source,
    .create = create,
    .learn_late = learn,
    .penalise = penalise,
    .predict = predict,
    .finish = finish,
    .free = learner_free,
    .tensors = tensors,
};
