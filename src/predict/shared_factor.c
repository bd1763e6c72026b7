/* Probabilities under a common factor: see shared_factor.h. The gateway asks for them on every request, so loops run
 * over experts side by side and compile to wide registers. No fused arithmetic: the same bits on every machine. Nothing
 * is kept, any thread may call. */
#include "predict/shared_factor.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/check.h"
#include "base/fmath.h"

#define SPACING     0.7f
#define PI          3.14159265f
#define CORRECTIONS 2
#define BLOCK       16

const float shared_weights[SHARED_NODES] = {
    0.00061093044f, 0.00554129279f, 0.0307911659f, 0.104818243f,   0.218596558f,  0.279283621f,
    0.218596558f,   0.104818243f,   0.0307911659f, 0.00554129279f, 0.00061093044f};

static float node(size_t k)
{
    return SPACING * ((float)k - (SHARED_NODES - 1) / 2.0f);
}

float shared_logit(float p)
{
    p = p > SHARED_EDGE ? p : SHARED_EDGE; /* a NaN, too */
    p = p < 1 - SHARED_EDGE ? p : 1 - SHARED_EDGE;
    return logf(p / (1 - p));
}

/* σ(a + s·u) */
WIDE_LOOPS static void probabilities(struct shared_factor *f, const float *a, float s)
{
    float odds_against[SHARED_EXPERTS_MAX];
    for (size_t i = 0; i < f->count; i++)
        odds_against[i] = fmath_exp(-a[i]);
    for (size_t k = 0; k < SHARED_NODES; k++) {
        float shared = fmath_exp(-s * node(k)), *right = f->right[k];
        for (size_t i = 0; i < f->count; i++)
            right[i] = 1 / (1 + odds_against[i] * shared);
        for (size_t i = f->count; i % BLOCK; i++)
            right[i] = 0; /* whole blocks are read */
    }
}

/* Their means over u, and how these change with a. */
WIDE_LOOPS static void means(const struct shared_factor *f, float *mean, float *slope)
{
    memset(mean, 0, f->count * sizeof(*mean));
    memset(slope, 0, f->count * sizeof(*slope));
    for (size_t k = 0; k < SHARED_NODES; k++)
        for (size_t i = 0; i < f->count; i++) {
            float p = f->right[k][i];
            mean[i] += shared_weights[k] * p;
            slope[i] += shared_weights[k] * p * (1 - p);
        }
}

/* The first a is MacKay's approximation, good to .015; each of Newton's steps on the log-odds of the mean takes it one
 * place further. */
static void solve(struct shared_factor *f, const float *target, float s, float *a)
{
    float mean[SHARED_EXPERTS_MAX], slope[SHARED_EXPERTS_MAX], stretch = sqrtf(1 + PI * s * s / 8);
    CHECK(f->count <= SHARED_EXPERTS_MAX);
    for (size_t i = 0; i < f->count; i++)
        a[i] = target[i] * stretch;
    for (int step = 0;; step++) {
        probabilities(f, a, s);
        if (step == CORRECTIONS || !(s > 0))
            return;
        means(f, mean, slope);
        for (size_t i = 0; i < f->count; i++) {
            float m = mean[i] > 1e-12f ? mean[i] : 1e-12f;
            m = m < 1 - SHARED_EDGE ? m : 1 - SHARED_EDGE;
            float d = m * (1 - m), rise = slope[i] > SHARED_EDGE * d ? slope[i] : SHARED_EDGE * d;
            a[i] -= (logf(m / (1 - m)) - target[i]) * d / rise;
        }
    }
}

void shared_intercepts(const float *target, size_t count, float s, float *a)
{
    struct shared_factor f = {.count = count};
    solve(&f, target, s, a);
}

void shared_factor_fill(struct shared_factor *f, const float *target, float s)
{
    float a[SHARED_EXPERTS_MAX];
    solve(f, target, s, a);
}

/* By blocks, whose sums stay in registers. */
WIDE_LOOPS void shared_factor_weigh(const struct shared_factor *f, const float *factor, float *sums)
{
    for (size_t start = 0; start < f->count; start += BLOCK) {
        float block[BLOCK] = {0};
        for (size_t k = 0; k < SHARED_NODES; k++)
            for (size_t i = 0; i < BLOCK; i++)
                block[i] += factor[k] * f->right[k][start + i];
        memcpy(sums + start, block, sizeof(block));
    }
}
