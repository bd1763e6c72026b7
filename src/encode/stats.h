/* The dense half of the encoder: statistics of the text. */
#pragma once

#include "encode/layout.h"
#include "encode/ngram_encoder.h"

/* Fills f->stats from f->tokens, a text and the same text in lower case, before which a blank stands
 * (lowered.ptr[-1]). */
void stats_encode(struct str text, struct str lowered, const struct text_layout *layout,
                  struct ngram_text *f);
/* A name for each statistic, for reports: index < NGRAM_STATS. */
const char *stats_name(unsigned index);
