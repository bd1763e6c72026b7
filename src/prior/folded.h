/* The encoder of n-grams with fewer buckets: those that agree in their low bits are one. Only learning needs it; the
 * difficulty source folds the buckets of "ngram" itself. */
#pragma once

#include "encode/encode.h"

#define FOLDED_BITS_MIN 10
#define FOLDED_BITS_MAX 18

/* The same one for the same count, a power of two within the bits above; it can be found by its name from then on. Not
 * for several threads. ERR_INPUT: another count. */
NODISCARD enum status folded_encoder(size_t buckets, const struct encoder **ret, struct error *err);
