/* Where a text's options are: a text is a stem, then options "\nA. ...", which is what a query with choices looks like
 * when a client sends it. Found once, used by both halves of the encoder. */
#pragma once

#include "encode/ngram_encoder.h"

#define LAYOUT_OPTIONS_MAX 26

struct text_layout {
    size_t starts[LAYOUT_OPTIONS_MAX + 1]; /* of "\nA. "; the last is the end of the text */
    size_t count, stem;                    /* options; bytes before the first of them */
    uint32_t tokens[LAYOUT_OPTIONS_MAX +
                    1]; /* the first token behind "A. "; the last is the number of tokens + 2 */
    uint32_t stem_tokens;
};

#define LAYOUT_MARK_BYTES  4 /* "\nA. " */
#define LAYOUT_MARK_TOKENS 2 /* "A" and "." */

/* Needs f->tokens of the same text. */
void layout_find(struct str text, const struct ngram_text *f, struct text_layout *ret);
