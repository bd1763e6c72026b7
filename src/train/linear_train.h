/* Training the linear stage (predict/linear.h), online, with AdaGrad (Duchi et al. 2011). Losses: of the experts'
 * logits logistic, missing labels allowed; of the groups softmax; of the length squared. Weights are floats
 * [buckets × width] here. */
#pragma once

#include "base/error.h"
#include "base/rng.h"
#include "predict/linear.h"

/* Encoded queries, one after the other: query i has buckets[starts[i] .. starts[i + 1]). */
struct sparse_rows {
    const uint32_t *buckets;
    const float *values;
    const size_t *starts; /* [rows + 1] */
};

struct linear_targets {
    const float *scores;   /* [rows × experts]; negative: unknown */
    const float *weights;  /* [rows × experts] of the scores; NULL: all 1 */
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
void linear_train(const struct linear_shape *shape, size_t bucket_count,
                  const struct sparse_rows *rows, const struct linear_targets *targets,
                  const struct linear_options *options, uint32_t *order, size_t count,
                  struct rng *rng, float *weights, float *bias, float *scratch);

/* out[width] = bias + Σ value · row. */
void linear_predict(const float *weights, const float *bias, size_t width, const uint32_t *buckets,
                    const float *values, size_t count, float *out);

uint16_t linear_to_bf16(float x); /* rounds to nearest even */
