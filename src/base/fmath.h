/* exp and the logistic function in plain arithmetic: the same bits on every machine, and loops over them
 * vectorise. Relative error below 2e-7 (tests/base/test_fmath.c). */
#pragma once

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                             \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
/* Wider registers where the machine has them; no fused multiply-add, so that results stay the same. */
#define WIDE_LOOPS __attribute__((target_clones("avx2", "default")))
#else
#define WIDE_LOOPS
#endif

/* e^x for |x| <= 80; clamps outside, NaN counts as 80 (Cody–Waite reduction, then a polynomial of degree 6 on
 * [-ln2/2, ln2/2]: 1 + r + r² times the interpolation of the rest at Chebyshev's nodes). */
static inline float fmath_exp(float x)
{
    x = x < 80.0f ? x : 80.0f;
    x = x > -80.0f ? x : -80.0f;
    float scaled = x * 1.44269504f;
    int32_t n = (int32_t)(scaled + (scaled < 0 ? -0.5f : 0.5f));
    float whole = (float)n;
    float r = x - whole * 0.693145752f;
    r = r - whole * 1.42860677e-6f;
    float p = 0.00139261761f;
    p = p * r + 0.00836317307f;
    p = p * r + 0.0416665547f;
    p = p * r + 0.16666577f;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    uint32_t bits = (uint32_t)(n + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof(power));
    return p * power;
}

static inline float fmath_sigmoid(float x)
{
    return 1.0f / (1.0f + fmath_exp(-x));
}
