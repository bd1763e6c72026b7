/* The dense half of the encoder: sixty statistics of the text. */
#pragma once

#include "encode/encode.h"

/* Fills f->stats from f->tokens, a text and the same text in lower case, before which a blank stands
 * (lowered.ptr[-1]). */
void stats_encode(struct str text, struct str lowered, struct features *f);
/* A name for each statistic, for reports: index < ENCODE_STATS. */
const char *stats_name(unsigned index);
