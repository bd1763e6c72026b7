/* Folds by text hash. */
#include "data/split.h"

#include "base/check.h"
#include "base/hash.h"

uint32_t split_fold(uint64_t text_hash, uint64_t seed, uint32_t folds)
{
    CHECK(folds > 0);
    return (uint32_t)(hash64_mix(text_hash, seed) % folds);
}
