/* Words in a text, whatever the case of their ASCII letters. Texts and words are UTF-8; other letters are compared as
 * they are. */
#pragma once

#include "base/str.h"

static inline char words_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Whether they stand at text[at]; that they end there is not asked. */
static inline bool words_stand_at(struct str text, size_t at, const char *words)
{
    size_t i = 0;
    while (words[i] && at + i < text.len && words_lower(text.ptr[at + i]) == words_lower(words[i]))
        i++;
    return !words[i];
}
