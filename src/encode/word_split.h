/* Where the tokens of a text are; found once, used by both halves of the encoder. */
#pragma once

#include "encode/ngram_encoder.h"

/* Fills f->tokens and f->token_count: runs of letters, single digits, single punctuation marks. */
void word_split(struct str text, struct ngram_text *f);
