/* The sparse half of the encoder. */
#pragma once

#include "encode/layout.h"
#include "encode/ngram_encoder.h"

/* Bytes behind the text that ngram_encode and stats_encode may read (and ignore). */
#define ENCODE_PADDING 8

/* What is computed once for all texts. */
void ngram_init(struct ngram_text *f);

/* Fills buckets, values and count from f->tokens of a text in lower case; and the hashes of the tokens, but for the
 * letters and points that options begin with. */
void ngram_encode(struct str lowered, const struct text_layout *layout, struct ngram_text *f);
