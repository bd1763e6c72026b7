/* A fixed number of bytes, a fixed number of words: no error costs more than that. */
#include "dialect/error_words.h"

void error_words_read(struct str error, struct error_words *ret)
{
    ret->len = error.len < ERROR_WORDS_BYTES_MAX ? error.len : ERROR_WORDS_BYTES_MAX;
    for (size_t i = 0; i < ret->len; i++) {
        char c = error.ptr[i];
        ret->text[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
}

size_t error_words_find(const struct error_words *w, const char *word)
{
    struct str needle = str_from(word);
    size_t at = str_find((struct str){w->text, w->len}, needle, 0);
    return at == SIZE_MAX ? 0 : at + needle.len;
}

bool error_words_any(const struct error_words *w, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (error_words_find(w, words[i]) > 0)
            return true;
    return false;
}
