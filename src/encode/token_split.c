/* Pieces of a text, as the regular expressions of tokenizers cut it. Each function tries one alternative of them at a
 * place and returns where it ends, or the place itself where it does not match; the order of the alternatives is that
 * of the expression. Backtracking is done by hand, and no text is looked at twice but for the run of white space or of
 * letters that a piece begins with. Pure functions, for any thread. */
#include "encode/token_split.h"

#include "encode/unicode_class.h"

struct point {
    enum unicode_class class;
    uint32_t code;
    size_t end;
};

static struct point point_at(struct str text, size_t at)
{
    static const unsigned char ascii[128] = {
        ['\t'] = UNICODE_SPACE, ['\n'] = UNICODE_SPACE, ['\v'] = UNICODE_SPACE,
        ['\f'] = UNICODE_SPACE, ['\r'] = UNICODE_SPACE, [' '] = UNICODE_SPACE,
    };
    struct point p = {.end = at};
    unsigned char byte = at < text.len ? (unsigned char)text.ptr[at] : 0;
    if (at >= text.len)
        return p; /* end == at: there is none */
    if (byte < 128) {
        p.code = byte;
        p.end++;
        p.class = (unsigned)((byte | 32) - 'a') < 26 ? (byte & 32 ? UNICODE_LOWER : UNICODE_UPPER)
                  : (unsigned)(byte - '0') < 10      ? UNICODE_NUMBER
                                                     : (enum unicode_class)ascii[byte];
        return p;
    }
    p.code = utf8_next(text, &p.end);
    p.class = unicode_class(p.code);
    return p;
}

static bool is_there(struct point p, size_t at)
{
    return p.end > at;
}

static bool is_letter(struct point p)
{
    return p.class == UNICODE_UPPER || p.class == UNICODE_LOWER || p.class == UNICODE_LETTER;
}

static bool is_line_end(struct point p)
{
    return p.code == '\n' || p.code == '\r';
}

/* Not white space, letter or number. */
static bool is_sign(struct point p)
{
    return p.class == UNICODE_OTHER || p.class == UNICODE_MARK;
}

static size_t skip_letters(struct str text, size_t at)
{
    struct point p;
    while (is_there(p = point_at(text, at), at) && is_letter(p))
        at = p.end;
    return at;
}

static size_t skip_signs(struct str text, size_t at)
{
    struct point p;
    while (is_there(p = point_at(text, at), at) && is_sign(p))
        at = p.end;
    return at;
}

/* At most `max` of them; 0: any number. */
static size_t skip_numbers(struct str text, size_t at, size_t max)
{
    struct point p;
    for (size_t n = 0;
         (max == 0 || n < max) && is_there(p = point_at(text, at), at) && p.class == UNICODE_NUMBER;
         n++)
        at = p.end;
    return at;
}

/* 's 't 're 've 'm 'll 'd */
static size_t contraction(struct str text, size_t at, bool any_case)
{
    static const struct str all[] = {STR_INIT("s"),  STR_INIT("t"), STR_INIT("re"), STR_INIT("ve"),
                                     STR_INIT("ll"), STR_INIT("m"), STR_INIT("d")};
    if (at >= text.len || text.ptr[at] != '\'')
        return at;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        size_t n = 0;
        while (n < all[i].len && at + 1 + n < text.len &&
               (text.ptr[at + 1 + n] | (any_case ? 32 : 0)) == all[i].ptr[n])
            n++;
        if (n == all[i].len)
            return at + 1 + n;
    }
    return at;
}

/* `\s+(?!\S)|\s+`: of white space before a word, the last one is left to the word. */
static size_t spaces(struct str text, size_t at)
{
    size_t last = at, end = at;
    struct point p;
    while (is_there(p = point_at(text, end), end) && p.class == UNICODE_SPACE) {
        last = end;
        end = p.end;
    }
    return end == text.len || last == at ? end : last;
}

/* `\s*[\r\n]+` */
static size_t line_ends(struct str text, size_t at)
{
    size_t end = at, found = at;
    struct point p;
    while (is_there(p = point_at(text, end), end) && p.class == UNICODE_SPACE) {
        end = p.end;
        if (is_line_end(p))
            found = end;
    }
    return found;
}

/* ` ?[^\s\p{L}\p{N}]+`, and what of `tail` follows */
static size_t signs(struct str text, size_t at, const char *tail)
{
    size_t from = at + (at < text.len && text.ptr[at] == ' ');
    size_t end = skip_signs(text, from);
    if (end == from)
        return at;
    while (end < text.len && text.ptr[end] &&
           str_find(str_from(tail), (struct str){text.ptr + end, 1}, 0) != SIZE_MAX)
        end++;
    return end;
}

/* `[^\r\n\p{L}\p{N}]?`: what may stand before a word */
static size_t before_word(struct str text, size_t at)
{
    struct point p = point_at(text, at);
    bool may = is_there(p, at) && !is_line_end(p) && !is_letter(p) && p.class != UNICODE_NUMBER;
    return may ? p.end : at;
}

/* The words of o200k: capitals first, then small letters; what is neither counts as both. */

static bool is_capital(struct point p)
{
    return p.class == UNICODE_UPPER || p.class == UNICODE_LETTER || p.class == UNICODE_MARK;
}

static bool is_small(struct point p)
{
    return p.class == UNICODE_LOWER || p.class == UNICODE_LETTER || p.class == UNICODE_MARK;
}

static size_t skip_small(struct str text, size_t at)
{
    struct point p;
    while (is_there(p = point_at(text, at), at) && is_small(p))
        at = p.end;
    return at;
}

/* `[capitals]*[small]+`: where no small letter follows the capitals, the last of them that counts as both is one. */
static size_t word_with_small(struct str text, size_t at)
{
    size_t end = at, both = at;
    struct point p;
    while (is_there(p = point_at(text, end), end) && is_capital(p)) {
        end = p.end;
        if (is_small(p))
            both = end;
    }
    size_t small = skip_small(text, end);
    return small > end ? small : both;
}

/* `[capitals]+[small]*` */
static size_t word_with_capitals(struct str text, size_t at)
{
    size_t end = at;
    struct point p;
    while (is_there(p = point_at(text, end), end) && is_capital(p))
        end = p.end;
    return end > at ? skip_small(text, end) : at;
}

static size_t word_o200k(struct str text, size_t at)
{
    static size_t (*const forms[])(struct str, size_t) = {word_with_small, word_with_capitals};
    const size_t from[2] = {before_word(text, at), at};
    for (size_t i = 0; i < 2; i++)
        for (size_t k = from[0] == at; k < 2; k++) {
            size_t end = forms[i](text, from[k]);
            if (end > from[k])
                return contraction(text, end, true);
        }
    return at;
}

static size_t word_cl100k(struct str text, size_t at)
{
    size_t from = before_word(text, at), end = skip_letters(text, from);
    return end > from ? end : at;
}

/* One of them always matches: a letter, a number, white space, or what is none of these. */

static size_t next_gpt2(struct str text, size_t at)
{
    size_t from = at + (text.ptr[at] == ' '), end = contraction(text, at, false);
    if (end == at && (end = skip_letters(text, from)) == from)
        end = at;
    if (end == at && (end = skip_numbers(text, from, 0)) == from)
        end = at;
    if (end == at)
        end = signs(text, at, "");
    return end > at ? end : spaces(text, at);
}

static size_t next_later(const struct token_split *s, struct str text, size_t at)
{
    bool o200k = s->kind == TOKEN_SPLIT_O200K;
    size_t end = o200k ? word_o200k(text, at) : contraction(text, at, true);
    if (end == at && !o200k)
        end = word_cl100k(text, at);
    if (end == at)
        end = skip_numbers(text, at, s->digits_max);
    if (end == at)
        end = signs(text, at, o200k ? "\r\n/" : "\r\n");
    if (end == at)
        end = line_ends(text, at);
    return end > at ? end : spaces(text, at);
}

size_t token_split_next(const struct token_split *s, struct str text, size_t at)
{
    if (s->digits_apart) {
        struct point p = point_at(text, at);
        if (p.class == UNICODE_NUMBER)
            return p.end;
        size_t end = p.end;
        while (is_there(p = point_at(text, end), end) && p.class != UNICODE_NUMBER &&
               end < at + 256) /* farther than any white space matters */
            end = p.end;
        if (is_there(p, end) && p.class == UNICODE_NUMBER)
            text.len = end;
    }
    return s->kind == TOKEN_SPLIT_GPT2 ? next_gpt2(text, at) : next_later(s, text, at);
}

/* One piece: a table of expressions that share their parts. */
bool token_split_find(struct str regex, struct token_split *ret)
{
#define CONTRACTIONS "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define CAPITALS     "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define SMALL        "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define SPACES       "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define LATER(numbers)                                                                             \
    CONTRACTIONS "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" numbers "| "                                    \
                 "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*" SPACES
    static const struct {
        struct str regex;
        struct token_split split;
    } known[] = {
        {STR_INIT(
             "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"),
         {TOKEN_SPLIT_GPT2, 0, false}},
        {STR_INIT(LATER("\\p{N}{1,3}")), {TOKEN_SPLIT_CL100K, 3, false}},
        {STR_INIT(LATER("\\p{N}")), {TOKEN_SPLIT_CL100K, 1, false}},
        {STR_INIT("[^\\r\\n\\p{L}\\p{N}]?" CAPITALS "*" SMALL "+" CONTRACTIONS
                  "?|[^\\r\\n\\p{L}\\p{N}]?" CAPITALS "+" SMALL "*" CONTRACTIONS
                  "?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*" SPACES),
         {TOKEN_SPLIT_O200K, 3, false}},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (str_equal(regex, known[i].regex)) {
            *ret = known[i].split;
            return true;
        }
    return false;
}
