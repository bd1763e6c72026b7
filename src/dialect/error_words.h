/* Words in what an upstream says went wrong: each writes its errors in a form of its own, but the sentences are
 * known. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

#define ERROR_WORDS_BYTES_MAX 2048 /* what comes after them is mostly an echo of the request */

struct error_words { /* the begin of an error, in lower case */
    char text[ERROR_WORDS_BYTES_MAX];
    size_t len;
};

void error_words_read(struct str error, struct error_words *ret);
/* Index of the first byte behind `word` (lower case); 0: it is not there. */
size_t error_words_find(const struct error_words *w, const char *word);
bool error_words_any(const struct error_words *w, const char *const *words, size_t count);
