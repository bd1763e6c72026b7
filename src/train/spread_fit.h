/* Learning the weights of the spread (predict/spread.h) from held-out estimates. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "predict/spread.h"
#include "train/linear_train.h"

/* The weights [SPREAD_TERMS] start from, and keep where no question has two known scores. */
#define SPREAD_PRIOR 0.3f

/* Novelty of training's own texts, each as if it had not been there: novelty [count]; times [bucket_count] gets in
 * how many texts a bucket occurs, at most 255. Of other texts: linear_novelty_bf16. */
void spread_own_novelty(const struct sparse_rows *rows, size_t count, size_t bucket_count,
                        uint8_t *times, float *novelty);

/* quality, scores (negative: unknown) and counts (what they weigh; NULL: all 1) [rows × experts], held out; entropy and
 * novelty [rows]. */
void spread_fit(const float *quality, const float *scores, const float *counts, size_t rows,
                size_t experts, const float *entropy, const float *novelty, float *weights);
