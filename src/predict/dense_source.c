/* A head on an encoder's dense half, as a source: see model_source.h. */
#include "base/check.h"
#include "base/fmath.h"
#include "predict/model_read.h"
#include "predict/model_source.h"

static enum status read_tensors(struct dense_head *h, const struct source *s,
                                const struct source_file *in, struct error *err)
{
    const char *mean = source_tensor_name(s, "mean", in->arena),
               *directions = source_tensor_name(s, "directions", in->arena),
               *weights = source_tensor_name(s, "weights", in->arena);
    if (!mean || !directions || !weights)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = safetensors_dim(in->file, directions, 2, 1, &h->components, err);
    if (status != OK)
        return status;
    if (h->components == 0 || h->components > DENSE_COMPONENTS_MAX)
        return error_set(err, ERR_CORRUPT, "'%s' has %zu directions; 1 to %d are known", directions,
                         h->components, DENSE_COMPONENTS_MAX);
    status = model_read_floats(in->file, mean, h->dims, SIZE_MAX, 0, &h->mean, err);
    if (status == OK)
        status =
            model_read_floats(in->file, directions, h->dims, h->components, 0, &h->directions, err);
    if (status == OK)
        status = model_read_floats(in->file, weights, 1 + h->components, s->experts, 0, &h->weights,
                                   err);
    return status;
}

static enum status read_head(struct source *s, const struct source_file *in, struct error *err)
{
    struct dense_head *h = ARENA_NEW(in->arena, struct dense_head);
    if (!h)
        return error_set(err, ERR_MEMORY, "out of memory");
    if (s->encoder == NOWHERE || !in->encoders[s->encoder]->dense_count)
        return error_set(err, ERR_CORRUPT, "source '%.*s' has no encoder with a dense half",
                         STR_FMT(s->name));
    h->dims = in->encoders[s->encoder]->dense_count;
    s->columns = s->experts;
    s->state = h;
    return read_tensors(h, s, in, err);
}

/* The inner loops go over the components, so that they vectorise and each sum has one order. */
WIDE_LOOPS void dense_components(const struct dense_head *h, const float *x, float *components)
{
    CHECK(h->components <= DENSE_COMPONENTS_MAX);
    for (size_t k = 0; k < h->components; k++)
        components[k] = 0;
    for (size_t i = 0; i < h->dims; i++) {
        const float *direction = h->directions + i * h->components;
        float centred = x[i] - h->mean[i];
        for (size_t k = 0; k < h->components; k++)
            components[k] += centred * direction[k];
    }
}

WIDE_LOOPS void dense_logits(const struct dense_head *h, const float *components, size_t experts,
                             float *logits)
{
    memcpy(logits, h->weights, experts * sizeof(*logits));
    for (size_t k = 0; k < h->components; k++) {
        const float *weights = h->weights + (1 + k) * experts;
        for (size_t e = 0; e < experts; e++)
            logits[e] += components[k] * weights[e];
    }
}

static float run(const struct source *s, const struct source_view *v, float *columns, float *facts)
{
    const struct encoding *said = &v->said[s->encoder];
    float components[DENSE_COMPONENTS_MAX];
    (void)facts;
    if (said->silent)
        return SOURCE_SILENT;
    dense_components(s->state, said->dense, components);
    dense_logits(s->state, components, s->experts, columns);
    return 0;
}

const struct source_ops dense_source = {
    .kind = "dense",
    .late = true,
    .entropy_fact = NOWHERE,
    .read = read_head,
    .run = run,
};
