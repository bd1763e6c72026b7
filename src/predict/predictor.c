/* Features → estimates; see predictor.h for the stages. */
#include "predict/predictor.h"

#include <math.h>

#include "base/check.h"
#include "predict/fmath.h"

static float logit(float p)
{
    p = p < 1e-4f ? 1e-4f : p > 1 - 1e-4f ? 1 - 1e-4f : p;
    return logf(p / (1 - p));
}

static float mean(const float *x, size_t n)
{
    float sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return n ? sum / (float)n : 0;
}

/* How sure the linear stage is of the group: the largest posterior and the entropy, and the posterior itself. */
static void group_posterior(const float *z, size_t groups, float *posterior, float *top,
                            float *entropy)
{
    float highest = -INFINITY, sum = 0;
    for (size_t g = 0; g < groups; g++)
        highest = z[g] > highest ? z[g] : highest;
    for (size_t g = 0; g < groups; g++)
        sum += posterior[g] = fmath_exp(z[g] - highest);
    *top = *entropy = 0;
    for (size_t g = 0; g < groups; g++) {
        posterior[g] /= sum;
        *top = posterior[g] > *top ? posterior[g] : *top;
        *entropy -= posterior[g] * logf(posterior[g] + 1e-9f);
    }
}

static void mix_groups(const struct predictor *p, const float *posterior, float *logits)
{
    size_t experts = p->shape.experts;
    for (size_t e = 0; e < experts; e++) {
        float sum = 0;
        for (size_t g = 0; g < p->shape.groups; g++)
            sum += posterior[g] * p->group_quality[g * experts + e];
        logits[e] = p->shape.groups ? logit(sum) : 0;
    }
}

static float project(const float *x, const float *direction, size_t n)
{
    float sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * direction[i];
    return sum;
}

void predictor_stack(const struct predictor *p, const float *linear, const float *stats,
                     float *dense, float *first, float *second)
{
    size_t experts = p->shape.experts;
    float posterior[LINEAR_GROUPS_MAX], top, entropy;
    memcpy(first, linear, experts * sizeof(*first));
    group_posterior(linear + experts, p->shape.groups, posterior, &top, &entropy);
    mix_groups(p, posterior, second);
    memcpy(dense, stats, NGRAM_STATS * sizeof(*dense));
    float *extra = dense + NGRAM_STATS;
    extra[0] = mean(first, experts);
    extra[1] = mean(second, experts);
    extra[2] = top;
    extra[3] = entropy;
    extra[4] = project(first, p->contrast, experts);
    extra[5] = project(second, p->contrast, experts);
}

void predictor_combine(size_t experts, const float *first, const float *second,
                       const float *intercepts, const float *slopes, float *logits)
{
    float c1 = mean(first, experts), c2 = mean(second, experts);
    float common = slopes[0] * c1 + slopes[2] * c2;
    for (size_t e = 0; e < experts; e++)
        logits[e] =
            intercepts[e] + common + slopes[1] * (first[e] - c1) + slopes[3] * (second[e] - c2);
}

void predictor_calibrate(const struct predictor *p, const float *base, const float *corrections,
                         float *quality)
{
    static const float no_intercepts[EXPERTS_MAX];
    size_t experts = p->shape.experts;
    const float *scales = p->calibration + SLOPES, *offsets = scales + experts;
    predictor_combine(experts, base, corrections, no_intercepts, p->calibration, quality);
    for (size_t e = 0; e < experts; e++) {
        float q = fmath_sigmoid(scales[e] * quality[e] + offsets[e]);
        quality[e] = q >= 0 && q <= 1 ? q : 0; /* also a NaN out of a forged model */
    }
}

static float clamp_tokens(float tokens)
{
    return tokens >= 0 ? (tokens < TOKENS_MAX ? tokens : TOKENS_MAX) : 0;
}

void predictor_tokens(const struct predictor *p, size_t expert, float characters, float length,
                      float *input_tokens, float *output_tokens)
{
    const float *t = p->tokens + expert * TOKEN_PARAMETERS;
    *input_tokens = clamp_tokens(t[TOKENS_IN_BASE] + t[TOKENS_IN_PER_CHARACTER] * characters);
    float log_out = t[TOKENS_OUT_BASE] + t[TOKENS_OUT_LENGTH] * length +
                    t[TOKENS_OUT_LOG_CHARACTERS] * log1pf(characters);
    *output_tokens = clamp_tokens(t[TOKENS_OUT_SMEAR] * fmath_exp(log_out) - 1);
}

void predictor_run(const struct predictor *p, const struct features *f, float *quality,
                   float *input_tokens, float *output_tokens, float *doubt)
{
    size_t experts = p->shape.experts;
    const struct encoding *words = &f->said[0];
    float linear[LINEAR_WIDTH_MAX], dense[DENSE_FEATURES];
    float first[EXPERTS_MAX], second[EXPERTS_MAX], base[EXPERTS_MAX],
        corrections[EXPERTS_MAX] = {0};
    CHECK(p->shape.width <= LINEAR_WIDTH_MAX);
    float novelty = linear_predict_bf16(p->weights, p->bias, p->shape.width, words->buckets,
                                        words->values, words->count, linear);
    predictor_stack(p, linear, words->dense, dense, first, second);
    predictor_combine(experts, first, second, p->base, p->base + experts, base);
    forest_predict(&p->forest, dense, corrections);
    predictor_calibrate(p, base, corrections, quality);
    *doubt = doubt_share(p->doubt, mean(quality, experts), dense[STACK_ENTROPY], novelty);
    float length = linear[experts + p->shape.groups];
    for (size_t e = 0; e < experts; e++)
        predictor_tokens(p, e, (float)f->characters, length, &input_tokens[e], &output_tokens[e]);
}
