/* What the guard (predict/guard.h) knows of training texts: their kinds, and how far from them the farthest of them
 * are, beyond which a text counts as foreign. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "predict/guard.h"

#define GUARD_ROWS_MIN 600 /* fewer texts, often of one mould, call every other text far */

struct guard_texts {
    size_t rows, statistics;
    const float *said; /* [rows × stride] statistics first */
    size_t stride;
    const float *novelty;    /* [rows] each as if it had not been there */
    const float *lengths;    /* [rows] predicted */
    const float *characters; /* [rows] */
};

/* Fills *ret but for its levels; what it points to lives in the arena. Without statistics, or of fewer texts than
 * GUARD_ROWS_MIN, there is no guard (ret->kinds is 0). Deterministic. ERR_MEMORY. */
NODISCARD enum status guard_fit(const struct guard_texts *t, struct arena *a, struct guard *ret,
                                struct error *err);
