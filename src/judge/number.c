/* Numbers as experts write them: see number.h. */
#include "judge/number.h"

#include <math.h>

#define NUMBER_BYTES_MAX 64
#define UNIT_BYTES_MAX   40

static const struct str minus_sign = {"\xe2\x88\x92", 3}; /* U+2212 */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool skip(struct str *s, struct str prefix)
{
    if (!str_starts(*s, prefix))
        return false;
    *s = str_slice(*s, prefix.len, s->len);
    return true;
}

/* Three digits and then none: what a thousands comma stands before. */
static bool is_thousand(struct str s, size_t at)
{
    return at + 3 <= s.len && is_digit(s.ptr[at]) && is_digit(s.ptr[at + 1]) &&
           is_digit(s.ptr[at + 2]) && (at + 3 == s.len || !is_digit(s.ptr[at + 3]));
}

/* Takes digits, thousands commas and one decimal point (with an exponent) off the front. In one piece because `i` and
 * `len` must agree at every step: what is copied to `plain` without the commas is exactly what is cut off `s`. */
static bool take_plain(struct str *s, double *ret)
{
    char plain[NUMBER_BYTES_MAX];
    size_t len = 0, i = 0;
    bool point = false;
    for (; i < s->len && len < sizeof(plain); i++) {
        char c = s->ptr[i];
        if (c == ',' && len > 0 && !point && is_thousand(*s, i + 1))
            continue;
        bool digit_next = i + 1 < s->len && is_digit(s->ptr[i + 1]);
        if (c == '.' && !point && (digit_next || len > 0))
            point = true;
        else if (!is_digit(c))
            break;
        plain[len++] = c;
    }
    if (i + 1 < s->len && len > 0 && (s->ptr[i] == 'e' || s->ptr[i] == 'E')) {
        size_t e = i + 1 + (s->ptr[i + 1] == '-' || s->ptr[i + 1] == '+'), digits = 0;
        while (e + digits < s->len && is_digit(s->ptr[e + digits]))
            digits++;
        for (size_t to = e + digits; digits > 0 && i < to && len < sizeof(plain); i++)
            plain[len++] = s->ptr[i];
    }
    if (len > 0 && plain[len - 1] == '.')
        len--;
    if (len == 0 || str_to_double((struct str){plain, len}, ret) != OK)
        return false;
    *s = str_slice(*s, i, s->len);
    return true;
}

/* "a/b" and "\frac{a}{b}". */
static bool take_value(struct str *s, double *ret)
{
    double top, bottom;
    if (skip(s, STR("\\frac{")) || skip(s, STR("\\dfrac{"))) {
        if (!take_plain(s, &top) || !skip(s, STR("}{")) || !take_plain(s, &bottom) ||
            !skip(s, STR("}")) || bottom == 0)
            return false;
        *ret = top / bottom;
        return isfinite(top / bottom);
    }
    if (!take_plain(s, &top))
        return false;
    struct str rest = *s;
    if (skip(&rest, STR("/")) && take_plain(&rest, &bottom) && bottom != 0) {
        top /= bottom;
        *s = rest;
    }
    *ret = top;
    return isfinite(top);
}

/* A unit is short, has no digit but behind "^", and starts with a letter, a per cent or a degree sign. */
static bool is_unit(struct str s)
{
    if (s.len > UNIT_BYTES_MAX)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (is_digit(s.ptr[i]) && (i == 0 || s.ptr[i - 1] != '^'))
            return false;
    s = str_trim(s);
    return s.len == 0 || s.ptr[0] == '%' || s.ptr[0] == '\\' || is_alnum(s.ptr[0]) ||
           (unsigned char)s.ptr[0] >= 0x80;
}

bool judge_number_read(struct str s, struct judge_number *ret)
{
    double value;
    s = str_trim(s);
    bool negative = skip(&s, STR("-")) || skip(&s, minus_sign);
    if (!skip(&s, STR("\\$")) && !skip(&s, STR("$")) && !skip(&s, STR("\xe2\x82\xac")) && !negative)
        skip(&s, STR("+"));
    if (!negative)
        negative = skip(&s, STR("-")) || skip(&s, minus_sign);
    if (!take_value(&s, &value) || !is_unit(s))
        return false;
    s = str_trim(s);
    skip(&s, STR("\\")); /* "50\%" */
    *ret = (struct judge_number){negative ? -value : value, s};
    return true;
}

bool judge_number_last(struct str text, struct str *ret)
{
    size_t end = text.len;
    while (end > 0 && !is_digit(text.ptr[end - 1]))
        end--;
    size_t from = end;
    while (from > 0 &&
           (is_digit(text.ptr[from - 1]) || text.ptr[from - 1] == ',' || text.ptr[from - 1] == '.'))
        from--;
    while (from < end && !is_digit(text.ptr[from]))
        from++;
    if (from == end)
        return false;
    if (from > 0 && text.ptr[from - 1] == '-' && (from == 1 || !is_alnum(text.ptr[from - 2])))
        from--;
    *ret = str_slice(text, from, end);
    return true;
}
