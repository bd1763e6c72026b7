/* Between the files of the statistics: each fills its part of f->stats and returns the place behind it. */
#pragma once

#include "encode/layout.h"
#include "encode/ngram_encoder.h"

#define STATS_OF_OPTIONS 17 /* of option_stats.c */
#define STATS_STYLE      20 /* of style.c */

/* How the options differ from each other and from the stem. `lowered` is the text in lower case; the tokens must have
 * their hashes. */
float *option_stats(struct str lowered, const struct text_layout *l, const struct ngram_text *f,
                    float *out);
extern const char *const option_stat_names[STATS_OF_OPTIONS];

/* How the text is written: glue words, sentences, numbers, letters. */
float *style_stats(struct str text, struct str lowered, const struct text_layout *l,
                   const uint32_t counts[256], const struct ngram_text *f, float *out);
extern const char *const style_names[STATS_STYLE];
