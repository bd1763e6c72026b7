/* Reads the grammar's text anew at every step; slow and plain. */
#include "gbnf_walk.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 400
#define TEXT_MAX  20000
#define MORE_MAX  2 /* repetitions beyond the least */

struct walk {
    struct str grammar;
    struct rng *rng;
    struct buf *out;
    unsigned depth;
};

static enum gbnf_walk walk_rule(struct walk *w, struct str name);
static enum gbnf_walk walk_choice(struct walk *w, struct str s);

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

/* The end of the item that begins at `at`, without its repetition. */
static size_t item_end(struct str s, size_t at)
{
    char c = s.ptr[at], close = c == '"' ? '"' : c == '[' ? ']' : '\0';
    unsigned depth = 0;
    if (close) {
        for (at++; at < s.len && s.ptr[at] != close; at++)
            at += s.ptr[at] == '\\';
        return at + 1;
    }
    if (c != '(') {
        while (at < s.len && is_name(s.ptr[at]))
            at++;
        return at;
    }
    for (; at < s.len; at++) {
        if (s.ptr[at] == '"' || s.ptr[at] == '[')
            at = item_end(s, at) - 1;
        else if (s.ptr[at] == '(')
            depth++;
        else if (s.ptr[at] == ')' && --depth == 0)
            return at + 1;
    }
    return s.len + 1;
}

static bool repetition(struct str s, size_t *at, unsigned long *least, unsigned long *most)
{
    char c = *at < s.len ? s.ptr[*at] : '\0', *end;
    *least = *most = 1;
    if (c == '*' || c == '?')
        *least = 0;
    if (c == '*' || c == '+')
        *most = *least + MORE_MAX;
    if (c == '*' || c == '+' || c == '?')
        ++*at;
    if (c != '{')
        return true;
    *least = *most = strtoul(s.ptr + *at + 1, &end, 10);
    if (*end == ',') {
        char *from = end + 1;
        *most = strtoul(from, &end, 10);
        if (end == from)
            *most = *least + MORE_MAX;
    }
    *at = (size_t)(end - s.ptr) + 1;
    return *end == '}' && *most >= *least;
}

static uint32_t class_character(struct str s, size_t *at)
{
    if (s.ptr[*at] != '\\')
        return utf8_next(s, at);
    char c = s.ptr[*at + 1];
    size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    char text[9] = "";
    memcpy(text, s.ptr + *at + 2, digits);
    *at += 2 + digits;
    return digits ? (uint32_t)strtoul(text, NULL, 16) : (unsigned char)c;
}

static bool in_class(struct str set, uint32_t c)
{
    bool found = false;
    for (size_t at = 0; at < set.len;) {
        uint32_t from = class_character(set, &at), to = from;
        if (at + 1 < set.len && set.ptr[at] == '-') {
            at++;
            to = class_character(set, &at);
        }
        found |= c >= from && c <= to;
    }
    return found;
}

static enum gbnf_walk walk_class(struct walk *w, struct str set)
{
    bool not = set.len > 0 && set.ptr[0] == '^';
    set = str_slice(set, not, set.len);
    for (unsigned tries = 0; tries < 5000; tries++) {
        char c = (char)(rng_next(w->rng) % 128);
        if (in_class(set, (unsigned char)c) != not ) {
            buf_add_char(w->out, c);
            return GBNF_TEXT;
        }
    }
    if (set.len && (unsigned char)set.ptr[0] >= 0x80) /* a class of characters beyond ASCII */
        buf_add(w->out, (struct str){set.ptr, 2});
    return GBNF_DEEP;
}

static void write_literal(struct walk *w, struct str inside)
{
    for (size_t at = 0; at < inside.len;) {
        if (inside.ptr[at] == '\\' && inside.ptr[at + 1] == 'n') {
            buf_add_char(w->out, '\n');
            at += 2;
        } else if (inside.ptr[at] == '\\') {
            buf_add_char(w->out, (char)class_character(inside, &at));
        } else {
            buf_add_char(w->out, inside.ptr[at++]);
        }
    }
}

static enum gbnf_walk walk_item(struct walk *w, struct str item)
{
    struct str inside = str_slice(item, 1, item.len - 1);
    switch (item.ptr[0]) {
    case '"':
        write_literal(w, inside);
        return GBNF_TEXT;
    case '[':
        return walk_class(w, inside);
    case '(':
        return walk_choice(w, inside);
    default:
        return walk_rule(w, item);
    }
}

static enum gbnf_walk walk_sequence(struct walk *w, struct str s)
{
    for (size_t at = 0; at < s.len;) {
        unsigned long least, most;
        if (s.ptr[at] == ' ') {
            at++;
            continue;
        }
        size_t end = item_end(s, at);
        if (end > s.len || end == at)
            return GBNF_BROKEN;
        struct str item = str_slice(s, at, end);
        at = end;
        if (!repetition(s, &at, &least, &most))
            return GBNF_BROKEN;
        unsigned long span = most - least > MORE_MAX ? MORE_MAX : most - least;
        for (unsigned long n = least + rng_next(w->rng) % (span + 1); n > 0; n--) {
            enum gbnf_walk end_of = walk_item(w, item);
            if (end_of != GBNF_TEXT)
                return end_of;
        }
    }
    return GBNF_TEXT;
}

static enum gbnf_walk walk_choice(struct walk *w, struct str s)
{
    struct str picked = {0};
    size_t from = 0, count = 0;
    if (w->depth > DEPTH_MAX || w->out->len > TEXT_MAX)
        return GBNF_DEEP;
    for (size_t at = 0; at <= s.len;) {
        if (at == s.len || s.ptr[at] == '|') {
            if (rng_next(w->rng) % ++count == 0)
                picked = str_slice(s, from, at);
            from = ++at;
        } else if (strchr("\"[(", s.ptr[at])) {
            at = item_end(s, at);
        } else {
            at++;
        }
    }
    if (from != s.len + 1)
        return GBNF_BROKEN;
    w->depth++;
    enum gbnf_walk end = walk_sequence(w, picked);
    w->depth--;
    return end;
}

static enum gbnf_walk walk_rule(struct walk *w, struct str name)
{
    struct str rest = w->grammar;
    while (rest.len > 0) {
        struct str line = str_split(&rest, '\n');
        if (str_starts(line, name) && str_starts(str_slice(line, name.len, line.len), STR(" ::= ")))
            return walk_choice(w, str_slice(line, name.len + 5, line.len));
    }
    return GBNF_BROKEN;
}

enum gbnf_walk gbnf_walk(struct str grammar, struct str root, struct rng *rng, struct buf *out)
{
    struct walk w = {.grammar = grammar, .rng = rng, .out = out};
    return walk_rule(&w, root);
}
