/* Slices, number parsing and UTF-8. Numbers are parsed from a short copy on the stack, because strtod and strtoll want
 * a NUL, skip blanks and accept spellings ("inf", "0x1") that no input of ours may use.
 *
 * Pure functions of the caller's bytes, any thread; nothing here allocates. */
#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_BYTES_MAX 63

struct str str_from(const char *c_string)
{
    return (struct str){c_string, c_string ? strlen(c_string) : 0};
}

bool str_equal(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || !memcmp(a.ptr, b.ptr, a.len));
}

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool str_equal_nocase(struct str a, struct str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    return true;
}

bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_equal((struct str){s.ptr, prefix.len}, prefix);
}

bool str_ends(struct str s, struct str suffix)
{
    return s.len >= suffix.len &&
           str_equal((struct str){s.ptr + (s.len - suffix.len), suffix.len}, suffix);
}

int str_compare(struct str a, struct str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n ? memcmp(a.ptr, b.ptr, n) : 0;
    if (order)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
    while (s.len && is_blank(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len && is_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

struct str str_slice(struct str s, size_t from, size_t to)
{
    if (to > s.len)
        to = s.len;
    if (from > to)
        from = to;
    return (struct str){s.ptr ? s.ptr + from : NULL, to - from};
}

size_t str_find(struct str s, struct str needle, size_t from)
{
    if (from > s.len)
        return SIZE_MAX;
    if (!needle.len)
        return from;
    const char *hit =
        s.len > from ? memmem(s.ptr + from, s.len - from, needle.ptr, needle.len) : NULL;
    return hit ? (size_t)(hit - s.ptr) : SIZE_MAX;
}

struct str str_split(struct str *rest, char sep)
{
    const char *hit = rest->len ? memchr(rest->ptr, sep, rest->len) : NULL;
    struct str head = *rest;
    if (hit) {
        head.len = (size_t)(hit - rest->ptr);
        *rest = str_slice(*rest, head.len + 1, rest->len);
    } else {
        *rest = (struct str){rest->ptr ? rest->ptr + rest->len : NULL, 0};
    }
    return head;
}

/* strtod and friends want a NUL and skip blanks; a slice has no NUL and may not start with blanks. */
static bool number_copy(struct str s, char *into)
{
    if (!s.len || s.len > NUMBER_BYTES_MAX || memchr(s.ptr, 0, s.len))
        return false;
    char first = s.ptr[0];
    if (!(first == '-' || first == '+' || first == '.' || (first >= '0' && first <= '9')))
        return false;
    memcpy(into, s.ptr, s.len);
    into[s.len] = 0;
    return true;
}

enum status str_to_double(struct str s, double *ret)
{
    char copy[NUMBER_BYTES_MAX + 1];
    if (!number_copy(s, copy) || strpbrk(copy, "xXpPnNiI"))
        return ERR_INPUT;
    char *end;
    double value = strtod(copy, &end);
    if (end != copy + s.len || !isfinite(value))
        return ERR_INPUT;
    *ret = value;
    return OK;
}

enum status str_to_int64(struct str s, int64_t *ret)
{
    int64_t plain = 0;
    size_t digits = 0;
    for (; digits < s.len && digits < 18 && s.ptr[digits] >= '0' && s.ptr[digits] <= '9'; digits++)
        plain = plain * 10 + (s.ptr[digits] - '0');
    if (digits > 0 && digits == s.len) { /* nearly always */
        *ret = plain;
        return OK;
    }
    char copy[NUMBER_BYTES_MAX + 1];
    if (!number_copy(s, copy))
        return ERR_INPUT;
    char *end;
    errno = 0;
    long long value = strtoll(copy, &end, 10);
    if (end != copy + s.len || errno)
        return ERR_INPUT;
    *ret = value;
    return OK;
}

enum status str_to_uint64(struct str s, uint64_t *ret)
{
    char copy[NUMBER_BYTES_MAX + 1];
    if (!number_copy(s, copy) || copy[0] == '-')
        return ERR_INPUT;
    char *end;
    errno = 0;
    unsigned long long value = strtoull(copy, &end, 10);
    if (end != copy + s.len || errno)
        return ERR_INPUT;
    *ret = value;
    return OK;
}

enum status str_to_hash(struct str s, uint64_t *ret)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t value = 0;
    if (s.len != 16)
        return ERR_INPUT;
    for (size_t i = 0; i < s.len; i++) {
        const char *at = memchr(digits, s.ptr[i], 16);
        if (!at)
            return ERR_INPUT;
        value = value << 4 | (uint64_t)(at - digits);
    }
    *ret = value;
    return OK;
}

/* Length of the well-formed sequence at p (Unicode 15, table 3-7), or 0. */
static size_t utf8_length(const unsigned char *p, size_t left)
{
    unsigned char c = p[0];
    if (c < 0x80)
        return 1;
    size_t n = c >= 0xc2 && c <= 0xdf ? 2 : (c & 0xf0) == 0xe0 ? 3 : c >= 0xf0 && c <= 0xf4 ? 4 : 0;
    if (!n || left < n)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((c == 0xe0 && p[1] < 0xa0) || (c == 0xed && p[1] > 0x9f) || (c == 0xf0 && p[1] < 0x90) ||
        (c == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

bool utf8_valid(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    size_t at = 0;
    while (at < s.len) {
        uint64_t word;
        if (s.len - at >= 8) {
            memcpy(&word, p + at, 8);
            if (!(word & 0x8080808080808080u)) {
                at += 8;
                continue;
            }
        }
        size_t n = utf8_length(p + at, s.len - at);
        if (!n)
            return false;
        at += n;
    }
    return true;
}

bool str_is_ascii(struct str s)
{
    typedef uint64_t block __attribute__((vector_size(32))); /* as the compiler has them */
    block v, w, any = {0};
    size_t at = 0;
    for (; s.len - at >= 2 * sizeof(v); at += 2 * sizeof(v)) {
        memcpy(&v, s.ptr + at, sizeof(v));
        memcpy(&w, s.ptr + at + sizeof(v), sizeof(w));
        any |= v | w;
    }
    uint64_t bits = any[0] | any[1] | any[2] | any[3], word;
    for (; s.len - at >= sizeof(word); at += sizeof(word)) {
        memcpy(&word, s.ptr + at, sizeof(word));
        bits |= word;
    }
    for (; at < s.len; at++)
        bits |= (unsigned char)s.ptr[at];
    return (bits & 0x8080808080808080u) == 0;
}

struct str utf8_cut(struct str s, size_t bytes_max)
{
    if (s.len <= bytes_max)
        return s;
    while (bytes_max > 0 && ((unsigned char)s.ptr[bytes_max] & 0xc0) == 0x80)
        bytes_max--;
    return str_slice(s, 0, bytes_max);
}

size_t utf8_count(struct str s)
{
    if (str_is_ascii(s))
        return s.len;
    typedef unsigned char block __attribute__((vector_size(16))); /* as the compiler has them */
    const block top = (block){0} + 0xc0, continued = (block){0} + 0x80;
    size_t at = 0, inner = 0;
    while (s.len - at >= sizeof(block)) {
        block v, sums = {0}; /* of up to 255 blocks, so that none overflows */
        for (int i = 0; i < 255 && s.len - at >= sizeof(v); i++, at += sizeof(v)) {
            memcpy(&v, s.ptr + at, sizeof(v));
            sums -= (block)((v & top) == continued); /* -1 where it holds */
        }
        for (size_t i = 0; i < sizeof(sums); i++)
            inner += sums[i];
    }
    for (; at < s.len; at++)
        inner += ((unsigned char)s.ptr[at] & 0xc0) == 0x80;
    return s.len - inner;
}

uint32_t utf8_next(struct str s, size_t *at)
{
    const unsigned char *p = (const unsigned char *)s.ptr + *at;
    size_t n = utf8_length(p, s.len - *at);
    if (!n) {
        (*at)++;
        return 0xfffd;
    }
    static const unsigned char first_mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t c = p[0] & first_mask[n];
    for (size_t i = 1; i < n; i++)
        c = c << 6 | (p[i] & 0x3f);
    *at += n;
    return c;
}

static bool is_mark(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069) || c == 0x200e || c == 0x200f || c == 0xfeff;
}

/* Eight bytes are all from 0x20 to 0x7e. */
static bool is_plain(uint64_t word)
{
    const uint64_t ones = UINT64_MAX / 255, top = ones << 7;
    uint64_t low = word - ones * 0x20, del = word ^ (ones * 0x7f);
    return !((word | low | (del - ones)) & top);
}

static bool is_invalid(struct str s, size_t from, size_t to, uint32_t c)
{
    return c == 0xfffd && to == from + 1 && (unsigned char)s.ptr[from] >= 0x80;
}

/* How many of the first bytes are printable ASCII, at least: whole blocks of them. */
static size_t plain_blocks(struct str s)
{
    typedef signed char block __attribute__((vector_size(16))); /* as the compiler has them */
    block v;
    uint64_t halves[2];
    size_t at = 0;
    for (; s.len - at >= sizeof(v); at += sizeof(v)) {
        memcpy(&v, s.ptr + at, sizeof(v));
        v = (v < 0x20) | (v == 0x7f); /* bytes of 0x80 and more are below, too */
        memcpy(halves, &v, sizeof(v));
        if (halves[0] | halves[1])
            break;
    }
    return at;
}

bool utf8_printable(struct str s)
{
    size_t at = plain_blocks(s);
    while (at < s.len) {
        uint64_t word;
        if (s.len - at >= sizeof(word)) {
            memcpy(&word, s.ptr + at, sizeof(word));
            if (is_plain(word)) {
                at += sizeof(word);
                continue;
            }
        }
        size_t from = at;
        uint32_t c = utf8_next(s, &at);
        if (is_mark(c) || is_invalid(s, from, at, c))
            return false;
    }
    return true;
}

size_t utf8_make_printable(char *into, size_t size, struct str s)
{
    size_t n = 0, at = 0;
    while (at < s.len) {
        size_t from = at;
        uint32_t c = utf8_next(s, &at);
        struct str with = str_slice(s, from, at);
        if (is_mark(c))
            with = STR(" ");
        else if (is_invalid(s, from, at, c))
            with = STR("\xef\xbf\xbd");
        if (n + with.len >= size)
            break;
        memcpy(into + n, with.ptr, with.len);
        n += with.len;
    }
    into[n] = 0;
    return n;
}

const char *utf8_mend(struct str s)
{
    if (str_starts(s, STR("\xff\xfe")) || str_starts(s, STR("\xfe\xff")))
        return "this is UTF-16; save the file as UTF-8";
    return utf8_valid(s) ? NULL : "this is not UTF-8; save the file as UTF-8";
}
