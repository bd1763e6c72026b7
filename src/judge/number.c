/* Numbers as experts write them: see number.h.
 *
 * Pure functions of the caller's text, any thread. A number is taken off the front of a text piece by piece: sign and
 * currency, digits with what parts thousands and decimals in one of several countries, a fraction, a power of ten.
 * Where a spelling may mean two things, the English one is meant: "1,234" is above a thousand; "1,5" can only be one
 * and a half. */
#include "judge/number.h"

#include <math.h>
#include <string.h>

#define NUMBER_BYTES_MAX 64
#define UNIT_BYTES_MAX   40
#define COUNT(array)     (sizeof(array) / sizeof((array)[0]))

/* Between groups of three digits. A full stop is one, too, where there are several or a decimal comma follows. */
static const char *const thousands[] = {",",      "'",   "’",    " ",   "\u00a0", "\u202f",
                                        "\u2009", "{,}", ",\\!", "\\,", "\\ "};

/* Before a number, and no part of its value; "x =" is read apart. */
static const char *const prefixes[] = {"about ",   "approximately ",
                                       "approx. ", "around ",
                                       "roughly ", "nearly ",
                                       "exactly ", "ca. ",
                                       "circa ",   "etwa ",
                                       "environ ", "=",
                                       "≈",        "~",
                                       "\\approx", ":",
                                       "US$",      "\\$",
                                       "$",        "€",
                                       "£",        "¥",
                                       "₹",        "USD ",
                                       "EUR ",     "GBP ",
                                       "CHF ",     "JPY ",
                                       "CNY ",     "RMB ",
                                       "INR ",     "Rs. ",
                                       "Rs ",      "km ",
                                       "cm ",      "mm ",
                                       "kg ",      "mg ",
                                       "lb ",      "ft ",
                                       "mph "};

static const struct {
    const char *sign;
    double value;
} fractions[] = {{"½", 1. / 2}, {"¼", 1. / 4}, {"¾", 3. / 4}, {"⅓", 1. / 3}, {"⅔", 2. / 3},
                 {"⅕", 1. / 5}, {"⅖", 2. / 5}, {"⅗", 3. / 5}, {"⅘", 4. / 5}, {"⅙", 1. / 6},
                 {"⅛", 1. / 8}, {"⅜", 3. / 8}, {"⅝", 5. / 8}, {"⅞", 7. / 8}};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool skip(struct str *s, const char *prefix)
{
    size_t len = strlen(prefix);
    if (!str_equal_nocase(str_slice(*s, 0, len), (struct str){prefix, len}))
        return false;
    *s = str_slice(*s, len, s->len);
    return true;
}

static void skip_blanks(struct str *s)
{
    while (skip(s, " ") || skip(s, "\t") || skip(s, "~") || skip(s, "\\,") || skip(s, "\\;") ||
           skip(s, "\\ ") || skip(s, "\u00a0"))
        ;
}

static size_t digits_at(struct str s, size_t at)
{
    size_t n = 0;
    while (at + n < s.len && is_digit(s.ptr[at + n]))
        n++;
    return n;
}

/* Bytes of a mark between thousands at s[at], with just three digits behind it; 0: none. */
static size_t thousands_mark(struct str s, size_t at)
{
    for (size_t i = 0; i < COUNT(thousands); i++) {
        size_t len = strlen(thousands[i]);
        if (at + len < s.len && !memcmp(s.ptr + at, thousands[i], len) &&
            digits_at(s, at + len) == 3)
            return len;
    }
    return 0;
}

/* "1.234.567" and "1.234,5", but not "1.234": whether full stops part the thousands of what begins the text. */
static bool has_dotted_thousands(struct str s)
{
    size_t at = digits_at(s, 0), groups = 0;
    if (at == 0 || at > 3)
        return false;
    while (at < s.len && s.ptr[at] == '.' && digits_at(s, at + 1) == 3) {
        at += 4;
        groups++;
    }
    bool comma = at < s.len && s.ptr[at] == ',' && digits_at(s, at + 1) > 0;
    return groups > 1 || (groups == 1 && comma);
}

/* The digits of one number, without what parts its thousands and with '.' before its decimals. */
struct plain {
    char digits[NUMBER_BYTES_MAX];
    size_t len;
};

static void add(struct plain *p, char c)
{
    if (p->len < sizeof(p->digits))
        p->digits[p->len] = c;
    p->len++;
}

/* Bytes of whole digits with their thousands. */
static size_t take_whole(struct str s, bool dotted, struct plain *p)
{
    size_t at = 0;
    for (;;) {
        size_t n = digits_at(s, at), mark = 0;
        for (size_t i = 0; i < n; i++)
            add(p, s.ptr[at + i]);
        at += n;
        if (dotted)
            mark = at < s.len && s.ptr[at] == '.' && digits_at(s, at + 1) == 3;
        else if (p->len <= 3 || n == 3)
            mark = n > 0 ? thousands_mark(s, at) : 0;
        if (mark == 0)
            return at;
        at += mark;
    }
}

/* Bytes of the decimals, with the point or comma before them. */
static size_t take_decimals(struct str s, size_t at, struct plain *p)
{
    bool comma = at < s.len && s.ptr[at] == ',' && p->len > 0;
    if (at >= s.len || (s.ptr[at] != '.' && !comma))
        return 0;
    size_t n = digits_at(s, at + 1);
    if (n == 0) /* "12." */
        return s.ptr[at] == '.' && p->len > 0;
    add(p, '.');
    for (size_t i = 0; i < n; i++)
        add(p, s.ptr[at + 1 + i]);
    return 1 + n;
}

/* Bytes of "e-5". */
static size_t take_exponent(struct str s, size_t at, struct plain *p)
{
    if (at + 1 >= s.len || (s.ptr[at] != 'e' && s.ptr[at] != 'E'))
        return 0;
    size_t from = at + 1 + (s.ptr[at + 1] == '-' || s.ptr[at + 1] == '+');
    size_t n = digits_at(s, from);
    for (size_t i = at; n > 0 && i < from + n; i++)
        add(p, s.ptr[i]);
    return n > 0 ? from + n - at : 0;
}

/* Takes digits off the front. */
static bool take_plain(struct str *s, double *ret)
{
    struct plain p = {.len = 0};
    size_t at = take_whole(*s, has_dotted_thousands(*s), &p);
    at += take_decimals(*s, at, &p);
    at += p.len > 0 ? take_exponent(*s, at, &p) : 0;
    if (p.len == 0 || p.len > sizeof(p.digits) ||
        str_to_double((struct str){p.digits, p.len}, ret) != OK)
        return false;
    *s = str_slice(*s, at, s->len);
    return true;
}

/* One argument of \frac: "{12}", or a single digit. */
static bool take_argument(struct str *s, double *ret)
{
    skip_blanks(s);
    if (!skip(s, "{")) {
        if (s->len == 0 || !is_digit(s->ptr[0]))
            return false;
        *ret = s->ptr[0] - '0';
        *s = str_slice(*s, 1, s->len);
        return true;
    }
    double sign = skip(s, "-") ? -1 : 1;
    if (!take_plain(s, ret) || !skip(s, "}"))
        return false;
    *ret *= sign;
    return true;
}

/* "\frac{1}{2}", "\frac12", "½". */
static bool take_fraction(struct str *s, double *ret)
{
    struct str rest = *s;
    double top, bottom;
    for (size_t i = 0; i < COUNT(fractions); i++)
        if (skip(s, fractions[i].sign)) {
            *ret = fractions[i].value;
            return true;
        }
    if (!skip(&rest, "\\frac") && !skip(&rest, "\\dfrac") && !skip(&rest, "\\tfrac") &&
        !skip(&rest, "\\cfrac"))
        return false;
    if (!take_argument(&rest, &top) || !take_argument(&rest, &bottom) || bottom == 0)
        return false;
    *ret = top / bottom;
    *s = rest;
    return true;
}

/* What makes a whole number a fraction: "/4", or in "3 1/2" and "3½" what is added to it. */
static void take_rest_of_fraction(struct str *s, double *value)
{
    struct str rest = *s;
    double top, bottom;
    if (skip(&rest, "/")) {
        if (take_plain(&rest, &bottom) && bottom != 0) {
            *value /= bottom;
            *s = rest;
        }
        return;
    }
    skip_blanks(&rest);
    if (take_fraction(&rest, &top)) {
        *value += top;
        *s = rest;
    } else if (rest.ptr != s->ptr && take_plain(&rest, &top) && skip(&rest, "/") &&
               take_plain(&rest, &bottom) && top < bottom) {
        *value += top / bottom;
        *s = rest;
    }
}

/* "²³", "⁻³". */
static bool take_superscript(struct str *s, double *ret)
{
    static const char *const digits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    struct str rest = *s;
    bool negative = skip(&rest, "⁻"), any = false;
    double power = 0;
    for (size_t i = 0; i < COUNT(digits) && power < 1000; i++)
        if (skip(&rest, digits[i])) {
            power = power * 10 + (double)i;
            any = true;
            i = SIZE_MAX; /* from 0 again */
        }
    if (any) {
        *ret = negative ? -power : power;
        *s = rest;
    }
    return any;
}

/* "^5", "^{-5}", "⁵" behind a ten. */
static bool take_power(struct str *s, double *ret)
{
    double power;
    if (take_superscript(s, &power)) {
        *ret = pow(10, power);
        return true;
    }
    if (!skip(s, "^"))
        return false;
    bool brace = skip(s, "{");
    double sign = skip(s, "-") || skip(s, "−") ? -1 : 1;
    if (!take_plain(s, &power) || (brace && !skip(s, "}")))
        return false;
    *ret = pow(10, sign * power);
    return true;
}

/* "× 10^5", "\times 10^{5}". */
static void take_power_of_ten(struct str *s, double *value)
{
    struct str rest = *s;
    double power;
    skip_blanks(&rest);
    if (!skip(&rest, "×") && !skip(&rest, "\\times") && !skip(&rest, "\\cdot") &&
        !skip(&rest, "·") && !skip(&rest, "x ") && !skip(&rest, "*"))
        return;
    skip_blanks(&rest);
    if (!skip(&rest, "10") || !take_power(&rest, &power))
        return;
    *value *= power;
    *s = rest;
}

static bool take_value(struct str *s, double *ret)
{
    if (take_fraction(s, ret))
        return true;
    struct str ten = *s;
    if (skip(&ten, "10") && take_power(&ten, ret)) {
        *s = ten;
        return isfinite(*ret);
    }
    if (!take_plain(s, ret))
        return false;
    take_rest_of_fraction(s, ret);
    take_power_of_ten(s, ret);
    return isfinite(*ret);
}

/* A unit is short, has no digit but behind "^", and starts with a letter, a per cent or a degree sign. */
static bool is_unit(struct str s)
{
    if (s.len > UNIT_BYTES_MAX)
        return false;
    if (skip(&s, "^\\circ") || skip(&s, "^{\\circ}"))
        return true;
    for (size_t i = 0; i < s.len; i++)
        if (is_digit(s.ptr[i]) &&
            (i == 0 || (s.ptr[i - 1] != '^' && s.ptr[i - 1] != '-' && s.ptr[i - 1] != '{')))
            return false;
    return s.len == 0 || s.ptr[0] == '%' || s.ptr[0] == '\\' || is_letter(s.ptr[0]) ||
           (unsigned char)s.ptr[0] >= 0x80;
}

/* "2.5 million": several languages. */
static const struct {
    const char *word;
    double value;
} scales[] = {{"thousand", 1e3},  {"million", 1e6},   {"billion", 1e9},
              {"trillion", 1e12}, {"Millionen", 1e6}, {"Milliarden", 1e9},
              {"millions", 1e6},  {"milliards", 1e9}, {"millones", 1e6}};

static void take_scale(struct str *s, double *value)
{
    for (size_t i = COUNT(scales); i-- > 0;) {
        struct str rest = *s;
        if (!skip(&rest, scales[i].word) || (rest.len > 0 && is_letter(rest.ptr[0])))
            continue;
        *value *= scales[i].value;
        *s = str_trim(rest);
        return;
    }
}

/* "x =" and "f(x) =": what a number is the value of. */
static void skip_name(struct str *s)
{
    size_t at = 0;
    if (s->len == 0 || !is_letter(s->ptr[0]))
        return;
    while (at < s->len && at < UNIT_BYTES_MAX &&
           (is_letter(s->ptr[at]) || is_digit(s->ptr[at]) || strchr(" _(){}\\", s->ptr[at])))
        at++;
    if (at < s->len && s->ptr[at] == '=')
        *s = str_slice(*s, at + 1, s->len);
}

static void skip_prefixes(struct str *s)
{
    bool again = true;
    skip_name(s);
    while (again) {
        again = false;
        skip_blanks(s);
        for (size_t i = 0; i < COUNT(prefixes); i++)
            again = again || skip(s, prefixes[i]);
    }
}

static bool is_percent(struct str unit)
{
    return str_equal_nocase(unit, STR("percent")) || str_equal_nocase(unit, STR("per cent")) ||
           str_equal_nocase(unit, STR("Prozent"));
}

bool judge_number_read(struct str s, struct judge_number *ret)
{
    double value;
    s = str_trim(s);
    skip_prefixes(&s);
    bool negative = skip(&s, "-") || skip(&s, "−") || skip(&s, "–") || skip(&s, "minus ") ||
                    skip(&s, "negative ");
    if (!negative)
        skip(&s, "+");
    skip_prefixes(&s); /* "-$2" */
    if (!negative)
        negative = skip(&s, "-") || skip(&s, "−"); /* "$-2" */
    if (!take_value(&s, &value))
        return false;
    skip_blanks(&s);
    s = str_trim(s);
    take_scale(&s, &value);
    skip(&s, "$"); /* "9.8 $\mathrm{m}$" */
    if (!is_unit(s))
        return false;
    skip(&s, "\\"); /* "50\%" */
    *ret = (struct judge_number){negative ? -value : value, is_percent(s) ? STR("%") : s};
    return true;
}

/* A byte that a number may go on with, towards its front. Marks between thousands need their three digits. */
static bool goes_on_before(struct str text, size_t at)
{
    char c = text.ptr[at - 1];
    bool exponent = at > 1 && (c == 'e' || c == 'E') && is_digit(text.ptr[at - 2]);
    bool signed_one = at > 2 && (c == '-' || c == '+') && strchr("eE", text.ptr[at - 2]) &&
                      is_digit(text.ptr[at - 3]);
    return is_digit(c) || c == ',' || c == '.' || exponent || signed_one ||
           (c == '/' && at > 1 && is_digit(text.ptr[at - 2])) ||
           (c == '\'' && at > 1 && is_digit(text.ptr[at - 2]) && digits_at(text, at) >= 3);
}

/* Where a \frac begins whose second argument ends at `end`; SIZE_MAX: none does. */
static size_t fraction_from(struct str text, size_t end)
{
    size_t limit = end > NUMBER_BYTES_MAX ? end - NUMBER_BYTES_MAX : 0;
    for (size_t at = end; at-- > limit;)
        if (text.ptr[at] == '\\') {
            struct str rest = str_slice(text, at, text.len);
            double value;
            bool fraction = take_fraction(&rest, &value);
            return fraction && rest.ptr > text.ptr + end ? at : SIZE_MAX;
        }
    return SIZE_MAX;
}

/* Where a number with a power of ten begins whose power stands in text[from..end); SIZE_MAX: none does. */
static size_t power_from(struct str text, size_t end)
{
    size_t limit = end > NUMBER_BYTES_MAX ? end - NUMBER_BYTES_MAX : 0, found = SIZE_MAX;
    for (size_t at = end; at-- > limit;) {
        struct str rest = str_slice(text, at, text.len);
        double value;
        bool begins = is_digit(text.ptr[at]) &&
                      (at == 0 || (!is_digit(text.ptr[at - 1]) && text.ptr[at - 1] != '.'));
        if (begins && take_value(&rest, &value) && rest.ptr >= text.ptr + end)
            found = at;
    }
    return found;
}

/* The "2 " of "2 1/2", whose fraction begins at `from`: where it begins, else `from`. */
static size_t mixed_from(struct str text, size_t from, size_t end)
{
    if (from < 2 || text.ptr[from - 1] != ' ' || !is_digit(text.ptr[from - 2]) ||
        !memchr(text.ptr + from, '/', end - from))
        return from;
    size_t at = from - 1;
    while (at > 0 && is_digit(text.ptr[at - 1]))
        at--;
    return at == 0 || text.ptr[at - 1] == ' ' ? at : from;
}

/* The end of the last number; a power behind a unit, as in "12 cm^3", is none. */
static size_t last_end(struct str text)
{
    size_t end = text.len;
    for (;;) {
        while (end > 0 && !is_digit(text.ptr[end - 1]))
            end--;
        size_t at = end;
        while (at > 0 && (is_digit(text.ptr[at - 1]) || strchr("-{", text.ptr[at - 1])))
            at--;
        if (at < 2 || text.ptr[at - 1] != '^' || !is_letter(text.ptr[at - 2]))
            return end;
        end = at;
    }
}

/* Moves the end behind a power in superscript, as in "6 × 10²³". Returns where its number begins; SIZE_MAX: none
 * does. */
static size_t superscript_from(struct str text, size_t *end)
{
    double unused;
    struct str rest = str_slice(text, *end, text.len);
    if (!take_superscript(&rest, &unused))
        return SIZE_MAX;
    size_t from = power_from(text, *end + 1);
    *end = from != SIZE_MAX ? (size_t)(rest.ptr - text.ptr) : *end;
    return from;
}

bool judge_number_last(struct str text, struct str *ret)
{
    size_t end = last_end(text), from = end;
    while (from > 0 && goes_on_before(text, from))
        from--;
    while (from < end && !is_digit(text.ptr[from]))
        from++;
    if (from == end)
        return false;
    size_t power = from > 0 && strchr("^{-", text.ptr[from - 1]) ? power_from(text, end) : SIZE_MAX;
    size_t fraction = from > 0 && text.ptr[from - 1] == '{' ? fraction_from(text, end) : SIZE_MAX;
    if (power != SIZE_MAX || fraction != SIZE_MAX) {
        from = fraction != SIZE_MAX ? fraction : power;
        end += end < text.len && text.ptr[end] == '}';
    }
    size_t raised = superscript_from(text, &end);
    from = mixed_from(text, raised != SIZE_MAX ? raised : from, end);
    if (from > 0 && text.ptr[from - 1] == '-' &&
        (from == 1 || (!is_letter(text.ptr[from - 2]) && !is_digit(text.ptr[from - 2]))))
        from--;
    *ret = str_slice(text, from, end);
    return true;
}
