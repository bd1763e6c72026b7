/* How much experts are right and wrong together, beyond what is estimated of each: s of predict/shared_factor.h, learnt
 * from held-out estimates. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define SHARED_FIT_PAIRS_MAX 65536 /* outcomes that are looked at, of rows evenly spread */

struct shared_rows {
    size_t rows, experts;
    const float *quality; /* [rows × experts] held out */
    const float *scores;  /* likewise; from .5 on they are right; negative: unknown */
    const float *weights; /* likewise, how far to believe each; NULL: 1 */
};

/* The s of 0..SHARED_SD_MAX under which the scores are likeliest. False, and nothing is set, where no row has two
 * known scores. Deterministic. */
bool shared_fit(const struct shared_rows *r, float *ret_sd);
