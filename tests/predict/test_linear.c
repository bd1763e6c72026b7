/* The linear stage of a model against plain sums. */
#include "predict/linear.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "encode/ngram_encoder.h"
#include "train/linear_train.h"

#define WIDTH 16

static float from_bf16(uint16_t h)
{
    uint32_t bits = (uint32_t)h << 16;
    float x;
    memcpy(&x, &bits, sizeof(x));
    return x;
}

Test(linear, width_holds_all_heads)
{
    for (size_t experts = 1; experts <= 256; experts++)
        for (size_t groups = 0; groups <= LINEAR_GROUPS_MAX; groups++) {
            size_t width = linear_width(experts, groups);
            cr_assert(width % LINEAR_WIDTH_STEP == 0 && width <= LINEAR_WIDTH_MAX);
            cr_assert(width >= experts + groups + 1);
            cr_assert(width < experts + groups + 1 + LINEAR_WIDTH_STEP);
        }
}

Test(linear, predictions_agree_with_plain_sums)
{
    enum { COUNT = 40 };
    float *weights = malloc((size_t)NGRAM_BUCKETS * WIDTH * sizeof(float));
    uint16_t *packed = malloc((size_t)NGRAM_BUCKETS * WIDTH * sizeof(uint16_t));
    uint32_t buckets[COUNT];
    float values[COUNT], bias[WIDTH], out[WIDTH], out16[WIDTH];
    struct rng r;
    cr_assert(weights && packed);
    rng_seed(&r, 4);
    for (size_t i = 0; i < (size_t)NGRAM_BUCKETS * WIDTH; i++) {
        weights[i] = from_bf16(linear_to_bf16((float)rng_uniform(&r) - 0.5f));
        packed[i] = linear_to_bf16(weights[i]);
    }
    for (size_t i = 0; i < COUNT; i++) {
        buckets[i] = i ? (uint32_t)rng_below(&r, NGRAM_BUCKETS) : NGRAM_BUCKETS - 1;
        values[i] = (float)rng_uniform(&r);
    }
    for (size_t j = 0; j < WIDTH; j++)
        bias[j] = (float)j;
    for (size_t count = 0; count <= COUNT; count += 8) {
        linear_predict(weights, bias, WIDTH, buckets, values, count, out);
        linear_predict_bf16(packed, bias, WIDTH, buckets, values, count, out16);
        for (size_t j = 0; j < WIDTH; j++) {
            double sum = (double)bias[j];
            for (size_t i = 0; i < count; i++)
                sum += (double)values[i] * (double)weights[(size_t)buckets[i] * WIDTH + j];
            cr_assert_float_eq((double)out[j], sum, 1e-4);
            cr_assert_eq((double)out[j], (double)out16[j]);
        }
    }
    free(weights);
    free(packed);
}

Test(linear, novelty_is_what_has_no_weights)
{
    const size_t width = LINEAR_WIDTH_STEP;
    uint16_t *weights = calloc((size_t)NGRAM_BUCKETS * width, sizeof(*weights));
    const uint32_t buckets[] = {1, 2, 3};
    const float values[] = {0.6f, 0.64f, 0.48f};
    cr_assert_not_null(weights);
    weights[1 * width] = 1;
    weights[3 * width + width - 1] = 1;
    cr_expect_float_eq((double)linear_novelty_bf16(weights, width, buckets, values, 3), 0.64 * 0.64,
                       1e-6);
    cr_expect_eq((double)linear_novelty_bf16(weights, width, buckets, values, 0), 0);
    free(weights);
}

/* Widths of half a block, a block, and both. */
Test(linear, bf16_of_every_width_is_the_plain_sum_in_order)
{
    enum { COUNT = 37, WIDEST = 80 };
    uint16_t *weights = calloc((size_t)NGRAM_BUCKETS * WIDEST, sizeof(*weights));
    uint32_t buckets[COUNT];
    float values[COUNT], bias[WIDEST], out[WIDEST];
    struct rng r;
    cr_assert_not_null(weights);
    rng_seed(&r, 5);
    for (size_t width = 16; width <= WIDEST; width += 16) {
        for (size_t i = 0; i < COUNT; i++) {
            buckets[i] = (uint32_t)(i * 7001 % NGRAM_BUCKETS);
            values[i] = (float)rng_uniform(&r);
            for (size_t j = 0; j < width; j++) /* of every third nothing is known */
                weights[buckets[i] * width + j] =
                    i % 3 ? linear_to_bf16((float)rng_uniform(&r) - 0.5f) : 0;
        }
        for (size_t j = 0; j < width; j++)
            bias[j] = (float)j / 7;
        float novelty = linear_predict_bf16(weights, bias, width, buckets, values, COUNT, out);
        cr_expect_eq((double)novelty,
                     (double)linear_novelty_bf16(weights, width, buckets, values, COUNT));
        cr_expect_gt((double)novelty, 1);
        for (size_t j = 0; j < width; j++) {
            float sum = bias[j];
            for (size_t i = 0; i < COUNT; i++)
                sum += from_bf16(weights[buckets[i] * width + j]) * values[i];
            cr_assert_eq((double)out[j], (double)sum, "column %zu of %zu", j, width);
        }
    }
    free(weights);
}
