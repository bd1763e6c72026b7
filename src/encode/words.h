/* Short lists of English words that say how a text is written: how much of it is glue, whether it denies, compares,
 * computes. Whole words in lower case. */
#pragma once

#include "base/str.h"

enum word_class {
    WORD_OTHER,
    WORD_THE,
    WORD_A,  /* a, an */
    WORD_IS, /* is, are, was */
    WORD_OF,
    WORD_TO,
    WORD_GLUE, /* other function words */
    WORD_NEGATION,
    WORD_COMPARISON, /* more, less, greater, ... */
    WORD_MATHS,
    WORD_SELF, /* i, my */
    WORD_CLASSES
};

enum word_class word_class(struct str lowered);
/* The same of a word of one byte or more, behind which ENCODE_PADDING bytes may be read (encode/ngram.h). */
enum word_class word_class_padded(const char *lowered, size_t len);
