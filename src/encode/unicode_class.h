/* What a code point is to the patterns by which tokenizers cut text. */
#pragma once

#include <stdint.h>

enum unicode_class {
    UNICODE_OTHER,
    UNICODE_UPPER,  /* Lu, Lt */
    UNICODE_LOWER,  /* Ll */
    UNICODE_LETTER, /* Lm, Lo */
    UNICODE_MARK,   /* Mn, Mc, Me */
    UNICODE_NUMBER, /* Nd, Nl, No */
    UNICODE_SPACE,  /* White_Space */
};

enum unicode_class unicode_class(uint32_t point);
