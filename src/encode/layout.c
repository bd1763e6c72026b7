/* Options come in order or not at all. */
#include "encode/layout.h"

#include <string.h>

static void find_options(struct str text, struct text_layout *l)
{
    l->stem = text.len;
    const char *p = text.len ? text.ptr : "", *end = p + text.len;
    while (l->count < LAYOUT_OPTIONS_MAX && (p = memchr(p, '\n', (size_t)(end - p)))) {
        if (end - p > 3 && p[1] == (char)('A' + l->count) && p[2] == '.' && p[3] == ' ') {
            size_t at = (size_t)(p - text.ptr);
            l->stem = l->count ? l->stem : at;
            l->starts[l->count++] = at;
        }
        p++;
    }
    l->starts[l->count] = text.len;
}

void layout_find(struct str text, const struct ngram_text *f, struct text_layout *ret)
{
    struct text_layout l = {.count = 0};
    find_options(text, &l);
    uint32_t at = 0;
    for (size_t i = 0; i < l.count; i++) {
        while (at < f->token_count && f->tokens[at].start < l.starts[i])
            at++;
        l.tokens[i] =
            at + LAYOUT_MARK_TOKENS; /* an option's tokens begin with its letter and a point */
    }
    l.tokens[l.count] = f->token_count + LAYOUT_MARK_TOKENS;
    l.stem_tokens = l.tokens[0] - LAYOUT_MARK_TOKENS;
    *ret = l;
}
