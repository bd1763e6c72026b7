/* A language model's opinion as a source: see model_source.h. */
#include <math.h>

#include "base/check.h"
#include "predict/model_read.h"
#include "predict/model_source.h"

static enum status read_tensors(struct opinion_head *h, const struct source *s,
                                const struct source_file *in, struct error *err)
{
    const char *label = source_tensor_name(s, "label", in->arena),
               *shift = source_tensor_name(s, "shift", in->arena),
               *scale = source_tensor_name(s, "scale", in->arena),
               *weights = source_tensor_name(s, "weights", in->arena);
    size_t says = in->encoders[s->encoder]->dense_count;
    if (!label || !shift || !scale || !weights)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = safetensors_dim(in->file, shift, 1, 0, &h->certainties, err);
    if (status == OK && h->certainties >= says)
        status =
            error_set(err, ERR_CORRUPT, "'%s' leaves no labels of the %zu numbers", shift, says);
    if (status != OK)
        return status;
    h->labels = says - h->certainties;
    status = model_read_floats(in->file, label, s->experts, SIZE_MAX, 0, &h->label, err);
    if (status == OK)
        status = model_read_floats(in->file, shift, h->certainties, SIZE_MAX, 0, &h->shift, err);
    if (status == OK)
        status = model_read_floats(in->file, scale, h->certainties, SIZE_MAX, 0, &h->scale, err);
    if (status == OK)
        status = model_read_floats(in->file, weights, 2 + h->certainties, s->experts, 0,
                                   &h->weights, err);
    return status;
}

static enum status read_head(struct source *s, const struct source_file *in, struct error *err)
{
    struct opinion_head *h = ARENA_NEW(in->arena, struct opinion_head);
    if (!h)
        return error_set(err, ERR_MEMORY, "out of memory");
    if (s->encoder == NOWHERE || !in->encoders[s->encoder]->dense_count)
        return error_set(err, ERR_CORRUPT, "source '%.*s' has no encoder with a dense half",
                         STR_FMT(s->name));
    s->columns = s->experts;
    s->state = h;
    return read_tensors(h, s, in, err);
}

/* Also of a forged label, which names none. */
float opinion_centred(const float *dense, size_t labels, float label)
{
    float sum = 0;
    if (!(label >= 1 && label <= (float)labels))
        return 0;
    for (size_t i = 0; i < labels; i++)
        sum += dense[i];
    return dense[(size_t)label - 1] - sum / (float)labels;
}

void opinion_logits(const struct opinion_head *h, const float *dense, size_t experts, float *logits)
{
    const float *certainty = dense + h->labels;
    for (size_t e = 0; e < experts; e++) {
        const float *w = h->weights + e;
        logits[e] = w[0] + w[experts] * opinion_centred(dense, h->labels, h->label[e]);
        if (!(h->label[e] >= 1))
            logits[e] = NAN;
    }
    for (size_t k = 0; k < h->certainties; k++) {
        float x = (certainty[k] - h->shift[k]) * h->scale[k];
        for (size_t e = 0; e < experts; e++)
            logits[e] += h->weights[(2 + k) * experts + e] * x;
    }
}

static float run(const struct source *s, const struct source_view *v, float *columns, float *facts)
{
    const struct encoding *said = &v->said[s->encoder];
    (void)facts;
    if (said->silent)
        return SOURCE_SILENT;
    opinion_logits(s->state, said->dense, s->experts, columns);
    return 0;
}

const struct source_ops opinion_source = {
    .kind = "opinion",
    .late = true,
    .entropy_fact = NOWHERE,
    .read = read_head,
    .run = run,
};
