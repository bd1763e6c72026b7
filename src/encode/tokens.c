/* The tokeniser. */
#include "encode/tokens.h"

#include "encode/char_class.h"

static size_t word_end(struct str text, size_t at)
{
    while (at < text.len && char_class((unsigned char)text.ptr[at]) == CHAR_LETTER)
        at++;
    return at;
}

void tokens_find(struct str text, struct features *f)
{
    uint32_t count = 0;
    for (size_t at = 0; at < text.len;) {
        enum char_class class = char_class((unsigned char)text.ptr[at]);
        size_t end = class == CHAR_LETTER ? word_end(text, at + 1) : at + 1;
        f->tokens[count] = (struct text_token){(uint32_t)at, (uint32_t)(end - at) & 0xffffff,
                                               (uint32_t) class & 0xff, 0};
        count += class != CHAR_BLANK;
        at = end;
    }
    f->token_count = count;
}
