/* The tokeniser. Where tokens begin cannot be predicted, so 64 bytes at a time become bits, and tokens are read off
 * them without a branch. */
#include "encode/word_split.h"

#include <string.h>

#include "encode/char_class.h"
#include "encode/load.h"

#define CHUNK 64

struct chunk {
    uint64_t letters, tokens; /* bit i: byte i is a letter; is part of a token */
};

/* 64 bytes of 0 or 1 → 64 bits. */
static uint64_t gather_bits(const char *flags)
{
    uint64_t bits = 0;
    for (int k = 0; k < CHUNK / 8; k++) {
        bits |= load64(flags + k * 8) * UINT64_C(0x0102040810204080) >> 56 << k * 8;
    }
    return bits;
}

/* As char_class has it (tests/encode/test_word_split.c), by arithmetic, which vectorises. */
static struct chunk read_chunk(const char *text)
{
    char letters[CHUNK], tokens[CHUNK];
    for (int i = 0; i < CHUNK; i++) {
        uint8_t c = (uint8_t)text[i];
        letters[i] = ((uint8_t)((c | 0x20) - 'a') < 26) | c >> 7;
        tokens[i] = ((uint8_t)(c - '!') <= '~' - '!') | c >> 7;
    }
    return (struct chunk){gather_bits(letters), gather_bits(tokens)};
}

/* Length of the run of ones from bit `at` on. */
static uint32_t run_length(uint64_t bits, unsigned at)
{
    uint64_t gap = ~(bits >> at);
    return gap ? (uint32_t)__builtin_ctzll(gap) : CHUNK;
}

void word_split(struct str text, struct ngram_text *f)
{
    struct text_token *token = f->tokens;
    uint64_t in_word = 0; /* the last byte was a letter */
    for (size_t from = 0; from < text.len; from += CHUNK) {
        char last[CHUNK] = {0};
        bool whole = text.len - from >= CHUNK;
        if (!whole)
            memcpy(last, text.ptr + from, text.len - from);
        const char *bytes = whole ? text.ptr + from : last;
        struct chunk c = read_chunk(bytes);
        if (in_word)
            token[-1].len = (token[-1].len + run_length(c.letters, 0)) & 0xffffff;
        uint64_t begins = c.tokens & ~(c.letters & (c.letters << 1 | in_word));
        in_word = c.letters >> (CHUNK - 1);
        for (; begins; begins &= begins - 1) {
            unsigned at = (unsigned)__builtin_ctzll(begins);
            uint32_t letters = run_length(c.letters, at);
            *token++ = (struct text_token){(uint32_t)(from + at), (letters + !letters) & 0xffffff,
                                           char_class((unsigned char)bytes[at]) & 0xff, 0};
        }
    }
    f->token_count = (uint32_t)(token - f->tokens);
}
