/* The groups of domains, learnt: mean scores, of a fold's rows to predict the others, of all rows for the model. */
#include <stdlib.h>

#include "base/check.h"
#include "base/json.h"
#include "train/groups.h"
#include "train/source_kind.h"

struct learner {
    struct source_training in;
    struct source source; /* as of the fold; its state is `head` */
    struct groups_head head;
    float *fold_quality, *quality; /* [groups × experts] */
};

static enum status create(const struct source_training *in, struct source *s, void **ret,
                          struct error *err)
{
    size_t groups = in->table->group_count, experts = in->table->experts;
    if (s->of == NOWHERE || in->before[s->of].ops != &linear_source)
        return error_set(err, ERR_INPUT, "source '%.*s' wants a linear source to be of",
                         STR_FMT(s->name));
    struct learner *l = ARENA_NEW(in->scratch, struct learner);
    if (!l)
        return error_set(err, ERR_MEMORY, "out of memory");
    *l = (struct learner){.in = *in,
                          .fold_quality = ARENA_ARRAY(in->scratch, groups * experts, float),
                          .quality = ARENA_ARRAY(in->keep, groups * experts, float)};
    if (groups && (!l->fold_quality || !l->quality))
        return error_set(err, ERR_MEMORY, "out of memory");
    s->columns = experts;
    l->source = *s;
    l->head = (struct groups_head){groups, l->fold_quality, NULL};
    l->source.state = &l->head;
    *ret = l;
    return OK;
}

static void learn(void *of, uint32_t *order, size_t count, float share, struct rng *rng)
{
    struct learner *l = of;
    const struct train_table *t = l->in.table;
    (void)share;
    (void)rng;
    groups_quality(t->targets, t->weights, t->groups, l->head.groups, t->experts, order, count,
                   l->fold_quality);
}

static void predict(const void *of, size_t row, const struct source_view *v, float *columns,
                    float *facts)
{
    const struct learner *l = of;
    (void)row;
    groups_source.run(&l->source, v, columns, facts);
}

static enum status finish(void *of, const uint32_t *order, size_t count, struct source *s,
                          struct error *err)
{
    struct learner *l = of;
    const struct train_table *t = l->in.table;
    struct groups_head *h = ARENA_NEW(l->in.keep, struct groups_head);
    if (!h)
        return error_set(err, ERR_MEMORY, "out of memory");
    groups_quality(t->targets, t->weights, t->groups, l->head.groups, t->experts, order, count,
                   l->quality);
    *h = (struct groups_head){l->head.groups, l->quality, NULL};
    s->state = h;
    return groups_names(t->dataset, t->groups, h->groups, l->in.keep, &h->names, err);
}

static void learner_free(void *of)
{
    (void)of; /* in the arenas */
}

static size_t tensors(const struct source *s, const struct encoder *encoder,
                      struct model_tensor ret[SOURCE_TENSORS_MAX])
{
    const struct groups_head *h = s->state;
    (void)encoder;
    ret[0] =
        (struct model_tensor){.item = {"quality", "F32", 2, {h->groups, s->experts}, h->quality},
                              .axis = 1,
                              .parts = {{PART_EXPERTS, 0}}};
    return 1;
}

static void describe(const struct source *s, struct buf *out)
{
    const struct groups_head *h = s->state;
    for (size_t g = 0; h->names && g < h->groups; g++) {
        buf_add_c(out, g ? "," : ",\"names\":[");
        json_write_string(out, h->names[g]);
    }
    if (h->names && h->groups)
        buf_add_char(out, ']');
}

const struct source_kind groups_kind = {
    .ops = &groups_source,
    .prior = {0.5, 0.5},
    .create = create,
    .learn = learn,
    .predict = predict,
    .finish = finish,
    .free = learner_free,
    .describe = describe,
    .tensors = tensors,
};
