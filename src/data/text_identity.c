/* Text identity: two queries are the same when their texts agree after lower-casing (ASCII) and folding
 * white space. The hash is taken piecewise, so that it needs no memory whatever the length. */
#include "base/buf.h"
#include "base/hash.h"
#include "data/dataset.h"

/* Texts longer than this, once normalised, are hashed in pieces of it, each seeded by the one before. */
#define HASH_PIECE_BYTES 1024

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* Writes up to `room` normalised bytes from text[*at...]; moves *at. A blank is held back until a character
 * follows it, so that none ends the text. */
static size_t normalize_piece(struct str text, size_t *at, bool *blank, char *into, size_t room)
{
    size_t n = 0;
    while (*at < text.len && n + 2 <= room) {
        char c = text.ptr[(*at)++];
        if (is_blank(c)) {
            *blank = true;
            continue;
        }
        if (*blank)
            into[n++] = ' ';
        *blank = false;
        into[n++] = lower(c);
    }
    return n;
}

void text_normalize(struct str text, struct buf *out)
{
    text = str_trim(text);
    char *into = buf_reserve(out, text.len + 1);
    if (!into)
        return;
    size_t at = 0;
    bool blank = false;
    out->len += normalize_piece(text, &at, &blank, into, text.len + 1);
    out->ptr[out->len] = '\0';
}

uint64_t text_hash(struct str text)
{
    char piece[HASH_PIECE_BYTES];
    uint64_t hash = 0;
    size_t at = 0;
    bool blank = false;
    text = str_trim(text);
    do {
        size_t n = normalize_piece(text, &at, &blank, piece, sizeof(piece));
        hash = hash64((struct str){piece, n}, hash);
    } while (at < text.len);
    return hash;
}
