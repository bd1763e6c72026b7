/* The dense half of the encoder: sixty statistics of the text. */
#pragma once

#include "encode/encode.h"

/* Fills f->stats; uses f->lowered as scratch. */
NODISCARD enum status stats_encode(struct str text, struct features *f, struct error *err);
/* A name for each statistic, for reports: index < ENCODE_STATS. */
const char *stats_name(unsigned index);
