/* The linear stage of a model: a row of bfloat16 weights for each bucket, summed. */
#include "predict/linear.h"

#include <stdbool.h>

#include "base/fmath.h"

#define PREFETCH 24 /* rows ahead: a row is a cache miss */

size_t linear_width(size_t experts, size_t groups)
{
    size_t heads = experts + groups + 1;
    return (heads + LINEAR_WIDTH_STEP - 1) / LINEAR_WIDTH_STEP * LINEAR_WIDTH_STEP;
}

/* Columns are summed a block at a time, so that the sums stay in registers while the rows go by. Each column is summed
 * in the order of the buckets, whatever the width of the vectors. */
#define LANES   8  /* floats of a vector */
#define COLUMNS 32 /* of a block; behind the last whole one LINEAR_WIDTH_STEP may be left */
_Static_assert(COLUMNS == 2 * LINEAR_WIDTH_STEP, "what is left is half a block");

typedef float floats __attribute__((vector_size(LANES * sizeof(float))));
typedef uint32_t words __attribute__((vector_size(LANES * sizeof(uint32_t))));

#define INLINED __attribute__((always_inline)) static inline

/* Weights come in pairs, a column in the low half of 32 bits and its neighbour in the high half: a half moved up, the
 * other one cleared, is the weight as a float. Returns the novelty by these columns. */
INLINED float sum_block_bf16(const uint16_t *weights, size_t width, const uint32_t *buckets,
                             const float *values, size_t count, size_t columns, float *out)
{
    enum { PAIRS = COLUMNS / 2 / LANES, LOW = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ };
    floats low[PAIRS], high[PAIRS];
    float novelty = 0;
    for (size_t k = 0; k < columns / 2; k++) {
        low[k / LANES][k % LANES] = out[2 * k + LOW];
        high[k / LANES][k % LANES] = out[2 * k + !LOW];
    }
    for (size_t i = 0; i < count; i++) {
        const uint16_t *row = weights + (size_t)buckets[i] * width;
        words any = {0};
        if (i + PREFETCH < count) { /* a file's row may begin in the middle of a cache line */
            const uint16_t *later = weights + (size_t)buckets[i + PREFETCH] * width;
            __builtin_prefetch(later);
            __builtin_prefetch(later + columns - 1);
        }
        for (size_t k = 0; k < columns / 2 / LANES; k++) {
            words pairs;
            memcpy(&pairs, row + k * 2 * LANES, sizeof(pairs));
            any |= pairs;
            low[k] += (floats)(pairs << 16) * values[i];
            high[k] += (floats)(pairs & 0xffff0000u) * values[i];
        }
        uint64_t parts[sizeof(any) / sizeof(uint64_t)];
        memcpy(parts, &any, sizeof(any));
        float square = values[i] * values[i];
        bool unseen = !(parts[0] | parts[1] | parts[2] | parts[3]);
        novelty += square * (float)unseen;
    }
    for (size_t k = 0; k < columns / 2; k++) {
        out[2 * k + LOW] = low[k / LANES][k % LANES];
        out[2 * k + !LOW] = high[k / LANES][k % LANES];
    }
    return novelty;
}

WIDE_LOOPS float linear_predict_bf16(const uint16_t *weights, const float *bias, size_t width,
                                     const uint32_t *buckets, const float *values, size_t count,
                                     float *out)
{
    size_t j = 0;
    float novelty = 0;
    memcpy(out, bias, width * sizeof(*out));
    for (; j + COLUMNS <= width; j += COLUMNS)
        novelty = sum_block_bf16(weights + j, width, buckets, values, count, COLUMNS, out + j);
    if (j < width)
        novelty =
            sum_block_bf16(weights + j, width, buckets, values, count, LINEAR_WIDTH_STEP, out + j);
    return width <= COLUMNS ? novelty : linear_novelty_bf16(weights, width, buckets, values, count);
}

/* No branch on a row: whether a word was seen in training cannot be predicted. */
WIDE_LOOPS float linear_novelty_bf16(const uint16_t *weights, size_t width, const uint32_t *buckets,
                                     const float *values, size_t count)
{
    float sum = 0;
    for (size_t i = 0; i < count; i++) {
        const uint16_t *row = weights + (size_t)buckets[i] * width;
        uint64_t part[LINEAR_WIDTH_STEP * sizeof(*row) / sizeof(uint64_t)], any = 0;
        for (size_t j = 0; j < width; j += LINEAR_WIDTH_STEP) {
            memcpy(part, row + j, sizeof(part));
            any |= part[0] | part[1] | part[2] | part[3];
        }
        float square = values[i] * values[i];
        sum += square * (float)!any;
    }
    return sum;
}
