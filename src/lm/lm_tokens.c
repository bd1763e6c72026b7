/* Texts to tokens, and back. */
#include <stdlib.h>
#include <string.h>

#include "lm/lm_int.h"

size_t lm_tokenize_marks(const struct lm *lm, struct str text, bool ends, bool marks,
                         int32_t *tokens, size_t max)
{
    int32_t n =
        llama_tokenize(lm->vocab, text.ptr, (int32_t)text.len, tokens, (int32_t)max, ends, marks);
    if (n >= 0)
        return (size_t)n;
    /* Too many: nothing was written. */
    size_t all = (size_t)-n;
    int32_t *own = calloc(all, sizeof(*own));
    if (!own)
        return 0;
    llama_tokenize(lm->vocab, text.ptr, (int32_t)text.len, own, (int32_t)all, ends, marks);
    if (max)
        memcpy(tokens, own, max * sizeof(*tokens));
    free(own);
    return all;
}

size_t lm_tokenize(const struct lm *lm, struct str text, bool special, int32_t *tokens, size_t max)
{
    return lm_tokenize_marks(lm, text, special, special, tokens, max);
}

size_t lm_token_bytes(const struct lm *lm, int32_t token, bool special, char *into, size_t size)
{
    int32_t n = llama_token_to_piece(lm->vocab, token, into, (int32_t)size, 0, special);
    return n < 0 ? 0 : (size_t)n;
}

bool lm_token_ends(const struct lm *lm, int32_t token)
{
    return llama_vocab_is_eog(lm->vocab, token);
}
