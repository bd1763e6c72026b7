/* Spread applied: see spread.h. */
#include "predict/spread.h"

#include <math.h>

#define SHARE_MIN 0.02f
#define SHARE_MAX 1.0f
#define ODDS_MIN  0.01f

void spread_terms(float mean_quality, float entropy, float novelty, float *terms)
{
    float q = mean_quality < ODDS_MIN ? ODDS_MIN : mean_quality;
    q = q > 1 - ODDS_MIN ? 1 - ODDS_MIN : q;
    terms[0] = 1;
    terms[1] = logf(q / (1 - q));
    terms[2] = entropy;
    terms[3] = novelty;
}

float spread_share(const float *weights, float mean_quality, float entropy, float novelty)
{
    float terms[SPREAD_TERMS], share = 0;
    spread_terms(mean_quality, entropy, novelty, terms);
    for (int k = 0; k < SPREAD_TERMS; k++)
        share += weights[k] * terms[k];
    if (!(share > SHARE_MIN)) /* also a NaN out of a forged model */
        return SHARE_MIN;
    return share < SHARE_MAX ? share : SHARE_MAX;
}

float spread_widen(float share, float far)
{
    return share + far * (SHARE_MAX - share);
}

float spread_quality_sd(float share, float quality)
{
    float variance = share * quality * (1 - quality);
    return variance > 0 ? sqrtf(variance) : 0;
}
