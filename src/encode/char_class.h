/* What a byte is to the tokeniser. Bytes of multi-byte UTF-8 characters count as letters. */
#pragma once

enum char_class { CHAR_BLANK, CHAR_LETTER, CHAR_DIGIT, CHAR_PUNCTUATION };

static inline enum char_class char_class(unsigned char c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 128)
        return CHAR_LETTER;
    if (c >= '0' && c <= '9')
        return CHAR_DIGIT;
    return c <= ' ' || c == 127 ? CHAR_BLANK : CHAR_PUNCTUATION;
}

static inline unsigned char char_lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + ('a' - 'A')) : c;
}
