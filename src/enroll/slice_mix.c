/* Why a mix of logits is a mix of numbers: before its own scale s_e and offset o_e an expert's logit is what all have
 * in common plus a term that is linear in its own numbers (predict/predictor.h). So Σ w_e (s_e c_e + o_e) is that of an
 * expert with the scale S = Σ w_e s_e, the offset Σ w_e o_e, and the others' numbers mixed by w_e s_e / S, which sum to
 * one. What depends on a group goes into what its source keeps of groups. What is not linear, a source's mean scores
 * of groups, is mixed as logits; enroll.c measures what is left and mends the offset. */
#include "enroll/slice_mix.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "predict/model_parts.h"
#include "train/linear_train.h"

#define SLOPE_MIN 0.05 /* of deviations: less cannot carry what is a group's own */

struct mixing {
    const struct model_parts *parts;
    const struct standing *standing;
    size_t known;
    struct expert_parameters *taken; /* [known] */
    double mix[MODEL_EXPERTS_MAX], scale, offset;
};

static float from_bf16(uint16_t half)
{
    uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static double number(const struct expert_slice *s, size_t i)
{
    return s->is_floats ? (double)((const float *)s->data)[i]
                        : (double)from_bf16(((const uint16_t *)s->data)[i]);
}

/* Floats and bfloat16 are all that an expert's tensors hold. */
static void mix_slice(const struct mixing *x, const double *weights, size_t k,
                      struct expert_slice *to)
{
    size_t width = to->is_floats ? sizeof(float) : sizeof(uint16_t);
    for (size_t i = 0; i < to->bytes / width; i++) {
        double sum = 0;
        for (size_t e = 0; e < x->known; e++)
            if (weights[e] != 0)
                sum += weights[e] * number(&x->taken[e].slices[k], i);
        if (to->is_floats)
            ((float *)to->data)[i] = (float)sum;
        else
            ((uint16_t *)to->data)[i] = linear_to_bf16((float)sum);
    }
}

/* Tokens and costs are mixed by who is of its level: these are no matter of skill, and must not be negative. */
static bool is_habit(const char *tensor)
{
    return !strncmp(tensor, "tokens", 6) || !strcmp(tensor, "sample.cost_usd");
}

static enum status mix_all(struct mixing *x, struct arena *a, struct expert_parameters *ret,
                           struct error *err)
{
    *ret = x->taken[0];
    ret->slices = ARENA_ARRAY(a, ret->slice_count, struct expert_slice);
    if (!ret->slices)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t k = 0; k < ret->slice_count; k++) {
        ret->slices[k] = x->taken[0].slices[k];
        ret->slices[k].data = arena_alloc(a, ret->slices[k].bytes + 1);
        if (!ret->slices[k].data)
            return error_set(err, ERR_MEMORY, "out of memory");
        mix_slice(x, is_habit(ret->slices[k].tensor) ? x->standing->share : x->mix, k,
                  &ret->slices[k]);
    }
    return OK;
}

/* How much a logit of source s is in the newcomer's. */
static double carried(const struct mixing *x, size_t s)
{
    const struct predictor *p = &x->parts->predictor;
    return x->scale * (double)p->calibration[1] *
           (double)p->base[p->experts + LEVEL_SLOPES * s + 1];
}

static double clamped(double x)
{
    return fmax(-6, fmin(6, x));
}

static void mix_groups(const struct mixing *x, size_t s, const char *name, float *quality,
                       size_t groups)
{
    double carry = carried(x, s);
    for (size_t g = 0; g < groups; g++) {
        double z = 0;
        size_t n;
        for (size_t e = 0; e < x->known; e++)
            z +=
                x->mix[e] * seen_logit((double)expert_parameters_floats(&x->taken[e], name, &n)[g]);
        if (carry > SLOPE_MIN)
            z += clamped(x->standing->groups[g] / carry);
        quality[g] = (float)seen_sigmoid(z);
    }
}

static void own_groups(const struct mixing *x, struct expert_parameters *p)
{
    const struct predictor *is = &x->parts->predictor;
    for (size_t s = 0; s < is->source_count; s++) {
        const struct source *source = &is->sources[s];
        bool groups = source->ops == &groups_source;
        char name[128];
        size_t n = 0;
        snprintf(name, sizeof(name), "source.%.*s.%s", STR_FMT(source->name),
                 groups ? "quality" : "experts");
        float *numbers = expert_parameters_floats(p, name, &n);
        if (numbers && groups)
            mix_groups(x, s, name, numbers, n);
        else if (numbers && source->ops == &difficulty_source && carried(x, s) > SLOPE_MIN)
            for (size_t g = 0; g + DIFFICULTY_PARAMETERS < n; g++)
                numbers[DIFFICULTY_PARAMETERS + g] +=
                    (float)clamped(x->standing->groups[g] / carried(x, s));
    }
}

/* Estimates of the sample, in which the group is not known: the place's, with what groups add on average. */
static void mix_sample(const struct mixing *x, const struct expert_parameters *p)
{
    size_t n = 0, arms = x->parts->listed + x->parts->plans.count;
    float *quality = expert_parameters_floats(p, "sample.quality", &n);
    for (size_t i = 0; quality && i < n; i++) {
        double z = x->standing->sample_offset;
        for (size_t e = 0; e < x->known; e++)
            z += x->standing->weights[e] *
                 seen_logit((double)x->parts->sample_quality[i * arms + e]);
        quality[i] = (float)seen_sigmoid(z);
    }
}

static void find_mix(struct mixing *x)
{
    const float *scales = x->parts->predictor.calibration + CALIBRATION_SLOPES;
    const float *offsets = scales + x->parts->predictor.experts;
    for (size_t e = 0; e < x->known; e++) {
        size_t column = x->parts->column[e];
        x->scale += x->standing->weights[e] * (double)scales[column];
        x->offset += x->standing->weights[e] * (double)offsets[column];
    }
    for (size_t e = 0; e < x->known; e++)
        x->mix[e] = x->standing->weights[e] * (double)scales[x->parts->column[e]] / x->scale;
}

enum status slice_mix(const struct model *m, const struct standing *standing, struct arena *a,
                      struct expert_parameters *ret, struct error *err)
{
    struct mixing x = {
        .parts = model_parts(m), .standing = standing, .known = model_expert_count(m)};
    size_t n = 0;
    enum status status = OK;
    x.taken = ARENA_ARRAY(a, x.known, struct expert_parameters);
    if (!x.taken)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t e = 0; e < x.known && status == OK; e++)
        status = expert_parameters_take(m, e, a, &x.taken[e], err);
    if (status != OK)
        return status;
    find_mix(&x);
    status = mix_all(&x, a, ret, err);
    if (status != OK)
        return status;
    own_groups(&x, ret);
    mix_sample(&x, ret);
    float *calibration = expert_parameters_floats(ret, "stack.calibration", &n);
    if (calibration && n == 2) {
        calibration[0] = (float)x.scale;
        calibration[1] = (float)(x.offset + standing->offset);
    }
    return OK;
}

void slice_move(const struct expert_parameters *p, double by)
{
    size_t n = 0;
    float *calibration = expert_parameters_floats(p, "stack.calibration", &n);
    if (calibration && n == 2)
        calibration[1] = (float)((double)calibration[1] + by);
    float *quality = expert_parameters_floats(p, "sample.quality", &n);
    for (size_t i = 0; quality && i < n; i++)
        quality[i] = (float)seen_sigmoid(seen_logit((double)quality[i]) + by);
}
