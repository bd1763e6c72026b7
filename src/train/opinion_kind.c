/* A language model's opinion, calibrated: for each expert a slope on the log-probability of its label, and slopes on
 * what tells how certain the model is, pulled to what is common to the experts (fit/common_fit.h). What a label is
 * worth is much the same for all; how far an expert gains by an easy question is its own. A learner belongs to one
 * training and its thread. The encoder's labels stand in the order of the experts that are trained. */
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "fit/common_fit.h"
#include "train/source_kind.h"

#define COMMON_RIDGE    1.0
#define PENALTY_DEFAULT 100.0
#define TINY            1e-6

struct learner {
    struct source_training in;
    struct opinion_head head; /* of the rows that were learnt last; its arrays are the four below */
    float *label, *shift, *scale, *weights;
    float *own, *shared; /* [rows × experts], [rows × certainties] as common_fit.h has them */
    const float *dense;  /* [rows × (labels + certainties)] */
    double penalty;
};

static enum status allocate(struct learner *l, struct error *err)
{
    struct arena *a = l->in.scratch;
    size_t rows = l->in.table->rows, experts = l->in.table->experts, n = l->head.certainties;
    l->head.label = l->label = ARENA_ARRAY(a, experts, float);
    l->head.shift = l->shift = ARENA_ARRAY(a, n + 1, float);
    l->head.scale = l->scale = ARENA_ARRAY(a, n + 1, float);
    l->head.weights = l->weights = ARENA_ARRAY(a, (2 + n) * experts, float);
    l->own = ARENA_ARRAY(a, rows * experts, float);
    l->shared = ARENA_ARRAY(a, rows * n + 1, float);
    return l->label && l->shift && l->scale && l->weights && l->own && l->shared
               ? OK
               : error_set(err, ERR_MEMORY, "out of memory");
}

static void fill_own(struct learner *l)
{
    size_t experts = l->in.table->experts, width = l->head.labels + l->head.certainties;
    for (size_t e = 0; e < experts; e++)
        l->label[e] = (float)(1 + e);
    for (size_t i = 0; i < l->in.table->rows; i++)
        for (size_t e = 0; e < experts; e++)
            l->own[i * experts + e] =
                opinion_centred(l->dense + i * width, l->head.labels, l->label[e]);
}

static enum status create(const struct source_training *in, struct source *s, void **ret,
                          struct error *err)
{
    size_t experts = in->table->experts;
    const struct encoded_rows *said =
        s->encoder == NOWHERE ? NULL : &in->table->encoded[s->encoder];
    if (!said || said->encoder->dense_count < experts ||
        said->encoder->dense_count - experts >= COMMON_FIT_TERMS_MAX)
        return error_set(err, ERR_INPUT,
                         "source '%.*s' wants an encoder with a number for each of %zu experts, "
                         "and at most %d beside",
                         STR_FMT(s->name), experts, COMMON_FIT_TERMS_MAX - 1);
    struct learner *l = ARENA_NEW(in->scratch, struct learner);
    if (!l)
        return error_set(err, ERR_MEMORY, "out of memory");
    *l = (struct learner){
        .in = *in,
        .head = {.labels = experts, .certainties = said->encoder->dense_count - experts},
        .dense = said->dense,
        .penalty = PENALTY_DEFAULT};
    s->columns = experts;
    *ret = l;
    enum status status = allocate(l, err);
    if (status == OK)
        fill_own(l);
    return status;
}

static void penalise(void *of, double penalty)
{
    ((struct learner *)of)->penalty = penalty;
}

/* Certainty k of a row. */
static double certainty(const struct learner *l, size_t row, size_t k)
{
    return (double)l->dense[row * (l->head.labels + l->head.certainties) + l->head.labels + k];
}

/* Mean and spread of each certainty over the rows that are learnt; one that never changes counts for nothing. */
static void standardise(struct learner *l, const uint32_t *order, size_t count)
{
    size_t n = l->head.certainties;
    for (size_t k = 0; k < n; k++) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < count; i++)
            sum += certainty(l, order[i], k) / (double)count;
        for (size_t i = 0; i < count; i++)
            squares += pow(certainty(l, order[i], k) - sum, 2) / (double)count;
        l->shift[k] = (float)sum;
        l->scale[k] = squares > TINY ? (float)(1 / sqrt(squares)) : 0;
        for (size_t i = 0; i < l->in.table->rows; i++)
            l->shared[i * n + k] = ((float)certainty(l, i, k) - l->shift[k]) * l->scale[k];
    }
}

static enum status learn(void *of, const uint32_t *order, size_t count, struct error *err)
{
    struct learner *l = of;
    const struct train_table *t = l->in.table;
    standardise(l, order, count);
    const struct common_sample sample = {.own = l->own,
                                         .shared = l->shared,
                                         .terms = 1 + l->head.certainties,
                                         .order = order,
                                         .count = count,
                                         .targets = t->targets,
                                         .weights = t->weights,
                                         .experts = t->experts};
    return fit_common_logistic(&sample, l->penalty, COMMON_RIDGE, l->weights, err);
}

static void predict(const void *of, size_t row, const struct source_view *v, float *columns,
                    float *facts)
{
    const struct learner *l = of;
    (void)v;
    (void)facts;
    opinion_logits(&l->head, l->dense + row * (l->head.labels + l->head.certainties),
                   l->in.table->experts, columns);
}

static const float *keep(struct arena *a, const float *from, size_t count)
{
    float *to = ARENA_ARRAY(a, count + 1, float);
    return to ? memcpy(to, from, count * sizeof(*to)) : NULL;
}

static enum status finish(void *of, const uint32_t *order, size_t count, struct source *s,
                          struct error *err)
{
    struct learner *l = of;
    struct arena *a = l->in.keep;
    size_t n = l->head.certainties;
    struct opinion_head *h = ARENA_NEW(a, struct opinion_head);
    enum status status =
        h ? learn(l, order, count, err) : error_set(err, ERR_MEMORY, "out of memory");
    if (status != OK)
        return status;
    *h = (struct opinion_head){l->head.labels,
                               n,
                               keep(a, l->label, s->experts),
                               keep(a, l->shift, n),
                               keep(a, l->scale, n),
                               keep(a, l->weights, (2 + n) * s->experts)};
    s->state = h;
    return h->label && h->shift && h->scale && h->weights
               ? OK
               : error_set(err, ERR_MEMORY, "out of memory");
}

static void learner_free(void *of)
{
    (void)of; /* in the arenas */
}

static size_t tensors(const struct source *s, const struct encoder *encoder,
                      struct model_tensor ret[SOURCE_TENSORS_MAX])
{
    const struct opinion_head *h = s->state;
    (void)encoder;
    ret[0] = (struct model_tensor){.item = {"label", "F32", 1, {s->experts}, h->label},
                                   .parts = {{PART_EXPERTS, 0}}};
    ret[1] = (struct model_tensor){.item = {"shift", "F32", 1, {h->certainties}, h->shift}};
    ret[2] = (struct model_tensor){.item = {"scale", "F32", 1, {h->certainties}, h->scale}};
    ret[3] = (struct model_tensor){
        .item = {"weights", "F32", 2, {2 + h->certainties, s->experts}, h->weights},
        .axis = 1,
        .parts = {{PART_EXPERTS, 0}}};
    return 4;
}

const struct source_kind opinion_kind = {
    .ops = &opinion_source,
    .create = create,
    .learn_late = learn,
    .penalise = penalise,
    .predict = predict,
    .finish = finish,
    .free = learner_free,
    .tensors = tensors,
};
