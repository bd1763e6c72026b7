/* Taking secrets out of texts that others wrote.
 *
 * The plain spelling is found by a search for bytes. Any other one has a backslash in it, and everything in front of
 * its first is plain: so only at backslashes is there something to try, and only where what is escaped is a character
 * of the secret that fits with the bytes in front. Nothing here keeps state; any thread. */
#include "expert/redact.h"

#include <stddef.h>
#include <string.h>

/* Escapes */

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static struct str utf8_write(uint32_t c, char into[4])
{
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n; i-- > 1; c >>= 6)
        into[i] = (char)(0x80 | (c & 0x3f));
    into[0] = (char)(lead[n] | c);
    return (struct str){into, n};
}

static bool next_is(struct str text, size_t *at, int level, char wanted)
{
    char bytes[4];
    size_t from = *at;
    if (from < text.len) {
        struct str c = redact_unescape(text, at, level, bytes);
        if (c.len == 1 && *c.ptr == wanted)
            return true;
    }
    *at = from;
    return false;
}

/* The four digits behind \u. */
static bool read_unit(struct str text, size_t *at, int level, uint32_t *ret)
{
    uint32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        char bytes[4];
        struct str c = *at < text.len ? redact_unescape(text, at, level, bytes) : STR("");
        int digit = c.len == 1 ? hex_value(*c.ptr) : -1;
        if (digit < 0)
            return false;
        unit = unit << 4 | (uint32_t)digit;
    }
    *ret = unit;
    return true;
}

/* Behind \u; the second half of a pair is read with the first. A lone surrogate is U+FFFD. */
static bool read_unicode(struct str text, size_t *at, int level, uint32_t *ret)
{
    uint32_t high = 0, low = 0;
    if (!read_unit(text, at, level, &high))
        return false;
    *ret = high;
    if (high < 0xd800 || high > 0xdfff)
        return true;
    size_t behind = *at;
    *ret = 0xfffd;
    if (high < 0xdc00 && next_is(text, at, level, '\\') && next_is(text, at, level, 'u') &&
        read_unit(text, at, level, &low) && low >= 0xdc00 && low <= 0xdfff)
        *ret = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    else
        *at = behind;
    return true;
}

static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";

/* The outermost level, which nearly every call is about: a plain byte, an escape of a letter, or \u below 80. The other
 * ones go the long way; false. */
static bool unescape_fast(struct str text, size_t *at, char *ret)
{
    const char *p = text.ptr + *at;
    size_t left = text.len - *at;
    const char *hit = left > 1 && p[0] == '\\' ? memchr(letters, p[1], sizeof(letters) - 1) : NULL;
    int high = left > 5 && !memcmp(p, "\\u00", 4) ? hex_value(p[4]) : -1;
    int low = high >= 0 && high < 8 ? hex_value(p[5]) : -1;
    if (p[0] != '\\')
        *ret = p[0];
    else if (hit)
        *ret = meant[hit - letters];
    else if (low >= 0)
        *ret = (char)(high << 4 | low);
    else
        return false;
    *at += p[0] != '\\' ? 1 : hit ? 2 : 6;
    return true;
}

struct str redact_unescape(struct str text, size_t *at, int level, char into[4])
{
    if (level == 1 && unescape_fast(text, at, into))
        return (struct str){into, 1};
    if (level == 0) {
        into[0] = text.ptr[(*at)++];
        return (struct str){into, 1};
    }
    struct str c = redact_unescape(text, at, level - 1, into);
    if (c.len != 1 || *c.ptr != '\\')
        return c;
    size_t behind = *at;
    char bytes[4];
    struct str kind = *at < text.len ? redact_unescape(text, at, level - 1, bytes) : STR("");
    const char *hit = kind.len == 1 ? memchr(letters, *kind.ptr, sizeof(letters) - 1) : NULL;
    uint32_t code = 0;
    if (hit)
        return utf8_write((unsigned char)meant[hit - letters], into);
    if (kind.len == 1 && *kind.ptr == 'u' && read_unicode(text, at, level - 1, &code))
        return utf8_write(code, into);
    *at = behind;
    into[0] = '\\';
    return (struct str){into, 1};
}

/* Searching */

/* Where the secret ends that begins at `at`; SIZE_MAX: it does not. *deeper: a deeper level may read it otherwise. */
static size_t match(struct str text, size_t at, int level, struct str secret, bool *deeper)
{
    for (size_t matched = 0; matched < secret.len;) {
        char bytes[4];
        struct str c = at < text.len ? redact_unescape(text, &at, level, bytes) : STR("");
        *deeper |= c.len == 1 && *c.ptr == '\\';
        if (c.len == 0 || c.len > secret.len - matched ||
            memcmp(secret.ptr + matched, c.ptr, c.len) != 0)
            return SIZE_MAX;
        matched += c.len;
    }
    return at;
}

struct span {
    size_t from, to; /* from SIZE_MAX: there is none */
};

/* The secret with its first escape at `at`, read at one level. */
static struct span around(struct str text, size_t from, size_t at, int level, struct str secret,
                          bool *deeper)
{
    char bytes[4];
    size_t behind = at;
    struct str c = redact_unescape(text, &behind, level, bytes);
    const char *end = secret.ptr + secret.len;
    *deeper = c.len == 1 && *c.ptr == '\\';
    for (const char *hit = secret.ptr; (hit = memchr(hit, *c.ptr, (size_t)(end - hit))) &&
                                       (size_t)(hit - secret.ptr) <= at - from;
         hit++) {
        size_t before = (size_t)(hit - secret.ptr);
        if (memcmp(text.ptr + at - before, secret.ptr, before) != 0)
            continue;
        size_t to = match(text, at - before, level, secret, deeper);
        if (to != SIZE_MAX)
            return (struct span){at - before, to};
    }
    return (struct span){SIZE_MAX, 0};
}

/* Control characters are in no secret: a key has to be a header's value. */
static bool may_mean(char letter, struct str secret)
{
    return letter == 'u' || letter == '\\' ||
           ((letter == '"' || letter == '/') && memchr(secret.ptr, letter, secret.len));
}

/* Whether the escape at `at` may stand for a character of the secret, at any level. Most are quotes and ends of lines.
 */
static bool is_worth_trying(struct str text, size_t at, struct str secret)
{
    char letter = text.ptr[at + 1], bytes[4];
    if (letter == '\\')
        return at + 2 < text.len && may_mean(text.ptr[at + 2], secret);
    if (letter != 'u')
        return may_mean(letter, secret);
    struct str c = redact_unescape(text, &at, 1, bytes);
    return *c.ptr == '\\' || memchr(secret.ptr, *c.ptr, secret.len);
}

/* Over most of a long row of backslashes: only the last ones can spell a character, and how they pair is kept. */
static const char *skip_row(const char *p, const char *end)
{
    const ptrdiff_t most = 1 << REDACT_LEVELS;
    const char *q = p;
    while (q < end && *q == '\\')
        q++;
    return q - p > 2 * most ? p + (q - p - most) / most * most : p;
}

static struct span find_at(struct str text, size_t from, size_t at, struct str secret)
{
    struct span found = {SIZE_MAX, 0};
    bool deeper = true;
    for (int level = 1; level <= REDACT_LEVELS && deeper && found.from == SIZE_MAX; level++)
        found = around(text, from, at, level, secret, &deeper);
    return found;
}

/* The first spelling with an escape at or after `from`. */
static struct span find_escaped(struct str text, size_t from, struct str secret)
{
    struct span found = {SIZE_MAX, 0};
    const char *end = text.ptr + text.len, *p = text.ptr + from;
    for (; p < end && (p = memchr(p, '\\', (size_t)(end - p))) && end - p > 1; p += 2) {
        p = skip_row(p, end);
        if (is_worth_trying(text, (size_t)(p - text.ptr), secret))
            found = find_at(text, from, (size_t)(p - text.ptr), secret);
        if (found.from != SIZE_MAX)
            break;
    }
    return found;
}

/* A plain one. Where its first byte is the letter of an escape in front of it, the backslash goes, too, or what stays
 * would be no JSON. */
static struct span find_plain(struct str text, size_t from, struct str secret)
{
    size_t hit = str_find(text, secret, from), slashes = 0;
    if (hit == SIZE_MAX)
        return (struct span){SIZE_MAX, 0};
    while (hit - slashes > from && text.ptr[hit - slashes - 1] == '\\')
        slashes++;
    return (struct span){hit - slashes % 2, hit + secret.len};
}

struct str redact(struct str text, struct str secret, struct buf *into)
{
    if (secret.len < REDACT_SECRET_BYTES_MIN)
        return text;
    struct span plain = find_plain(text, 0, secret), escaped = find_escaped(text, 0, secret);
    size_t from = 0;
    if (plain.from == SIZE_MAX && escaped.from == SIZE_MAX)
        return text;
    buf_clear(into);
    while (plain.from != SIZE_MAX || escaped.from != SIZE_MAX) {
        struct span next = plain.from < escaped.from ? plain : escaped;
        buf_add(into, str_slice(text, from, next.from));
        buf_add(into, STR(REDACTED));
        from = next.to;
        if (plain.from != SIZE_MAX && plain.from < from)
            plain = find_plain(text, from, secret);
        if (escaped.from != SIZE_MAX && escaped.from < from)
            escaped = find_escaped(text, from, secret);
    }
    buf_add(into, str_slice(text, from, text.len));
    return into->status == OK ? buf_str(into) : STR(REDACTED);
}
