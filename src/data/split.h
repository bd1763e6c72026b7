/* Folds by the hash of the normalised text: equal texts always land in the same fold. */
#pragma once

#include <stdint.h>

/* 0 .. folds-1, the same for a text on every machine. */
uint32_t split_fold(uint64_t text_hash, uint64_t seed, uint32_t folds);
