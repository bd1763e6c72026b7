/* Texts to tokens, and back. llama.cpp splits texts of many BPE vocabularies by std::regex, which calls itself for
 * every character of a match: some 30,000 letters without a blank, which anybody may send, overflow the stack and end
 * the process. So a text of such a vocabulary is cut where white space, or what is none, goes on for too long, and its
 * pieces are tokenized one by one; what people write is hardly ever touched. */
#include <stdlib.h>
#include <string.h>

#include "lm/lm_int.h"

#define RUN_BYTES_MAX   8192 /* which take at most 4 MB of stack */
#define PIECE_BYTES_MAX ((size_t)1 << 30)

enum run { RUN_NONE, RUN_SPACE, RUN_OTHER };

static bool is_space(unsigned char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Where the piece ends that begins at `from`. What is not ASCII may be a letter, a mark or a blank: it goes on with
 * whatever it follows. */
static size_t piece_end(struct str text, size_t from)
{
    enum run run = RUN_NONE;
    size_t length = 0;
    size_t last = text.len - from < PIECE_BYTES_MAX ? text.len : from + PIECE_BYTES_MAX;
    for (size_t i = from; i < last; i++, length++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c < 0x80) {
            enum run now = is_space(c) ? RUN_SPACE : RUN_OTHER;
            length = run == RUN_NONE || run == now ? length : 0;
            run = now;
        }
        bool within = (c & 0xc0) == 0x80; /* a character, if these bytes are any */
        if (length >= RUN_BYTES_MAX + (within ? 4 : 0))
            return i;
    }
    return last;
}

/* At most `max` tokens into `tokens`; returns how many there are. */
static size_t tokenize_piece(const struct lm *lm, struct str text, bool ends, bool marks,
                             int32_t *tokens, size_t max)
{
    int32_t room = max > INT32_MAX ? INT32_MAX : (int32_t)max;
    int32_t n = llama_tokenize(lm->vocab, text.ptr, (int32_t)text.len, tokens, room, ends, marks);
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

static size_t put(int32_t token, int32_t *tokens, size_t count, size_t max)
{
    if (count < max)
        tokens[count] = token;
    return count + 1;
}

/* A BPE vocabulary's text that is longer than one piece. */
static size_t tokenize_pieces(const struct lm *lm, struct str text, bool ends, bool marks,
                              int32_t *tokens, size_t max)
{
    size_t count = 0;
    if (ends && llama_vocab_get_add_bos(lm->vocab))
        count = put(llama_vocab_bos(lm->vocab), tokens, count, max);
    for (size_t at = 0, end; at < text.len; at = end) {
        end = piece_end(text, at);
        size_t room = count < max ? max - count : 0;
        count += tokenize_piece(lm, str_slice(text, at, end), false, marks,
                                room ? tokens + count : NULL, room);
    }
    if (ends && llama_vocab_get_add_eos(lm->vocab))
        count = put(llama_vocab_eos(lm->vocab), tokens, count, max);
    return count;
}

size_t lm_tokenize_marks(const struct lm *lm, struct str text, bool ends, bool marks,
                         int32_t *tokens, size_t max)
{
    if (llama_vocab_type(lm->vocab) == LLAMA_VOCAB_TYPE_BPE && piece_end(text, 0) < text.len)
        return tokenize_pieces(lm, text, ends, marks, tokens, max);
    return tokenize_piece(lm, utf8_cut(text, PIECE_BYTES_MAX), ends, marks, tokens, max);
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
