/* The linear stage: steps of AdaGrad against the same written plainly in double precision, and what it learns. */
#include "train/linear_train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "encode/ngram_encoder.h"

#define EXPERTS 3
#define GROUPS  2
#define HEADS   (EXPERTS + GROUPS + 1)
#define WIDTH   16

static const struct linear_shape shape = {EXPERTS, GROUPS, WIDTH};
static const struct linear_options options = {
    .epochs = 1, .learning_rate = 0.1f, .group_learning_rate = 0.5f};

struct model {
    float *weights, *scratch, bias[WIDTH];
};

static struct model model_make(void)
{
    struct model m = {.weights = malloc((size_t)NGRAM_BUCKETS * WIDTH * sizeof(float)),
                      .scratch = malloc((size_t)NGRAM_BUCKETS * 3 * sizeof(float))};
    cr_assert(m.weights && m.scratch);
    return m;
}

static void model_done(struct model *m)
{
    free(m->weights);
    free(m->scratch);
}

static void train(struct model *m, const struct sparse_rows *rows,
                  const struct linear_targets *targets, const struct linear_options *o,
                  size_t count)
{
    struct rng rng;
    uint32_t order[64];
    for (uint32_t i = 0; i < count; i++)
        order[i] = i;
    rng_seed(&rng, 1);
    linear_train(&shape, NGRAM_BUCKETS, rows, targets, o, order, count, &rng, m->weights, m->bias,
                 m->scratch);
}

static double sigmoid(double z)
{
    return 1 / (1 + exp(-z));
}

/* The same training, one row, dense and in double: head j has family k. */
struct plain {
    double weights[2][HEADS], bias[HEADS], sums[2][3], bias_sums[3];
};

static const int family_of[HEADS] = {0, 0, 0, 1, 1, 2};

static void plain_gradient(const struct plain *p, const double *x, const float *scores, int group,
                           double length, double *gradient)
{
    double z[HEADS], total = 0;
    for (int j = 0; j < HEADS; j++)
        z[j] = p->bias[j] + p->weights[0][j] * x[0] + p->weights[1][j] * x[1];
    for (int g = 0; g < GROUPS; g++)
        total += exp(z[EXPERTS + g]);
    for (int j = 0; j < HEADS; j++)
        gradient[j] = family_of[j] == 0 ? (scores[j] < 0 ? 0 : sigmoid(z[j]) - (double)scores[j])
                      : family_of[j] == 1
                          ? (group == 255 ? 0 : exp(z[j]) / total - (j - EXPERTS == group))
                          : (isnan(length) ? 0 : z[j] - length);
}

static void plain_step(struct plain *p, const double *x, const float *scores, int group,
                       double length)
{
    const double heads[3] = {EXPERTS, GROUPS, 1}, rates[3] = {0.1, 0.5, 0.1};
    double gradient[HEADS], squares[3] = {0};
    plain_gradient(p, x, scores, group, length, gradient);
    for (int j = 0; j < HEADS; j++)
        squares[family_of[j]] += gradient[j] * gradient[j] / heads[family_of[j]];
    for (int k = 0; k < 3; k++) {
        p->bias_sums[k] += squares[k];
        for (int b = 0; b < 2; b++)
            p->sums[b][k] += squares[k] * x[b] * x[b];
    }
    for (int j = 0; j < HEADS; j++) {
        int k = family_of[j];
        p->bias[j] -= rates[k] * gradient[j] / sqrt(p->bias_sums[k] + 1e-10);
        for (int b = 0; b < 2; b++)
            p->weights[b][j] -= rates[k] * gradient[j] * x[b] / sqrt(p->sums[b][k] + 1e-10);
    }
}

/* The start: log-odds of each expert's mean score, with one good and one bad score thrown in. */
static void plain_start(struct plain *p, const float *scores)
{
    *p = (struct plain){0};
    for (int e = 0; e < EXPERTS; e++) {
        double sum = scores[e] < 0 ? 1 : 1 + (double)scores[e], n = scores[e] < 0 ? 2 : 3;
        p->bias[e] = log(sum / (n - sum));
    }
}

/* One row, several epochs: the order cannot matter. */
static void compare_with_plain(const float *scores, uint8_t group, float length, unsigned epochs)
{
    const uint32_t buckets[2] = {7, NGRAM_BUCKETS - 1};
    const float values[2] = {0.8f, 0.6f};
    const size_t starts[2] = {0, 2};
    const double x[2] = {0.8, 0.6};
    struct sparse_rows rows = {buckets, values, starts};
    struct linear_targets targets = {scores, NULL, &group, &length};
    struct linear_options o = options;
    struct model m = model_make();
    struct plain p;
    o.epochs = epochs;
    train(&m, &rows, &targets, &o, 1);
    plain_start(&p, scores);
    for (unsigned i = 0; i < epochs; i++)
        plain_step(&p, x, scores, group, (double)length);
    for (int j = 0; j < HEADS; j++) {
        cr_assert_float_eq((double)m.bias[j], p.bias[j], 2e-5, "bias %d", j);
        for (int b = 0; b < 2; b++)
            cr_assert_float_eq((double)m.weights[(size_t)buckets[b] * WIDTH + j], p.weights[b][j],
                               2e-5, "weight %d of bucket %d", j, b);
    }
    for (size_t i = 0; i < (size_t)NGRAM_BUCKETS * WIDTH; i++)
        if (i / WIDTH != buckets[0] && i / WIDTH != buckets[1])
            cr_assert_eq((double)m.weights[i], 0);
    model_done(&m);
}

Test(linear_train, one_step_by_hand)
{
    compare_with_plain((float[]){1, 0, 0.5f}, 1, 0.7f, 1);
}

Test(linear_train, more_steps_by_hand)
{
    compare_with_plain((float[]){1, 0, 0.25f}, 0, -1.5f, 20);
}

Test(linear_train, unknown_labels_move_nothing)
{
    compare_with_plain((float[]){-1, 1, -1}, 255, NAN, 5);
    compare_with_plain((float[]){-1, -1, -1}, 255, NAN, 2);
}

/* Bucket 1 means good, bucket 2 bad for expert 0 and the reverse for expert 1; group and length go along. */
static void toy(struct model *m, unsigned epochs)
{
    enum { N = 64 };
    static uint32_t buckets[N];
    static float values[N], scores[N * EXPERTS], lengths[N];
    static size_t starts[N + 1];
    static uint8_t groups[N];
    for (size_t i = 0; i < N; i++) {
        bool odd = i % 2;
        buckets[i] = odd ? 1 : 2;
        values[i] = 1;
        starts[i + 1] = i + 1;
        scores[i * EXPERTS] = odd;
        scores[i * EXPERTS + 1] = !odd;
        scores[i * EXPERTS + 2] = 1;
        groups[i] = odd;
        lengths[i] = odd ? 1.0f : -1.0f;
    }
    struct sparse_rows rows = {buckets, values, starts};
    struct linear_targets targets = {scores, NULL, groups, lengths};
    struct linear_options o = options;
    o.epochs = epochs;
    train(m, &rows, &targets, &o, N);
}

static void predict_one(const struct model *m, uint32_t bucket, float *out)
{
    const float one = 1;
    linear_predict(m->weights, m->bias, WIDTH, &bucket, &one, 1, out);
}

Test(linear_train, learns_a_separable_toy)
{
    struct model m = model_make();
    float odd[WIDTH], even[WIDTH];
    toy(&m, 20);
    predict_one(&m, 1, odd);
    predict_one(&m, 2, even);
    cr_assert(odd[0] > 2 && even[0] < -2, "%g %g", (double)odd[0], (double)even[0]);
    cr_assert(odd[1] < -2 && even[1] > 2);
    cr_assert(odd[2] > 2 && even[2] > 2);
    cr_assert(odd[EXPERTS + 1] - odd[EXPERTS] > 3);
    cr_assert(even[EXPERTS] - even[EXPERTS + 1] > 3);
    cr_assert_float_eq((double)odd[EXPERTS + GROUPS], 1, 0.1);
    cr_assert_float_eq((double)even[EXPERTS + GROUPS], -1, 0.1);
    model_done(&m);
}

Test(linear_train, same_seed_same_bits)
{
    struct model a = model_make(), b = model_make();
    toy(&a, 3);
    memset(b.weights, 0x5a, (size_t)NGRAM_BUCKETS * WIDTH * sizeof(float)); /* overwritten */
    toy(&b, 3);
    cr_assert_eq(memcmp(a.bias, b.bias, sizeof(a.bias)), 0);
    cr_assert_eq(memcmp(a.weights, b.weights, (size_t)NGRAM_BUCKETS * WIDTH * sizeof(float)), 0);
    model_done(&a);
    model_done(&b);
}

Test(linear_train, without_groups_the_group_targets_may_be_missing)
{
    const struct linear_shape small = {1, 0, WIDTH};
    const uint32_t bucket = 5;
    const float value = 1, score = 1, length = 0.5f;
    const size_t starts[2] = {0, 1};
    struct sparse_rows rows = {&bucket, &value, starts};
    struct linear_targets targets = {&score, NULL, NULL, &length};
    struct model m = model_make();
    struct rng rng;
    uint32_t order = 0;
    rng_seed(&rng, 1);
    linear_train(&small, NGRAM_BUCKETS, &rows, &targets, &options, &order, 1, &rng, m.weights,
                 m.bias, m.scratch);
    cr_assert_gt((double)m.weights[5 * WIDTH], 0);
    cr_assert_gt((double)m.weights[5 * WIDTH + 1], 0);
    cr_assert_eq((double)m.weights[5 * WIDTH + 2], 0);
    model_done(&m);
}

Test(linear_train, training_on_nothing_gives_even_odds)
{
    const size_t starts[1] = {0};
    struct sparse_rows rows = {NULL, NULL, starts};
    struct linear_targets targets = {NULL, NULL, NULL, NULL};
    struct model m = model_make();
    train(&m, &rows, &targets, &options, 0);
    for (int j = 0; j < WIDTH; j++)
        cr_assert_eq((double)m.bias[j], 0);
    model_done(&m);
}

static float from_bf16(uint16_t h)
{
    uint32_t bits = (uint32_t)h << 16;
    float x;
    memcpy(&x, &bits, sizeof(x));
    return x;
}

Test(linear_train, bf16_is_the_nearest_with_ties_to_even)
{
    cr_assert_eq(linear_to_bf16(1), 0x3f80);
    cr_assert_eq(linear_to_bf16(-2), 0xc000);
    cr_assert_eq(linear_to_bf16(0), 0);
    cr_assert_eq(linear_to_bf16(1 + 1 / 256.0f), 0x3f80);     /* half way: down to even */
    cr_assert_eq(linear_to_bf16(1 + 3 / 256.0f), 0x3f82);     /* half way: up to even */
    cr_assert_eq(linear_to_bf16(1 + 1.01f / 256.0f), 0x3f81); /* above half way */
    cr_assert_eq(linear_to_bf16(INFINITY), 0x7f80);
    struct rng r;
    rng_seed(&r, 8);
    for (int i = 0; i < 100000; i++) {
        float x = (float)((rng_uniform(&r) - 0.5) * exp(rng_uniform(&r) * 40 - 20));
        uint16_t h = linear_to_bf16(x);
        double error = fabs((double)from_bf16(h) - (double)x);
        cr_assert_leq(error, fabs((double)from_bf16((uint16_t)(h + 1)) - (double)x));
        cr_assert_leq(error, fabs((double)from_bf16((uint16_t)(h - 1)) - (double)x));
    }
}
