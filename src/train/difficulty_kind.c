/* One difficulty for all experts, written: it is put together by the prior (docs/prior.md), not learnt from a data
 * set's outcomes. */
#include "train/source_kind.h"

static enum status create(const struct source_training *in, struct source *s, void **ret,
                          struct error *err)
{
    (void)in;
    *ret = NULL;
    return error_set(err, ERR_UNSUPPORTED,
                     "source '%.*s': a difficulty is part of the base model and is not learnt here",
                     STR_FMT(s->name));
}

static void learner_free(void *of)
{
    (void)of; /* there is none */
}

static void describe(const struct source *s, struct buf *out)
{
    const struct difficulty_head *h = s->state;
    buf_addf(out, ",\"groups\":%zu,\"buckets\":%zu", h->groups, h->buckets);
}

static size_t tensors(const struct source *s, const struct encoder *encoder,
                      struct model_tensor ret[SOURCE_TENSORS_MAX])
{
    const struct difficulty_head *h = s->state;
    size_t width = difficulty_width(h->groups);
    (void)encoder;
    ret[0] = (struct model_tensor){.item = {"weights", "U16", 2, {h->buckets, width}, h->weights}};
    ret[1] = (struct model_tensor){.item = {"bias", "F32", 1, {width}, h->bias}};
    ret[2] = (struct model_tensor){
        .item = {"level", "F32", 1, {DIFFICULTY_LEVELS + h->groups}, h->level}};
    ret[3] = (struct model_tensor){
        .item = {"experts", "F32", 2, {DIFFICULTY_PARAMETERS + h->groups, s->experts}, h->experts},
        .axis = 1,
        .parts = {{PART_EXPERTS, 0}}};
    return 4;
}

const struct source_kind difficulty_kind = {
    .ops = &difficulty_source,
    .prior = {1, 1},
    .create = create,
    .free = learner_free,
    .describe = describe,
    .tensors = tensors,
};
