/* Questions into tokens: see lexer.h.
 *
 * Pure functions, any thread; everything lives in the caller's struct, whose limits refuse a question that is too long.
 * Behind a digit a date and a time are tried before a number, since both begin like one. */
#include "rehearse/lexer.h"

#include <string.h>

#include "base/check.h"

static bool is_letter(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || c >= 0x80;
}

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

struct fold {
    const char *from;
    char to;
};

static const struct fold FOLDS[] = {
    {"\u00d7", '*'}, {"\u00f7", '/'},  {"\u2212", '-'},  {"\u2013", '-'}, {"\u201c", '"'},
    {"\u201d", '"'}, {"\u2018", '\''}, {"\u2019", '\''}, {"\u00a0", ' '},
};

/* Lower-cases ASCII and turns typographic signs into plain ones; false when it does not fit. */
static bool fold_text(struct str s, char *into, size_t size, size_t *ret_len)
{
    size_t len = 0;
    for (size_t i = 0; i < s.len;) {
        if (len + 1 >= size)
            return false;
        char c = s.ptr[i];
        size_t step = 1;
        for (size_t f = 0; (unsigned char)c >= 0x80 && f < sizeof(FOLDS) / sizeof(FOLDS[0]); f++) {
            if (str_starts(str_slice(s, i, s.len), str_from(FOLDS[f].from))) {
                c = FOLDS[f].to;
                step = strlen(FOLDS[f].from);
                break;
            }
        }
        into[len++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        i += step;
    }
    into[len] = '\0';
    *ret_len = len;
    return true;
}

/* Reads exactly `count` digits at p[at]; -1 when they are not there. */
static int64_t digits(struct str p, size_t at, size_t count)
{
    int64_t value = 0;
    for (size_t i = at; i < at + count; i++) {
        if (i >= p.len || !is_digit((unsigned char)p.ptr[i]))
            return -1;
        value = value * 10 + (p.ptr[i] - '0');
    }
    return value;
}

static char byte_at(struct str s, size_t at)
{
    return at < s.len ? s.ptr[at] : '\0';
}

/* 2024-02-29; returns its length or 0. */
static size_t cut_date(struct str s, struct token *t)
{
    int64_t year = digits(s, 0, 4), month = digits(s, 5, 2), day = digits(s, 8, 2);
    if (year < 0 || month < 0 || day < 0 || s.ptr[4] != '-' || s.ptr[7] != '-' ||
        is_digit((unsigned char)byte_at(s, 10)) || byte_at(s, 10) == '-')
        return 0;
    *t = (struct token){TOKEN_DATE, str_slice(s, 0, 10), year * 10000 + month * 100 + day, 1};
    return 10;
}

/* 9:40 or 09:40; returns its length or 0. */
static size_t cut_time(struct str s, struct token *t)
{
    size_t hour_digits = byte_at(s, 1) == ':' ? 1 : 2;
    int64_t hour = digits(s, 0, hour_digits), minute = digits(s, hour_digits + 1, 2);
    size_t len = hour_digits + 3;
    if (byte_at(s, hour_digits) != ':' || hour < 0 || minute < 0 || hour > 23 || minute > 59 ||
        is_digit((unsigned char)byte_at(s, len)))
        return 0;
    *t = (struct token){TOKEN_TIME, str_slice(s, 0, len), hour * 60 + minute, 1};
    return len;
}

/* Digits with thousands commas and a fraction; returns its length, or 0 when it is too big. */
static size_t cut_number(struct str s, struct token *t)
{
    int64_t value = 0, scale = 1;
    size_t i = 0;
    while (i < s.len) {
        if (byte_at(s, i) == ',' && i > 0 && digits(s, i + 1, 3) >= 0 &&
            !is_digit((unsigned char)byte_at(s, i + 4)))
            i++;
        if (!is_digit((unsigned char)byte_at(s, i)))
            break;
        if (value >= TOKEN_NUMBER_MAX / 10)
            return 0;
        value = value * 10 + (s.ptr[i++] - '0');
    }
    if (byte_at(s, i) == '.' && is_digit((unsigned char)byte_at(s, i + 1))) {
        for (i++; is_digit((unsigned char)byte_at(s, i)); i++) {
            if (value >= TOKEN_NUMBER_MAX / 10 || scale >= 1000000)
                return 0;
            value = value * 10 + (s.ptr[i] - '0');
            scale *= 10;
        }
    }
    *t = (struct token){TOKEN_NUMBER, str_slice(s, 0, i), value, scale};
    return i;
}

static size_t cut_word(struct str s, struct token *t)
{
    size_t i = 1;
    while (is_letter((unsigned char)byte_at(s, i)) ||
           (byte_at(s, i) == '\'' && is_letter((unsigned char)byte_at(s, i + 1))))
        i++;
    *t = (struct token){TOKEN_WORD, str_slice(s, 0, i), 0, 1};
    return i;
}

/* A quoted word; a lone apostrophe is a sign. Returns its length with quotes, or 0. */
static size_t cut_quoted(struct str s, struct token *t)
{
    char quote = s.ptr[0];
    for (size_t i = 1; i < s.len; i++) {
        if (s.ptr[i] != quote)
            continue;
        if (quote == '\'' && is_letter((unsigned char)byte_at(s, i + 1)))
            continue;
        *t = (struct token){TOKEN_QUOTED, str_trim(str_slice(s, 1, i)), 0, 1};
        return i + 1;
    }
    return 0;
}

/* One token at the front of `s`; returns how many bytes it took, 0 when it is over a limit. */
static size_t cut_one(struct str s, struct token *t)
{
    unsigned char c = (unsigned char)s.ptr[0];
    size_t took = 0;
    if (is_digit(c)) {
        took = cut_date(s, t);
        if (took == 0)
            took = cut_time(s, t);
        return took > 0 ? took : cut_number(s, t);
    }
    if (is_letter(c))
        return cut_word(s, t);
    if (c == '"' || c == '\'')
        took = cut_quoted(s, t);
    if (took > 0)
        return took;
    *t = (struct token){TOKEN_SIGN, str_slice(s, 0, 1), c, 1};
    return 1;
}

bool tokens_cut(struct str question, struct tokens *ret)
{
    size_t len = 0;
    ret->count = 0;
    if (!fold_text(question, ret->text, sizeof(ret->text), &len))
        return false;
    for (size_t at = 0; at < len;) {
        if ((unsigned char)ret->text[at] <= ' ') {
            at++;
            continue;
        }
        if (ret->count == QUESTION_TOKENS_MAX)
            return false;
        struct str rest = {ret->text + at, len - at};
        size_t took = cut_one(rest, &ret->items[ret->count]);
        if (took == 0)
            return false;
        DEBUG_CHECK(at + took <= len);
        ret->count++;
        at += took;
    }
    return ret->count > 0;
}

bool token_is_word(const struct token *t, const char *word)
{
    return t->type == TOKEN_WORD && str_equal(t->text, str_from(word));
}

bool token_is_sign(const struct token *t, char sign)
{
    return t->type == TOKEN_SIGN && t->text.ptr[0] == sign;
}

bool token_is_whole(const struct token *t)
{
    return t->type == TOKEN_NUMBER && t->scale == 1;
}

size_t tokens_find_word(const struct tokens *t, size_t from, const char *word)
{
    for (size_t i = from; i < t->count; i++)
        if (token_is_word(&t->items[i], word))
            return i;
    return SIZE_MAX;
}

bool tokens_have(const struct tokens *t, const char *word)
{
    return tokens_find_word(t, 0, word) != SIZE_MAX;
}

size_t tokens_match(const struct tokens *t, size_t at, const char *phrase)
{
    struct str rest = str_from(phrase);
    while (rest.len > 0) {
        struct str word = str_split(&rest, ' ');
        if (at >= t->count || t->items[at].type != TOKEN_WORD ||
            !str_equal(t->items[at].text, word))
            return 0;
        at++;
    }
    return at;
}

bool tokens_have_phrase(const struct tokens *t, const char *phrase)
{
    for (size_t i = 0; i < t->count; i++)
        if (tokens_match(t, i, phrase) > 0)
            return true;
    return false;
}
