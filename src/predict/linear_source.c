/* The linear head as a source: see model_source.h. */
#include "base/check.h"
#include "predict/linear.h"
#include "predict/model_read.h"
#include "predict/model_source.h"

_Static_assert(SOURCE_COLUMNS_MAX == LINEAR_WIDTH_MAX, "the widest head has room");

static enum status read_tensors(struct linear_head *h, const struct source *s,
                                const struct source_file *in, struct error *err)
{
    const char *weights = source_tensor_name(s, "weights", in->arena),
               *bias = source_tensor_name(s, "bias", in->arena);
    size_t shape[2] = {in->encoders[s->encoder]->bucket_count, h->width};
    if (!weights || !bias)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = model_read_floats(in->file, bias, h->width, SIZE_MAX, 0, &h->bias, err);
    if (status == OK)
        status =
            safetensors_get(in->file, weights, "U16", shape, 2, (const void **)&h->weights, err);
    return status;
}

static enum status read_head(struct source *s, const struct source_file *in, struct error *err)
{
    int64_t groups;
    struct linear_head *h = ARENA_NEW(in->arena, struct linear_head);
    if (!h)
        return error_set(err, ERR_MEMORY, "out of memory");
    if (s->encoder == NOWHERE || !in->encoders[s->encoder]->bucket_count)
        return error_set(err, ERR_CORRUPT, "source '%.*s' has no encoder with buckets",
                         STR_FMT(s->name));
    if (json_to_int64(json_get(in->item, "groups"), &groups) != OK || groups < 0 ||
        groups > LINEAR_GROUPS_MAX)
        return error_set(err, ERR_CORRUPT, "source '%.*s' is not described well", STR_FMT(s->name));
    *h = (struct linear_head){.groups = (size_t)groups,
                              .width = linear_width(s->experts, (size_t)groups)};
    s->columns = h->width;
    s->length_at = s->experts + h->groups;
    s->state = h;
    return read_tensors(h, s, in, err);
}

static float run(const struct source *s, const struct source_view *v, float *columns, float *facts)
{
    const struct linear_head *h = s->state;
    const struct encoding *said = &v->said[s->encoder];
    (void)facts;
    DEBUG_CHECK(h->width == s->columns);
    return linear_predict_bf16(h->weights, h->bias, h->width, said->buckets, said->values,
                               said->count, columns);
}

const struct source_ops linear_source = {
    .kind = "linear",
    .entropy_fact = NOWHERE,
    .read = read_head,
    .run = run,
};
