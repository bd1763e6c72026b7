/* Numbers within bounds, digit by digit. A grammar knows no arithmetic: "at least 17" is the two-digit numbers that
 * begin with 1 and go on with 7 to 9, those that begin with 2 to 9, and all with more digits. Bounds of integers are
 * exact; those of other numbers must be integers themselves, because the digits behind the point are then free, or
 * all 0. Any thread; nothing is kept. */
#include "infer/schema_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define DIGITS_MAX      15 /* of a number that has no bound: each of them is exact in a double */
#define BOUND_MAX       1e15
#define FRACTION        "(\".\" [0-9]{1,15})?"
#define FRACTION_ZERO   "(\".\" \"0\"{1,15})?"
#define DIGIT_TEXT_SIZE 24

static void write_class(struct buf *out, char from, char to)
{
    if (from == to)
        buf_addf(out, "\"%c\"", from);
    else
        buf_addf(out, "[%c-%c]", from, to);
}

static void write_any_digits(struct buf *out, size_t count)
{
    if (count > 0)
        buf_addf(out, " [0-9]{%zu}", count);
}

/* Digits from `at` on that are at least (`up`), or at most, those of `bound`. */
static void write_beyond(struct buf *out, const char *bound, size_t at, bool up)
{
    char digit = bound[at];
    if (!digit)
        return;
    buf_add_c(out, " (");
    write_class(out, digit, digit);
    write_beyond(out, bound, at + 1, up);
    if (digit != (up ? '9' : '0')) {
        buf_add_c(out, " | ");
        write_class(out, up ? (char)(digit + 1) : '0', up ? '9' : (char)(digit - 1));
        write_any_digits(out, strlen(bound) - at - 1);
    }
    buf_add_char(out, ')');
}

/* Numbers of as many digits as both have. */
static void write_between(struct buf *out, const char *low, const char *high)
{
    size_t at = 0;
    for (; low[at] && low[at] == high[at]; at++)
        buf_addf(out, " \"%c\"", low[at]);
    if (!low[at])
        return;
    buf_add_c(out, " (");
    write_class(out, low[at], low[at]);
    write_beyond(out, low, at + 1, true);
    if (high[at] - low[at] > 1) {
        buf_add_c(out, " | ");
        write_class(out, (char)(low[at] + 1), (char)(high[at] - 1));
        write_any_digits(out, strlen(low) - at - 1);
    }
    buf_add_c(out, " | ");
    write_class(out, high[at], high[at]);
    write_beyond(out, high, at + 1, false);
    buf_add_char(out, ')');
}

/* low ≤ n ≤ high, both at least 0: one alternative for each count of digits. */
static void write_range(struct buf *out, uint64_t low, uint64_t high)
{
    char from[DIGIT_TEXT_SIZE], to[DIGIT_TEXT_SIZE], last[DIGIT_TEXT_SIZE];
    snprintf(last, sizeof(last), "%llu", (unsigned long long)high);
    buf_add_char(out, '(');
    for (;;) {
        snprintf(from, sizeof(from), "%llu", (unsigned long long)low);
        size_t digits = strlen(from);
        bool ends = digits == strlen(last);
        snprintf(to, sizeof(to), "%s", last);
        if (!ends) {
            memset(to, '9', digits);
            to[digits] = '\0';
        }
        write_between(out, from, to);
        if (ends)
            break;
        buf_add_c(out, " | ");
        low = 1;
        for (size_t i = 0; i < digits; i++)
            low *= 10;
    }
    buf_add_char(out, ')');
}

/* The part of the numbers that is on one side of 0, without its sign; low ≤ high. With a fraction the last one may
 * have zeros only behind its point. */
static void write_side(struct buf *out, const char *sign, uint64_t low, uint64_t high, bool whole)
{
    if (whole) {
        buf_add_c(out, sign);
        write_range(out, low, high);
        return;
    }
    if (low < high) {
        buf_add_c(out, sign);
        write_range(out, low, high - 1);
        buf_add_c(out, " " FRACTION " | ");
    }
    buf_add_c(out, sign);
    write_range(out, high, high);
    buf_add_c(out, " " FRACTION_ZERO);
}

struct bounds {
    bool has_low, has_high;
    double low, high;
};

static enum status read_bound(struct json_value v, const char *key, double *ret, bool *has,
                              struct error *err)
{
    double number;
    if (v.type == JSON_NONE)
        return OK;
    if (v.type != JSON_NUMBER || json_to_double(v, &number) != OK)
        return error_set(err, ERR_INPUT, "%s must be a number", key);
    if (fabs(number) > BOUND_MAX)
        return error_set(err, ERR_UNSUPPORTED, "%s is beyond 10^15", key);
    *ret = number;
    *has = true;
    return OK;
}

/* One piece: four keys that say two bounds. */
static enum status read_bounds(struct json_value schema, bool whole, struct bounds *ret,
                               struct error *err)
{
    double above = 0, below = 0;
    bool has_above = false, has_below = false;
    struct bounds b = {0};
    enum status status =
        read_bound(json_get(schema, "minimum"), "minimum", &b.low, &b.has_low, err);
    if (status == OK)
        status = read_bound(json_get(schema, "maximum"), "maximum", &b.high, &b.has_high, err);
    if (status == OK)
        status = read_bound(json_get(schema, "exclusiveMinimum"), "exclusiveMinimum", &above,
                            &has_above, err);
    if (status == OK)
        status = read_bound(json_get(schema, "exclusiveMaximum"), "exclusiveMaximum", &below,
                            &has_below, err);
    if (status != OK)
        return status;
    if (!whole && (has_above || has_below))
        return error_set(err, ERR_UNSUPPORTED,
                         "exclusiveMinimum and exclusiveMaximum can be kept to for integers only");
    if (has_above && (!b.has_low || floor(above) + 1 > b.low))
        b.low = floor(above) + 1;
    if (has_below && (!b.has_high || ceil(below) - 1 < b.high))
        b.high = ceil(below) - 1;
    b.has_low |= has_above;
    b.has_high |= has_below;
    if (whole)
        b.low = ceil(b.low), b.high = floor(b.high);
    *ret = b;
    return OK;
}

static enum status check_bounds(const struct bounds *b, struct error *err)
{
    if ((b->has_low && b->low != floor(b->low)) || (b->has_high && b->high != floor(b->high)))
        return error_set(err, ERR_UNSUPPORTED,
                         "bounds of numbers can be kept to if they are "
                         "integers");
    if (b->has_low && b->has_high && b->low > b->high)
        return error_set(err, ERR_INPUT, "no number is within the bounds");
    return OK;
}

/* Below 0 and from 0 on are alternatives, each where the bounds let there be any. */
static void write_bounded(struct buf *out, const struct bounds *b, bool whole)
{
    const double most = pow(10, DIGITS_MAX) - 1;
    double low = b->has_low ? b->low : -most, high = b->has_high ? b->high : most;
    buf_add_char(out, '(');
    if (low < 0)
        write_side(out, "\"-\" ", high < 0 ? (uint64_t)-high : 0, (uint64_t)-low, whole);
    if (low < 0 && high >= 0)
        buf_add_c(out, " | ");
    if (high >= 0)
        write_side(out, "", low > 0 ? (uint64_t)low : 0, (uint64_t)high, whole);
    buf_add_char(out, ')');
}

enum status schema_number_write(struct json_value schema, bool whole, struct buf *out,
                                struct error *err)
{
    struct bounds b = {0};
    struct json_value step = json_get(schema, "multipleOf");
    double of = 0;
    enum status status = read_bounds(schema, whole, &b, err);
    if (status == OK)
        status = check_bounds(&b, err);
    if (status != OK)
        return status;
    if (step.type != JSON_NONE && !(whole && json_to_double(step, &of) == OK && of == 1))
        return error_set(err, ERR_UNSUPPORTED, "multipleOf cannot be kept to");
    if (b.has_low || b.has_high)
        write_bounded(out, &b, whole);
    else
        buf_add_c(out, whole ? "integer" : "number");
    return OK;
}
