/* The linear half of the predictor: one weight row per n-gram bucket, one column per head, trained online with
 * AdaGrad (Duchi et al. 2011). Heads, side by side so that one pass over a query's buckets serves all:
 *
 *   [0, experts)                 logit of a good answer, logistic loss, missing labels allowed
 *   [experts, experts + groups)  logits of the query's group (a cluster of domains), softmax loss
 *   [experts + groups]           how long answers are, in standard deviations, squared loss
 *
 * Shapes: weights float [ENCODE_BUCKETS × width], bias float [width]; width is heads rounded up to 16. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/rng.h"

#define LINEAR_GROUPS_MAX 16
#define LINEAR_WIDTH_STEP 16
#define LINEAR_WIDTH_MAX  (256 + LINEAR_GROUPS_MAX + LINEAR_WIDTH_STEP)

struct linear_shape {
    size_t experts, groups;
    size_t width; /* of linear_width() */
};

size_t linear_width(size_t experts, size_t groups);

/* Encoded queries, one after the other: query i has buckets[starts[i] .. starts[i + 1]). */
struct sparse_rows {
    const uint32_t *buckets;
    const float *values;
    const size_t *starts; /* [rows + 1] */
};

struct linear_targets {
    const float *scores;   /* [rows × experts]; negative: unknown */
    const uint8_t *groups; /* [rows]; 255: unknown; NULL without groups */
    const float *lengths;  /* [rows]; NAN: unknown */
};

struct linear_options {
    unsigned epochs;           /* 2 */
    float learning_rate;       /* 0.08 */
    float group_learning_rate; /* 0.8; of the softmax, whose gradients are small */
};

/* Trains on `order[count]` (row indices, shuffled in place for every epoch by `rng`). `weights` and `bias` are
 * overwritten; `scratch` holds 3 floats per bucket. Deterministic. */
void linear_train(const struct linear_shape *shape, const struct sparse_rows *rows,
                  const struct linear_targets *targets, const struct linear_options *options,
                  uint32_t *order, size_t count, struct rng *rng, float *weights, float *bias,
                  float *scratch);

/* out[width] = bias + Σ value · row. */
void linear_predict(const float *weights, const float *bias, size_t width, const uint32_t *buckets,
                    const float *values, size_t count, float *out);

/* The same over bfloat16 weights, as the model file keeps them. Returns the novelty. */
float linear_predict_bf16(const uint16_t *weights, const float *bias, size_t width,
                          const uint32_t *buckets, const float *values, size_t count, float *out);

/* Share of a text's squared values in buckets that training never saw: their weights are all zero. */
float linear_novelty_bf16(const uint16_t *weights, size_t width, const uint32_t *buckets,
                          const float *values, size_t count);

uint16_t linear_to_bf16(float x); /* rounds to nearest even */
