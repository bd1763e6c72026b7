/* An encoder and a kind of source that a program brings itself. The encoder says whether a text has an odd number of
 * bytes, which no n-gram knows; it answers at once or, where it is told to, later. The source learns each expert's mean
 * score on either side. */
#pragma once

#include <math.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "predict/model_read.h"
#include "train/source_kind.h"

/* The encoder */

struct encode_task {
    float *work, odd;
    struct encoding *ret;
    encode_done *done;
    void *arg;
};

static bool toy_waits;
static struct encode_task *toy_task; /* the one under way */

static inline void *toy_create(const struct encoder *e)
{
    (void)e;
    return calloc(1, sizeof(float));
}

static inline enum status toy_encode(const struct encoder *e, void *work, struct str text,
                                     struct encoding *ret, struct error *err)
{
    (void)e;
    (void)err;
    float *odd = work;
    *odd = (float)(text.len % 2);
    *ret = (struct encoding){.dense = odd};
    return OK;
}

static inline enum status toy_begin(const struct encoder *e, void *work, struct str text,
                                    struct encoding *ret, const struct encode_listener *l,
                                    struct encode_task **ret_task, struct error *err)
{
    if (!toy_waits)
        return toy_encode(e, work, text, ret, err);
    *ret_task = toy_task = malloc(sizeof(*toy_task));
    *toy_task = (struct encode_task){work, (float)(text.len % 2), ret, l->done, l->arg};
    return AGAIN;
}

static inline void toy_cancel(struct encode_task *task)
{
    cr_assert_eq(task, toy_task);
    free(task);
    toy_task = NULL;
}

static inline void toy_answer(void)
{
    struct encode_task t = *toy_task;
    toy_cancel(toy_task);
    *t.work = t.odd;
    *t.ret = (struct encoding){.dense = t.work};
    t.done(OK, NULL, t.arg);
}

static const struct encoder toy_encoder = {.name = "parity",
                                           .fingerprint = "parity/1",
                                           .dense_count = 1,
                                           .work_create = toy_create,
                                           .work_free = free,
                                           .encode = toy_encode,
                                           .begin = toy_begin,
                                           .cancel = toy_cancel};

/* The source: logits [2 × experts] */

static inline enum status toy_read(struct source *s, const struct source_file *in,
                                   struct error *err)
{
    const char *name = source_tensor_name(s, "logits", in->arena);
    s->columns = s->experts;
    return model_read_floats(in->file, name, 2, s->experts, 0, (const float **)&s->state, err);
}

static inline float toy_run(const struct source *s, const struct source_view *v, float *columns,
                            float *facts)
{
    const float *logits = s->state;
    size_t side = v->said[s->encoder].dense[0] > 0.5f;
    (void)facts;
    for (size_t e = 0; e < s->experts; e++)
        columns[e] = logits[side * s->experts + e];
    return 0;
}

static const struct source_ops toy_ops = {
    .kind = "sides", .entropy_fact = NOWHERE, .read = toy_read, .run = toy_run};

struct toy_learner {
    struct source_training in;
    struct source source; /* its state is `logits` */
    float *logits;
};

static inline enum status toy_learner_create(const struct source_training *in, struct source *s,
                                             void **ret, struct error *err)
{
    struct toy_learner *l = ARENA_NEW(in->keep, struct toy_learner);
    (void)err;
    s->columns = s->experts;
    *l = (struct toy_learner){
        .in = *in, .source = *s, .logits = ARENA_ARRAY(in->keep, 2 * s->experts, float)};
    l->source.state = l->logits;
    *ret = l;
    return OK;
}

static inline void toy_fit(struct toy_learner *l, const uint32_t *order, size_t count)
{
    const struct train_table *t = l->in.table;
    const float *odd = t->encoded[l->source.encoder].dense;
    for (size_t k = 0; k < 2 * t->experts; k++) {
        double sum = 1, known = 2;
        for (size_t i = 0; i < count; i++)
            if (odd[order[i]] == (float)(k / t->experts)) {
                sum += (double)t->scores[order[i] * t->experts + k % t->experts];
                known++;
            }
        l->logits[k] = (float)log(sum / (known - sum));
    }
}

static inline void toy_learn(void *learner, uint32_t *order, size_t count, float share,
                             struct rng *rng)
{
    (void)share;
    (void)rng;
    toy_fit(learner, order, count);
}

static inline void toy_predict(const void *learner, size_t row, const struct source_view *v,
                               float *columns, float *facts)
{
    const struct toy_learner *l = learner;
    (void)row;
    toy_run(&l->source, v, columns, facts);
}

static inline enum status toy_finish(void *learner, const uint32_t *order, size_t count,
                                     struct source *s, struct error *err)
{
    struct toy_learner *l = learner;
    (void)err;
    toy_fit(l, order, count);
    s->state = l->logits;
    return OK;
}

static inline void toy_learner_free(void *learner)
{
    (void)learner;
}

static inline size_t toy_tensors(const struct source *s, const struct encoder *encoder,
                                 struct model_tensor ret[SOURCE_TENSORS_MAX])
{
    cr_assert_eq(encoder, &toy_encoder);
    ret[0] = (struct model_tensor){.item = {"logits", "F32", 2, {2, s->experts}, s->state},
                                   .axis = 1,
                                   .parts = {{PART_EXPERTS, 0}}};
    return 1;
}

static const struct source_kind toy_kind = {.ops = &toy_ops,
                                            .prior = {0.5, 0.5},
                                            .create = toy_learner_create,
                                            .learn = toy_learn,
                                            .predict = toy_predict,
                                            .finish = toy_finish,
                                            .free = toy_learner_free,
                                            .tensors = toy_tensors};

static inline void toy_register(void)
{
    cr_assert_eq(encoder_register(&toy_encoder, NULL), OK);
    cr_assert_eq(source_kind_register(&toy_kind, NULL), OK);
}
