/* Folds and shares by the hash of the normalised text: equal texts always land on the same side. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* 0 .. folds-1, the same for a text on every machine. */
uint32_t split_fold(uint64_t text_hash, uint64_t seed, uint32_t folds);

/* Whether the text is among the `share` (0 to 1) of all texts that is set aside. A larger share sets aside all that a
 * smaller one does, whatever else is in the data set. */
bool split_in_share(uint64_t text_hash, uint64_t seed, double share);
