/* The sparse half of the encoder. */
#pragma once

#include "encode/encode.h"

/* Fills buckets, values and count from `text` (at most ENCODE_TEXT_BYTES_MAX bytes). */
NODISCARD enum status ngram_encode(struct str text, struct features *f, struct error *err);
