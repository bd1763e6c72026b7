/* How far the truth may lie from an estimate. A question's own probability of a good answer differs from what its text
 * tells; that difference is common to the experts, so it shows where they are right or wrong together more than
 * their estimates say. With residuals r_e = score_e − q_e of one question, r_a · r_b is on average the product of
 * its two deviations, because chance alone is independent between experts; single squared residuals could not tell
 * chance from deviation. The doubt is the share of q (1 − q) that is deviation, learnt from such products over
 * held-out questions:
 *
 *   doubt = w · (1, logit of mean q, entropy of the group, novelty of the text)      quality_sd = √(doubt · q (1 − q))
 *
 * Novelty is the share of the text's squared values that falls into buckets never seen in training. */
#pragma once

#include <stddef.h>

#include "encode/encode.h"
#include "predict/linear.h"

#define DOUBT_TERMS 4

/* The weights [DOUBT_TERMS] start from, and keep where no question has two known scores. */
#define DOUBT_PRIOR 0.3f

float doubt_share(const float *weights, float mean_quality, float entropy, float novelty);
float doubt_quality_sd(float share, float quality);

/* Novelty of training's own texts, each as if it had not been there: novelty [count]; times [ENCODE_BUCKETS] gets in
 * how many texts a bucket occurs, at most 255. Of other texts: linear_novelty_bf16. */
void doubt_own_novelty(const struct sparse_rows *rows, size_t count, uint8_t *times,
                       float *novelty);

/* quality, scores [rows × experts] held out (negative score: unknown), entropy and novelty [rows]. */
void doubt_fit(const float *quality, const float *scores, size_t rows, size_t experts,
               const float *entropy, const float *novelty, float *weights);
