/* Folds by text hash. */
#include "data/split.h"

#include "base/check.h"
#include "base/hash.h"

#define SHARE_SALT                                                                                 \
    UINT64_C(0x5e7a51de) /* so that a share says nothing of folds with the same seed */

uint32_t split_fold(uint64_t text_hash, uint64_t seed, uint32_t folds)
{
    CHECK(folds > 0);
    return (uint32_t)(hash64_mix(text_hash, seed) % folds);
}

bool split_in_share(uint64_t text_hash, uint64_t seed, double share)
{
    uint64_t place = hash64_mix(text_hash, hash64_mix(seed, SHARE_SALT));
    return (double)(place >> 11) * 0x1p-53 < share;
}
