/* The linear half of the predictor: one weight row per n-gram bucket, one column per head (learnt by
 * linear_train.h). Heads, side by side so that one pass over a query's buckets serves all:
 *
 *   [0, experts)                 logit of a good answer
 *   [experts, experts + groups)  logits of the query's group (a cluster of domains)
 *   [experts + groups]           how long answers are, in standard deviations
 *
 * Shapes: weights [buckets of the encoder × width], bias float [width]; width is heads rounded up to 16. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LINEAR_GROUPS_MAX 16
#define LINEAR_WIDTH_STEP 16
#define LINEAR_WIDTH_MAX  (256 + LINEAR_GROUPS_MAX + LINEAR_WIDTH_STEP)

struct linear_shape {
    size_t experts, groups;
    size_t width; /* of linear_width() */
};

size_t linear_width(size_t experts, size_t groups);

/* out[width] = bias + Σ value · row, over bfloat16 weights, as the model file keeps them. Returns the novelty. */
float linear_predict_bf16(const uint16_t *weights, const float *bias, size_t width,
                          const uint32_t *buckets, const float *values, size_t count, float *out);

/* Share of a text's squared values in buckets that training never saw: their weights are all zero. */
float linear_novelty_bf16(const uint16_t *weights, size_t width, const uint32_t *buckets,
                          const float *values, size_t count);
