/* The learned numbers, and the one path from features to estimates that training, evaluation and the gateway share.
 *
 * Stages, in order (docs/orchestrator.md has the reasons):
 *   linear    n-grams → a logit per expert z_e, log-odds of the query's group, length of answers
 *   base      z_e and the group's log-odds g_e, each split into the experts' common level and an expert's deviation
 *             from it, weighted by four slopes fitted on held-out folds: the slopes of the deviations are the
 *             shrinkage that keeps near-equal experts from being chosen on noise
 *   trees     statistics of the text and what the linear stage said → corrections t_e
 *   calibrate base and corrections, again common and deviation, and per expert a scale and an offset (Platt 1999)
 *   tokens    characters and predicted length → input and output tokens per expert
 *
 * A predictor only points; whoever made it owns the memory. Shapes: E experts, G groups, W = linear_width(E, G). */
#pragma once

#include "encode/ngram_encoder.h"
#include "predict/doubt.h"
#include "predict/linear.h"
#include "predict/trees.h"

#define STACK_EXTRA    6                 /* dense features that come from the linear stage */
#define STACK_ENTROPY  (NGRAM_STATS + 3) /* of the predicted group; one of them */
#define DENSE_FEATURES (NGRAM_STATS + STACK_EXTRA)
#define SLOPES         4 /* first common, first deviation, second common, second deviation */
#define EXPERTS_MAX    256

enum token_parameter {
    TOKENS_IN_BASE,
    TOKENS_IN_PER_CHARACTER,
    TOKENS_OUT_BASE,
    TOKENS_OUT_LENGTH,
    TOKENS_OUT_LOG_CHARACTERS,
    TOKENS_OUT_SMEAR,
    TOKEN_PARAMETERS
};

struct predictor {
    struct linear_shape shape;
    const uint16_t *weights;    /* bfloat16 [NGRAM_BUCKETS × W] */
    const float *bias;          /* [W] */
    const float *group_quality; /* [G × E] mean score in the group */
    const float *contrast;      /* [E] unit direction from the weak experts to the strong */
    const float *base;          /* [E + SLOPES] intercepts, slopes */
    struct forest forest;
    const float *calibration; /* [SLOPES + 2E] slopes, scales, offsets */
    const float *tokens;      /* [E × TOKEN_PARAMETERS] */
    const float *doubt;       /* [DOUBT_TERMS] */
};

/* Dense features [DENSE_FEATURES] and base logits [E] from the linear stage's output [W] and the statistics. */
void predictor_stack(const struct predictor *p, const float *linear, const float *stats,
                     float *dense, float *first, float *second);
/* logits[e] = intercepts[e] + slopes · (common, deviation of first; common, deviation of second). */
void predictor_combine(size_t experts, const float *first, const float *second,
                       const float *intercepts, const float *slopes, float *logits);
/* Calibrated probabilities from base logits and tree corrections. */
void predictor_calibrate(const struct predictor *p, const float *base, const float *corrections,
                         float *quality);
/* Expected tokens of expert e; both at least 0, at most TOKENS_MAX. */
#define TOKENS_MAX 1e7f
void predictor_tokens(const struct predictor *p, size_t expert, float characters, float length,
                      float *input_tokens, float *output_tokens);

/* Everything at once: quality [E], input_tokens [E], output_tokens [E]; *doubt as doubt_quality_sd takes it. */
void predictor_run(const struct predictor *p, const struct features *f, float *quality,
                   float *input_tokens, float *output_tokens, float *doubt);
