/* Multi-head AdaGrad. One accumulator per bucket and family of heads instead of one per weight: a third of the
 * memory traffic and of the time, and no measurable loss (docs/orchestrator.md). Most of a training's time is spent
 * here, so loops are written for vectors and rows are fetched ahead. Sums keep their order whatever the width of the
 * vectors: the same data and seed give the same bits on every machine. One thread, and memory of the caller. */
#include "train/linear_train.h"

#include <math.h>
#include <stdbool.h>

#include "base/check.h"
#include "base/fmath.h"

#define FAMILIES      3  /* quality, group, length */
#define PREFETCH      8  /* rows ahead: a row is a cache miss */
#define LINE_FLOATS   16 /* of a cache line */
#define EPSILON       1e-10f
#define UNKNOWN_GROUP 255

/* Columns are summed a block at a time, as in predict/linear.c. */
#define LANES   8  /* floats of a vector */
#define COLUMNS 32 /* of a block; behind the last whole one LINEAR_WIDTH_STEP may be left */
_Static_assert(COLUMNS == 2 * LINEAR_WIDTH_STEP, "what is left is half a block");

typedef float floats __attribute__((vector_size(LANES * sizeof(float))));

#define INLINED __attribute__((always_inline)) static inline

INLINED void sum_block(const float *weights, size_t width, const uint32_t *buckets,
                       const float *values, size_t count, size_t columns, float *out)
{
    floats sums[COLUMNS / LANES], part;
    memcpy(sums, out, columns * sizeof(*out));
    for (size_t i = 0; i < count; i++) {
        const float *row = weights + (size_t)buckets[i] * width;
        if (i + PREFETCH < count)
            for (size_t j = 0; j < columns; j += LINE_FLOATS)
                __builtin_prefetch(weights + (size_t)buckets[i + PREFETCH] * width + j);
        for (size_t k = 0; k < columns / LANES; k++) {
            memcpy(&part, row + k * LANES, sizeof(part));
            sums[k] += part * values[i];
        }
    }
    memcpy(out, sums, columns * sizeof(*out));
}

WIDE_LOOPS void linear_predict(const float *weights, const float *bias, size_t width,
                               const uint32_t *buckets, const float *values, size_t count,
                               float *out)
{
    size_t j = 0;
    memcpy(out, bias, width * sizeof(*out));
    for (; j + COLUMNS <= width; j += COLUMNS)
        sum_block(weights + j, width, buckets, values, count, COLUMNS, out + j);
    if (j < width)
        sum_block(weights + j, width, buckets, values, count, LINEAR_WIDTH_STEP, out + j);
}

uint16_t linear_to_bf16(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof(bits));
    return (uint16_t)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

/* Gradients of the loss by each head's output, in place of the outputs. Returns nothing known: all zero. */
static void quality_gradient(const struct linear_shape *s, const float *scores,
                             const float *weights, float *out)
{
    for (size_t e = 0; e < s->experts; e++)
        out[e] = scores[e] < 0 ? 0 : fmath_sigmoid(out[e]) - scores[e];
    for (size_t e = 0; weights && e < s->experts; e++)
        out[e] *= weights[e];
}

static void group_gradient(const struct linear_shape *s, unsigned group, float *out)
{
    float *z = out + s->experts, top = -INFINITY, sum = 0;
    for (size_t g = 0; g < s->groups; g++)
        top = z[g] > top ? z[g] : top;
    for (size_t g = 0; g < s->groups; g++) {
        z[g] = fmath_exp(z[g] - top);
        sum += z[g];
    }
    for (size_t g = 0; g < s->groups; g++)
        z[g] = group == UNKNOWN_GROUP ? 0 : z[g] / sum - (g == group);
}

static void gradients(const struct linear_shape *s, const struct linear_targets *t, size_t row,
                      float *out)
{
    size_t at = row * s->experts;
    quality_gradient(s, t->scores + at, t->weights ? t->weights + at : NULL, out);
    if (s->groups)
        group_gradient(s, t->groups[row], out);
    float length = t->lengths[row], *z = out + s->experts + s->groups;
    *z = isnan(length) ? 0 : *z - length;
    for (size_t j = s->experts + s->groups + 1; j < s->width; j++)
        out[j] = 0;
}

struct families {
    size_t ends[FAMILIES];
    float squares[FAMILIES]; /* mean squared gradient over the family's heads */
    float rates[FAMILIES];
};

static void measure(const struct linear_shape *s, const struct linear_options *o,
                    const float *gradient, struct families *f)
{
    f->rates[0] = f->rates[2] = o->learning_rate;
    f->rates[1] = o->group_learning_rate;
    f->ends[0] = s->experts;
    f->ends[1] = s->experts + s->groups;
    f->ends[2] = f->ends[1] + 1;
    size_t begin = 0;
    for (int k = 0; k < FAMILIES; k++) {
        float sum = 0;
        for (size_t j = begin; j < f->ends[k]; j++)
            sum += gradient[j] * gradient[j];
        f->squares[k] = f->ends[k] > begin ? sum / (float)(f->ends[k] - begin) : 0;
        begin = f->ends[k];
    }
}

/* One AdaGrad step on the rows of a query's buckets. `steps` [width] is the gradient scaled per family. */
WIDE_LOOPS static void update(float *weights, size_t width, const struct families *f,
                              const uint32_t *buckets, const float *values, size_t count,
                              const float *gradient, float *accumulators)
{
    float steps[LINEAR_WIDTH_MAX];
    for (size_t j = f->ends[2]; j < width; j++)
        steps[j] = 0;
    for (size_t i = 0; i < count; i++) {
        float *row = weights + (size_t)buckets[i] * width;
        float *sums = accumulators + (size_t)buckets[i] * FAMILIES;
        float value = values[i];
        size_t begin = 0;
        if (i + PREFETCH < count)
            __builtin_prefetch(accumulators + (size_t)buckets[i + PREFETCH] * FAMILIES, 1);
        for (int k = 0; k < FAMILIES; k++) {
            sums[k] += f->squares[k] * value * value;
            float step = f->rates[k] * value / sqrtf(sums[k] + EPSILON);
            for (size_t j = begin; j < f->ends[k]; j++)
                steps[j] = step * gradient[j];
            begin = f->ends[k];
        }
        for (size_t j = 0; j < width; j++)
            row[j] -= steps[j];
    }
}

static void update_bias(float *bias, const struct families *f, const float *gradient, float *sums)
{
    size_t begin = 0;
    for (int k = 0; k < FAMILIES; k++) {
        sums[k] += f->squares[k];
        float step = f->rates[k] / sqrtf(sums[k] + EPSILON);
        for (size_t j = begin; j < f->ends[k]; j++)
            bias[j] -= step * gradient[j];
        begin = f->ends[k];
    }
}

/* Quality heads start at the log-odds of the expert's mean, so that rare experts begin where they belong. */
static void start_bias(const struct linear_shape *s, const struct linear_targets *t,
                       const uint32_t *order, size_t count, float *bias)
{
    memset(bias, 0, s->width * sizeof(*bias));
    for (size_t e = 0; e < s->experts; e++) {
        double sum = 1, known = 2;
        for (size_t i = 0; i < count; i++) {
            size_t at = order[i] * s->experts + e;
            float weight = t->weights ? t->weights[at] : 1;
            if (t->scores[at] >= 0) {
                sum += weight * t->scores[at];
                known += weight;
            }
        }
        bias[e] = (float)log(sum / (known - sum));
    }
}

void linear_train(const struct linear_shape *shape, size_t bucket_count,
                  const struct sparse_rows *rows, const struct linear_targets *targets,
                  const struct linear_options *options, uint32_t *order, size_t count,
                  struct rng *rng, float *weights, float *bias, float *scratch)
{
    CHECK(shape->width <= LINEAR_WIDTH_MAX);
    float out[LINEAR_WIDTH_MAX], bias_sums[FAMILIES] = {0};
    memset(weights, 0, bucket_count * shape->width * sizeof(*weights));
    memset(scratch, 0, bucket_count * FAMILIES * sizeof(*scratch));
    start_bias(shape, targets, order, count, bias);
    for (unsigned epoch = 0; epoch < options->epochs; epoch++) {
        rng_shuffle_u32(rng, order, count);
        for (size_t i = 0; i < count; i++) {
            size_t from = rows->starts[order[i]], n = rows->starts[order[i] + 1] - from;
            const uint32_t *buckets = rows->buckets + from;
            const float *values = rows->values + from;
            struct families families;
            linear_predict(weights, bias, shape->width, buckets, values, n, out);
            gradients(shape, targets, order[i], out);
            measure(shape, options, out, &families);
            update(weights, shape->width, &families, buckets, values, n, out, scratch);
            update_bias(bias, &families, out, bias_sums);
        }
    }
}
