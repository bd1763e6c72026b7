/* How far the truth may lie from an estimate. A question's own probability of a good answer differs from what its text
 * tells; that difference is common to the experts, so it shows where they are right or wrong together more than
 * their estimates say. With residuals r_e = score_e − q_e of one question, r_a · r_b is on average the product of
 * its two deviations, because chance alone is independent between experts; single squared residuals could not tell
 * chance from deviation. The spread is the share of q (1 − q) that is deviation, learnt from such products over
 * held-out questions:
 *
 *   spread = w · (1, logit of mean q, entropy of the group, novelty of the text)
 *   quality_sd = √(spread · q (1 − q))
 *
 * Novelty is the share of the text's squared values that falls into buckets never seen in training. */
#pragma once

#include <stddef.h>

#define SPREAD_TERMS 4

/* terms[SPREAD_TERMS] that the weights multiply. */
void spread_terms(float mean_quality, float entropy, float novelty, float *terms);
float spread_share(const float *weights, float mean_quality, float entropy, float novelty);
/* So far from training (0 to 1) as the text is, nothing is known but that the truth lies between 0 and 1. */
float spread_widen(float share, float far);
float spread_quality_sd(float share, float quality);
