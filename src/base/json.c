/* The JSON scanner: one strict pass (json_parse), then iteration over spans that cannot fail. The iteration trusts that
 * pass: it must only be given values that json_parse, or an iteration over such values, returned.
 *
 * Pure functions of the caller's bytes: no state, no lock, any thread. Strings are skipped in blocks of sixteen bytes,
 * because most of a chat request is one long string. */
#include "base/json.h"

#include <string.h>

#include "base/check.h"

struct scan {
    const char *at, *begin, *end;
    const char *problem;
    enum status status;
};

static void skip_blanks(const char **at, const char *end)
{
    while (*at < end && (**at == ' ' || **at == '\n' || **at == '\r' || **at == '\t'))
        (*at)++;
}

static bool fail(struct scan *s, const char *problem)
{
    s->problem = problem;
    s->status = ERR_INPUT;
    return false;
}

/* Sixteen bytes at a time, by whatever vectors the compiler has. */
typedef unsigned char block __attribute__((vector_size(16)));

/* Where the first byte of 0xff is in bytes of 0 or 0xff; 16: there is none. */
static inline size_t first_set(block hits)
{
    uint64_t halves[2];
    memcpy(halves, &hits, sizeof(halves));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    halves[0] = __builtin_bswap64(halves[0]);
    halves[1] = __builtin_bswap64(halves[1]);
#endif
    if (halves[0])
        return (size_t)__builtin_ctzll(halves[0]) / 8;
    return halves[1] ? 8 + (size_t)__builtin_ctzll(halves[1]) / 8 : sizeof(block);
}

/* A bit for each byte of 0xff, from the lowest on. */
static inline uint32_t bits_of(block hits)
{
    const uint64_t lowest = UINT64_C(0x0101010101010101), gather = UINT64_C(0x0102040810204080);
    uint64_t halves[2];
    memcpy(halves, &hits, sizeof(halves));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    halves[0] = __builtin_bswap64(halves[0]);
    halves[1] = __builtin_bswap64(halves[1]);
#endif
    return (uint32_t)((halves[0] & lowest) * gather >> 56) |
           (uint32_t)((halves[1] & lowest) * gather >> 56) << 8;
}

/* What the byte behind a backslash stands for; 0: nothing, or four hexadecimal digits for 'u'. */
static const char escapes[256] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                  ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};
static const bool is_hex[256] = {
    ['0'] = true, ['1'] = true, ['2'] = true, ['3'] = true, ['4'] = true, ['5'] = true,
    ['6'] = true, ['7'] = true, ['8'] = true, ['9'] = true, ['a'] = true, ['b'] = true,
    ['c'] = true, ['d'] = true, ['e'] = true, ['f'] = true, ['A'] = true, ['B'] = true,
    ['C'] = true, ['D'] = true, ['E'] = true, ['F'] = true};

static bool scan_escape(struct scan *s)
{
    if (s->at == s->end)
        return fail(s, "the string does not end");
    char c = *s->at++;
    if (c == 'u') {
        for (int i = 0; i < 4; i++, s->at++)
            if (s->at == s->end || !is_hex[(unsigned char)*s->at])
                return fail(s, "\\u wants four hexadecimal digits");
        return true;
    }
    if (escapes[(unsigned char)c])
        return true;
    s->at--;
    return fail(s, "unknown escape in a string");
}

/* Skips the bytes that stand for themselves; `high` gets the bits of all bytes that were skipped in blocks. */
static const char *skip_plain(const char *at, const char *end, block *high)
{
    const block quote = (block){0} + '"', escape = (block){0} + '\\', blank = (block){0} + ' ';
    block v, seen = *high;
    for (; (size_t)(end - at) >= sizeof(v); at += sizeof(v)) {
        memcpy(&v, at, sizeof(v));
        size_t n = first_set((block)((v == quote) | (v == escape) | (v < blank)));
        seen |= v;
        if (n < sizeof(v)) {
            at += n;
            break;
        }
    }
    *high = seen;
    return at;
}

static bool is_ascii(block seen)
{
    uint64_t halves[2];
    memcpy(halves, &seen, sizeof(halves));
    return !((halves[0] | halves[1]) & UINT64_C(0x8080808080808080));
}

static bool scan_string(struct scan *s)
{
    const char *open = s->at++;
    block seen = {0};
    unsigned char rest = 0; /* what was read byte by byte */
    for (;;) {
        if (s->at < s->end && *s->at != '\\') /* one escape often follows another */
            s->at = skip_plain(s->at, s->end, &seen);
        if (s->at == s->end)
            break;
        unsigned char c = (unsigned char)*s->at++;
        rest |= c;
        if (c == '"') {
            struct str inside = {open + 1, (size_t)(s->at - open - 2)};
            bool good = (rest < 0x80 && is_ascii(seen)) || utf8_valid(inside);
            return good ? true : fail(s, "a string is not valid UTF-8");
        }
        if (c == '\\' && !scan_escape(s))
            return false;
        if (c < 0x20) {
            s->at--;
            return fail(s, "a control character in a string must be escaped");
        }
    }
    return fail(s, "the string does not end");
}

static bool scan_digits(struct scan *s)
{
    const char *first = s->at;
    while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
        s->at++;
    return s->at > first;
}

static bool scan_number(struct scan *s)
{
    if (*s->at == '-')
        s->at++;
    if (s->at < s->end && *s->at == '0')
        s->at++;
    else if (!scan_digits(s))
        return fail(s, "expected a value");
    if (s->at < s->end && *s->at == '.') {
        s->at++;
        if (!scan_digits(s))
            return fail(s, "a number wants digits after its point");
    }
    if (s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
        s->at++;
        if (s->at < s->end && (*s->at == '+' || *s->at == '-'))
            s->at++;
        if (!scan_digits(s))
            return fail(s, "a number wants digits in its exponent");
    }
    return true;
}

static bool scan_word(struct scan *s, struct str word)
{
    if (!str_starts((struct str){s->at, (size_t)(s->end - s->at)}, word))
        return fail(s, "expected a value");
    s->at += word.len;
    return true;
}

static bool scan_scalar(struct scan *s)
{
    switch (*s->at) {
    case '"':
        return scan_string(s);
    case 't':
        return scan_word(s, STR("true"));
    case 'f':
        return scan_word(s, STR("false"));
    case 'n':
        return scan_word(s, STR("null"));
    default:
        return scan_number(s);
    }
}

static bool scan_key(struct scan *s)
{
    skip_blanks(&s->at, s->end);
    if (s->at == s->end || *s->at != '"')
        return fail(s, "expected a key in double quotes");
    if (!scan_string(s))
        return false;
    skip_blanks(&s->at, s->end);
    if (s->at == s->end || *s->at != ':')
        return fail(s, "expected ':' after the key");
    s->at++;
    return true;
}

/* After a value inside a container: consumes closing brackets and the comma (and key) before the next value.
 * Returns false on error; *depth 0 means that the whole value is done. */
static bool scan_after(struct scan *s, const char *stack, size_t *depth)
{
    while (*depth) {
        skip_blanks(&s->at, s->end);
        if (s->at == s->end)
            return fail(s, "the text ends inside an array or object");
        char open = stack[*depth - 1];
        if (*s->at == ',') {
            s->at++;
            return open == '[' || scan_key(s);
        }
        if (*s->at != (open == '[' ? ']' : '}'))
            return fail(s, open == '[' ? "expected ',' or ']'" : "expected ',' or '}'");
        s->at++;
        (*depth)--;
    }
    return true;
}

/* Opens a container. Sets *empty when it closed at once (a value is then complete). */
static bool scan_open(struct scan *s, char *stack, size_t *depth, bool *empty)
{
    char open = *s->at;
    if (*depth == JSON_DEPTH_MAX) {
        fail(s, "nested too deeply");
        s->status = ERR_TOO_LARGE;
        return false;
    }
    s->at++;
    skip_blanks(&s->at, s->end);
    *empty = s->at < s->end && *s->at == (open == '[' ? ']' : '}');
    if (*empty) {
        s->at++;
        return true;
    }
    stack[(*depth)++] = open;
    return open == '[' || scan_key(s);
}

static bool scan_value(struct scan *s)
{
    char stack[JSON_DEPTH_MAX];
    size_t depth = 0;
    do {
        bool complete = true;
        skip_blanks(&s->at, s->end);
        if (s->at == s->end)
            return fail(s, "the text ends where a value is expected");
        if (*s->at == '[' || *s->at == '{') {
            if (!scan_open(s, stack, &depth, &complete))
                return false;
        } else if (!scan_scalar(s)) {
            return false;
        }
        if (complete && !scan_after(s, stack, &depth))
            return false;
    } while (depth);
    return true;
}

static enum json_type type_of(char first)
{
    switch (first) {
    case '{':
        return JSON_OBJECT;
    case '[':
        return JSON_ARRAY;
    case '"':
        return JSON_STRING;
    case 't':
        return JSON_TRUE;
    case 'f':
        return JSON_FALSE;
    case 'n':
        return JSON_NULL;
    default:
        return JSON_NUMBER;
    }
}

static enum status report(const struct scan *s, const char *place, size_t line_base,
                          struct error *err)
{
    size_t line = line_base, column = 1;
    for (const char *p = s->begin; p < s->at; p++) {
        column = *p == '\n' ? 1 : column + 1;
        line += *p == '\n';
    }
    if (s->status == ERR_TOO_LARGE)
        return error_set_at(err, s->status, place, line, column, "%s (at most %d levels)",
                            s->problem, JSON_DEPTH_MAX);
    return error_set_at(err, s->status, place, line, column, "not JSON: %s", s->problem);
}

enum status json_parse(struct str text, const char *place, size_t line_base, struct json_value *ret,
                       struct error *err)
{
    text = text.ptr ? text : STR(""); /* what nobody has written is no JSON, either */
    struct scan s = {text.ptr, text.ptr, text.ptr + text.len, NULL, OK};
    skip_blanks(&s.at, s.end);
    const char *first = s.at;
    if (!scan_value(&s))
        return report(&s, place, line_base, err);
    CHECK(s.at > first);
    CHECK(s.at <= s.end);
    struct json_value value = {type_of(*first), {first, (size_t)(s.at - first)}};
    skip_blanks(&s.at, s.end);
    if (s.at != s.end) {
        fail(&s, "more text after the value");
        return report(&s, place, line_base, err);
    }
    *ret = value;
    return OK;
}

/* Which of sixteen bytes are escaped, where `backslashes` are some of them: those behind an odd number in a row, found
 * by a carry that runs along it. *first: whether the first one is, and then whether the one behind the last is. */
static inline uint32_t escaped_bits(uint32_t backslashes, uint32_t *first)
{
    const uint32_t even = 0x5555;
    backslashes &= ~*first;
    uint32_t behind = backslashes << 1 | *first;
    uint32_t odd = backslashes & ~even & ~behind;
    uint32_t sum = odd + backslashes;
    *first = sum >> 16 & 1;
    return (even ^ sum << 1) & behind;
}

/* Goes on at a backslash while there are some in every sixteen bytes. *ret_closed: the result is behind the string. */
static const char *skip_escapes(const char *at, const char *end, bool *ret_closed)
{
    const block quote = (block){0} + '"', escape = (block){0} + '\\';
    uint32_t first = 0, backslashes = 1;
    for (block v; backslashes && (size_t)(end - at) >= sizeof(v); at += sizeof(v)) {
        memcpy(&v, at, sizeof(v));
        backslashes = bits_of((block)(v == escape));
        uint32_t quotes = bits_of((block)(v == quote)) & ~escaped_bits(backslashes, &first);
        if (quotes) {
            *ret_closed = true;
            return at + __builtin_ctz(quotes) + 1;
        }
    }
    *ret_closed = false;
    return at + first;
}

/* Skips the string at `at`, in a text known to be valid. Most strings are short: two calls of memchr would cost
 * more. */
static inline const char *skip_string(const char *at, const char *end)
{
    const block quote = (block){0} + '"', escape = (block){0} + '\\';
    bool closed = false;
    block v;
    for (at++; (size_t)(end - at) >= sizeof(v);) {
        memcpy(&v, at, sizeof(v));
        size_t n = first_set((block)((v == quote) | (v == escape)));
        at += n;
        if (n == sizeof(v))
            continue;
        if (*at == '"')
            return at + 1;
        at = skip_escapes(at, end, &closed);
        if (closed)
            return at;
    }
    while (*at != '"')
        at += *at == '\\' ? 2 : 1;
    return at + 1;
}

/* The bytes that give a container its shape: 1 opens one, 2 closes one, 3 begins a string. */
static const unsigned char structure[256] = {['['] = 1, ['{'] = 1, [']'] = 2, ['}'] = 2, ['"'] = 3};
static const bool ends_scalar[256] = {[','] = true,  [']'] = true,  ['}'] = true, [' '] = true,
                                      ['\n'] = true, ['\r'] = true, ['\t'] = true};

static inline const char *skip_value(const char *at, const char *end)
{
    if (*at == '"')
        return skip_string(at, end);
    if (*at != '[' && *at != '{') {
        while (at < end && !ends_scalar[(unsigned char)*at])
            at++;
        return at;
    }
    size_t depth = 0;
    do {
        unsigned char what = structure[(unsigned char)*at];
        if (what == 3) {
            at = skip_string(at, end);
            continue;
        }
        depth += what == 1;
        depth -= what == 2;
        at++;
    } while (depth);
    return at;
}

struct json_iter json_iter_begin(struct json_value container)
{
    if (container.type != JSON_ARRAY && container.type != JSON_OBJECT)
        return (struct json_iter){NULL, NULL};
    struct str raw = container.raw;
    CHECK(raw.len >= 2);
    return (struct json_iter){raw.ptr + 1, raw.ptr + raw.len - 1};
}

static inline bool has_escape(struct str inside)
{
    size_t i = 0;
    if (inside.len > 2 * sizeof(block))
        return memchr(inside.ptr, '\\', inside.len);
    while (i < inside.len && inside.ptr[i] != '\\')
        i++;
    return i < inside.len;
}

static inline void take_value(struct json_iter *it, struct json_value *item)
{
    skip_blanks(&it->at, it->end);
    const char *first = it->at;
    it->at = skip_value(first, it->end);
    *item = (struct json_value){type_of(*first), {first, (size_t)(it->at - first)}};
}

static inline bool more(struct json_iter *it)
{
    skip_blanks(&it->at, it->end);
    if (it->at == it->end)
        return false;
    if (*it->at == ',')
        it->at++;
    return true;
}

bool json_array_next(struct json_iter *it, struct json_value *item)
{
    if (!it->at || !more(it))
        return false;
    take_value(it, item);
    return true;
}

bool json_object_next(struct json_iter *it, struct json_value *key, struct json_value *item)
{
    if (!it->at || !more(it))
        return false;
    skip_blanks(&it->at, it->end);
    const char *first = it->at;
    it->at = skip_string(first, it->end);
    *key = (struct json_value){JSON_STRING, {first, (size_t)(it->at - first)}};
    skip_blanks(&it->at, it->end);
    it->at++; /* the colon */
    take_value(it, item);
    return true;
}

size_t json_key_index(struct json_value key, const struct str *names, size_t count)
{
    struct str inside = {key.raw.ptr + 1, key.raw.len - 2};
    for (size_t i = 0; i < count; i++)
        if (inside.len == names[i].len &&
            (inside.len == 0 ||
             (*inside.ptr == *names[i].ptr && !memcmp(inside.ptr, names[i].ptr, inside.len))))
            return i;
    if (!has_escape(inside)) /* few keys have any, so that is looked at last */
        return count;
    size_t i = 0;
    while (i < count && !json_string_equal(key, names[i]))
        i++;
    return i;
}

void json_members(struct json_value object, const struct str *names, size_t count,
                  struct json_value *values)
{
    struct json_value key, item;
    memset(values, 0, count * sizeof(*values));
    if (object.type != JSON_OBJECT)
        return;
    struct json_iter it = json_iter_begin(object);
    while (json_object_next(&it, &key, &item)) {
        size_t i = json_key_index(key, names, count);
        if (i < count)
            values[i] = item;
    }
}

bool json_is_filled(struct json_value list)
{
    struct json_iter it = json_iter_begin(list);
    struct json_value item;
    return list.type == JSON_ARRAY && json_array_next(&it, &item);
}

struct json_value json_get(struct json_value object, const char *key)
{
    struct json_value found;
    struct str name = str_from(key);
    json_members(object, &name, 1, &found);
    return found;
}

static uint32_t hex4(const char *p)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        v = v << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return v;
}

static size_t utf8_put(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n - 1; i; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(lead[n] | c);
    return n;
}

/* Decodes "\uXXXX" at p (just past the backslash and u), pairing surrogates. */
static const char *decode_unicode(const char *p, const char *end, uint32_t *ret)
{
    uint32_t c = hex4(p);
    p += 4;
    if (c >= 0xd800 && c < 0xdc00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u') {
        uint32_t low = hex4(p + 2);
        if (low >= 0xdc00 && low < 0xe000) {
            *ret = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            return p + 6;
        }
    }
    *ret = c >= 0xd800 && c < 0xe000 ? 0xfffd : c;
    return p;
}

/* One decoded character (or run byte) at p into out; returns the place after it. */
static const char *decode_one(const char *p, const char *end, char *out, size_t *n)
{
    if (*p != '\\') {
        *out = *p;
        *n = 1;
        return p + 1;
    }
    if (p[1] == 'u') {
        uint32_t c;
        p = decode_unicode(p + 2, end, &c);
        *n = utf8_put(c, out);
        return p;
    }
    *out = escapes[(unsigned char)p[1]];
    *n = 1;
    return p + 2;
}

bool json_string_equal(struct json_value string, struct str decoded)
{
    if (string.type != JSON_STRING)
        return false;
    const char *p = string.raw.ptr + 1, *end = string.raw.ptr + string.raw.len - 1;
    /* An escape is never shorter than what it stands for, and at most six times as long. Most differ at once. */
    if ((size_t)(end - p) < decoded.len || (size_t)(end - p) / 6 > decoded.len)
        return false;
    if (decoded.len > 0 && *p != '\\' && *p != decoded.ptr[0])
        return false;
    if (!has_escape((struct str){p, (size_t)(end - p)}))
        return str_equal((struct str){p, (size_t)(end - p)}, decoded);
    size_t at = 0;
    while (p < end) {
        char out[4];
        size_t n;
        p = decode_one(p, end, out, &n);
        if (decoded.len - at < n || memcmp(decoded.ptr + at, out, n) != 0)
            return false;
        at += n;
    }
    return at == decoded.len;
}

/* As many of the next sixteen bytes as stand for themselves, where there are so many; those behind them are written to
 * `out`, too, which has room for as much as is left of the text. */
static inline size_t copy_plain(const char *p, const char *end, char *out)
{
    const block escape = (block){0} + '\\';
    block v;
    if (*p == '\\' || (size_t)(end - p) < sizeof(v))
        return 0;
    memcpy(&v, p, sizeof(v));
    memcpy(out, &v, sizeof(v));
    return first_set((block)(v == escape));
}

static size_t decode_all(struct str inside, char *out)
{
    const char *p = inside.ptr, *end = p + inside.len;
    size_t len = 0;
    while (p < end) {
        size_t n = copy_plain(p, end, out + len);
        if (n > 0)
            p += n;
        else
            p = decode_one(p, end, out + len, &n);
        len += n;
    }
    CHECK(len <= inside.len);
    return len;
}

enum status json_string_decode(struct json_value string, struct arena *a, struct str *ret)
{
    if (string.type != JSON_STRING)
        return ERR_INPUT;
    struct str inside = {string.raw.ptr + 1, string.raw.len - 2};
    if (!memchr(inside.ptr, '\\', inside.len)) {
        *ret = inside;
        return OK;
    }
    /* An escape is never shorter than what it stands for. */
    char *out = arena_alloc(a, inside.len + 1);
    if (!out)
        return ERR_MEMORY;
    *ret = (struct str){out, decode_all(inside, out)};
    return OK;
}

enum status json_to_double(struct json_value number, double *ret)
{
    return number.type == JSON_NUMBER ? str_to_double(number.raw, ret) : ERR_INPUT;
}

enum status json_to_int64(struct json_value number, int64_t *ret)
{
    return number.type == JSON_NUMBER ? str_to_int64(number.raw, ret) : ERR_INPUT;
}
