/* Late sources on top of calibrated estimates: see blend.h. */
#include "predict/blend.h"

#include <math.h>

#include "base/check.h"
#include "base/fmath.h"

#define QUALITY_MIN 1e-6f /* beyond it, and beyond one less it, logits say nothing more */

float blend_logit(float q)
{
    q = q > QUALITY_MIN ? q : QUALITY_MIN;
    q = q < 1 - QUALITY_MIN ? q : 1 - QUALITY_MIN;
    return logf(q / (1 - q));
}

void blend_unlike_terms(float novelty, float entropy, float *terms)
{
    terms[0] = 1;
    terms[1] = novelty;
    terms[2] = entropy;
}

float blend_unlike(const float *blend, float novelty, float entropy)
{
    float terms[BLEND_UNLIKE_TERMS], sum = 0;
    blend_unlike_terms(novelty, entropy, terms);
    for (int k = 0; k < BLEND_UNLIKE_TERMS; k++)
        sum += blend[k] * terms[k];
    return fmath_sigmoid(sum);
}

static float level(const float *x, size_t experts, const bool *apart)
{
    float sum = 0, counted = 0;
    for (size_t e = 0; e < experts; e++) {
        sum += apart[e] ? 0 : x[e];
        counted += apart[e] ? 0 : 1;
    }
    return counted > 0 ? sum / counted : 0;
}

static float between(const float *known_fresh, float unlike)
{
    return known_fresh[0] + (known_fresh[1] - known_fresh[0]) * unlike;
}

/* sum[experts] += what source `from` adds to the logits z. */
static void add_source(const float *from, float unlike, const float *d, const float *z,
                       size_t experts, const bool *apart, float *sum)
{
    float common = from[0] + (from[2] - from[0]) * unlike,
          own = from[1] + (from[3] - from[1]) * unlike;
    float apart_by = level(d, experts, apart) - level(z, experts, apart);
    for (size_t e = 0; e < experts; e++) {
        float own_part = d[e] - z[e] - apart_by;
        sum[e] += common * apart_by + (own_part == own_part ? own * own_part : 0);
    }
}

void blend_run(const float *blend, size_t late, const struct blend_view *v, size_t experts,
               const bool *apart, float *quality)
{
    float z[EXPERTS_MAX], sum[EXPERTS_MAX], unlike = blend_unlike(blend, v->novelty, v->entropy);
    size_t said = 0;
    CHECK(experts <= EXPERTS_MAX && late <= SOURCES_MAX);
    const float *common = blend + BLEND_UNLIKE_TERMS;
    for (size_t e = 0; e < experts; e++)
        z[e] = blend_logit(quality[e]);
    float more = between(common + 1, unlike) * (level(z, experts, apart) - common[0]);
    for (size_t e = 0; e < experts; e++)
        sum[e] = z[e] + more;
    for (size_t k = 0; k < late; k++)
        if (v->logits[k]) {
            add_source(blend + BLEND_TERMS(k), unlike, v->logits[k], z, experts, apart, sum);
            said++;
        }
    for (size_t e = 0; said && e < experts; e++) {
        float q = fmath_sigmoid(sum[e]);
        quality[e] = q >= 0 && q <= 1 ? q : quality[e]; /* also a NaN out of a forged model */
    }
}
