/* What has come is kept until it is known not to begin a mark: the end of it that may, and the call that is open. */
#include "infer/text_split.h"

#include <string.h>

void text_split_init(struct text_split *t)
{
    buf_init(&t->held, TEXT_HELD_BYTES_MAX);
    t->in_call = t->after_call = false;
    t->stopped_by = NULL;
    t->passed = 0;
}

void text_split_done(struct text_split *t)
{
    buf_done(&t->held);
}

/* The first `bytes` are dealt with. */
static void let_go(struct text_split *t, size_t bytes)
{
    memmove(t->held.ptr, t->held.ptr + bytes, t->held.len - bytes);
    t->held.len -= bytes;
    t->held.ptr[t->held.len] = '\0';
    t->passed += bytes;
}

/* Blanks between two calls are nobody's text. */
static void tell(struct text_split *t, size_t bytes)
{
    struct str text = str_slice(buf_str(&t->held), 0, bytes);
    size_t blanks = 0;
    while (t->after_call && blanks < text.len && strchr(" \r\n\t", text.ptr[blanks]))
        blanks++;
    if (blanks < text.len) {
        t->after_call = false;
        t->on_text(t->user, str_slice(text, blanks, text.len));
    }
    if (bytes > 0)
        let_go(t, bytes);
}

/* How much of the text's end may be the beginning of `mark`. */
static size_t begun(struct str text, struct str mark)
{
    size_t most = mark.len - 1 < text.len ? mark.len - 1 : text.len;
    for (size_t n = most; n > 0; n--)
        if (memcmp(text.ptr + text.len - n, mark.ptr, n) == 0)
            return n;
    return 0;
}

/* Bytes at the end that begin a character whose rest is yet to come. */
static size_t half_character(struct str text)
{
    for (size_t n = 1; n <= 3 && n <= text.len; n++) {
        unsigned char c = (unsigned char)text.ptr[text.len - n];
        if ((c & 0xc0) == 0x80)
            continue;
        size_t needs = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
        return needs > n ? n : 0;
    }
    return 0;
}

static size_t may_go(const struct text_split *t)
{
    struct str text = buf_str(&t->held);
    size_t held = half_character(text);
    for (size_t i = 0; i < t->stop_count; i++) {
        size_t n = begun(text, t->stops[i]);
        held = n > held ? n : held;
    }
    size_t n = t->calls ? begun(text, STR(INFER_CALL_BEGIN)) : 0;
    held = n > held ? n : held;
    return text.len - held;
}

/* Which mark comes first; SIZE_MAX: none is there. *stop: the stop string that it is, or NULL. */
static size_t first_mark(const struct text_split *t, const struct str **stop)
{
    struct str text = buf_str(&t->held);
    size_t first = t->calls ? str_find(text, STR(INFER_CALL_BEGIN), 0) : SIZE_MAX;
    *stop = NULL;
    for (size_t i = 0; i < t->stop_count; i++) {
        size_t at = str_find(text, t->stops[i], 0);
        *stop = at < first ? &t->stops[i] : *stop;
        first = at < first ? at : first;
    }
    return first;
}

/* false: the call has no end yet. */
static bool end_call(struct text_split *t)
{
    struct str text = buf_str(&t->held);
    size_t from = sizeof(INFER_CALL_BEGIN) - 1, to = str_find(text, STR(INFER_CALL_END), from);
    if (to == SIZE_MAX)
        return false;
    t->on_call(t->user, str_slice(text, from, to));
    let_go(t, to + sizeof(INFER_CALL_END) - 1);
    t->in_call = false;
    t->after_call = true;
    return true;
}

bool text_split_add(struct text_split *t, struct str piece)
{
    const struct str *stop;
    buf_add(&t->held, piece);
    while (!t->in_call || end_call(t)) {
        size_t at = first_mark(t, &stop);
        tell(t, at == SIZE_MAX ? may_go(t) : at);
        if (at == SIZE_MAX)
            return false;
        t->stopped_by = stop;
        if (stop)
            return true;
        t->in_call = true; /* its mark is the first that is held */
    }
    return false;
}

void text_split_end(struct text_split *t)
{
    struct str text = buf_str(&t->held);
    if (t->stopped_by)
        return;
    t->in_call = false;
    tell(t, text.len);
}

size_t text_split_behind_mark(const struct text_split *t)
{
    return t->in_call ? t->held.len - (sizeof(INFER_CALL_BEGIN) - 1) : 0;
}

void text_split_take_back(struct text_split *t, size_t bytes)
{
    t->held.len -= bytes;
    t->held.ptr[t->held.len] = '\0';
}
