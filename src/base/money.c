/* Exact money: sums in 128 bits, rounded once at the end. Costs never go through a double, so the same tokens cost the
 * same on every machine and in every order.
 *
 * Pure functions, any thread. Prices come from money_parse_usd: at most 1e9 USD and never negative, which is what keeps
 * the sums inside of 128 bits. */
#include "base/money.h"

#include "base/check.h"
#include "base/int128.h"

#define USD_MAX INT64_C(1000000000)

static int64_t clamp(int64_t tokens)
{
    return tokens > 0 ? tokens : 0;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t price_cost_nano_usd(const struct price *price, int64_t input_tokens, int64_t output_tokens)
{
    const struct token_counts tokens = {.input = input_tokens, .output = output_tokens};
    return price_cost_tokens_nano_usd(price, &tokens);
}

bool price_set_cached_input(struct price *price, int64_t cached_nano_usd_per_m)
{
    if (cached_nano_usd_per_m > price->input_nano_usd_per_m)
        return false;
    CHECK(cached_nano_usd_per_m >= 0);
    price->cached_saving_nano_usd_per_m = price->input_nano_usd_per_m - cached_nano_usd_per_m;
    return true;
}

int64_t price_cached_input_nano_usd_per_m(const struct price *price)
{
    return price->input_nano_usd_per_m - price->cached_saving_nano_usd_per_m;
}

void price_set_cache_write(struct price *price, int64_t cache_write_nano_usd_per_m)
{
    CHECK(cache_write_nano_usd_per_m >= 0);
    price->cache_write_extra_nano_usd_per_m =
        cache_write_nano_usd_per_m - price->input_nano_usd_per_m;
}

int64_t price_cache_write_nano_usd_per_m(const struct price *price)
{
    return price->input_nano_usd_per_m + price->cache_write_extra_nano_usd_per_m;
}

static int64_t twice(int64_t price)
{
    return price > INT64_MAX / 2 ? INT64_MAX : 2 * price;
}

void price_set_cache_write_1h(struct price *price, int64_t cache_write_1h_nano_usd_per_m)
{
    CHECK(cache_write_1h_nano_usd_per_m >= 0);
    price->cache_write_1h_extra_nano_usd_per_m =
        cache_write_1h_nano_usd_per_m - twice(price->input_nano_usd_per_m);
}

int64_t price_cache_write_1h_nano_usd_per_m(const struct price *price)
{
    return twice(price->input_nano_usd_per_m) + price->cache_write_1h_extra_nano_usd_per_m;
}

void price_set_reasoning(struct price *price, int64_t reasoning_nano_usd_per_m)
{
    CHECK(reasoning_nano_usd_per_m >= 0);
    price->reasoning_extra_nano_usd_per_m = reasoning_nano_usd_per_m - price->output_nano_usd_per_m;
}

int64_t price_reasoning_nano_usd_per_m(const struct price *price)
{
    return price->output_nano_usd_per_m + price->reasoning_extra_nano_usd_per_m;
}

bool price_equal(const struct price *a, const struct price *b)
{
    return a->input_nano_usd_per_m == b->input_nano_usd_per_m &&
           a->output_nano_usd_per_m == b->output_nano_usd_per_m &&
           a->cached_saving_nano_usd_per_m == b->cached_saving_nano_usd_per_m &&
           a->cache_write_extra_nano_usd_per_m == b->cache_write_extra_nano_usd_per_m &&
           a->cache_write_1h_extra_nano_usd_per_m == b->cache_write_1h_extra_nano_usd_per_m &&
           a->reasoning_extra_nano_usd_per_m == b->reasoning_extra_nano_usd_per_m;
}

int64_t price_cost_tokens_nano_usd(const struct price *price, const struct token_counts *tokens)
{
    int64_t input = clamp(tokens->input), output = clamp(tokens->output);
    int64_t cached = smaller(clamp(tokens->cached), input);
    int64_t written = smaller(clamp(tokens->cache_write), input - cached);
    int64_t hour = smaller(clamp(tokens->cache_write_1h), written);
    int64_t reasoning = smaller(clamp(tokens->reasoning), output);
    /* It fits: there are at most 2^63 tokens on either side, at less than 2^62 each. */
    int128 total = (int128)(input - cached - written) * price->input_nano_usd_per_m +
                   (int128)cached * price_cached_input_nano_usd_per_m(price) +
                   (int128)(written - hour) * price_cache_write_nano_usd_per_m(price) +
                   (int128)hour * price_cache_write_1h_nano_usd_per_m(price) +
                   (int128)(output - reasoning) * price->output_nano_usd_per_m +
                   (int128)reasoning * price_reasoning_nano_usd_per_m(price);
    int128 cost = (total + 500000) / 1000000;
    return cost > INT64_MAX ? INT64_MAX : (int64_t)cost;
}

int64_t price_worst_nano_usd(const struct price *price, int64_t input_tokens, int64_t output_tokens,
                             bool hour)
{
    int64_t input = larger(price->input_nano_usd_per_m, price_cache_write_nano_usd_per_m(price));
    if (hour)
        input = larger(input, price_cache_write_1h_nano_usd_per_m(price));
    int64_t output = larger(price->output_nano_usd_per_m, price_reasoning_nano_usd_per_m(price));
    const struct price worst = {.input_nano_usd_per_m = input, .output_nano_usd_per_m = output};
    return price_cost_nano_usd(&worst, input_tokens, output_tokens);
}

int64_t price_output_tokens_within(const struct price *price, int64_t input_tokens,
                                   int64_t limit_nano_usd)
{
    int64_t input_price =
        larger(price->input_nano_usd_per_m, price_cache_write_nano_usd_per_m(price));
    int64_t output_price =
        larger(price->output_nano_usd_per_m, price_reasoning_nano_usd_per_m(price));
    /* rounded half up: a total below limit + 1/2 costs the limit */
    int128 left =
        (int128)limit_nano_usd * 1000000 + 499999 - (int128)clamp(input_tokens) * input_price;
    if (limit_nano_usd < 0 || left < 0)
        return -1;
    if (output_price <= 0)
        return INT64_MAX;
    int128 tokens = left / output_price;
    return tokens > INT64_MAX ? INT64_MAX : (int64_t)tokens;
}

/* A decimal number as digits and the power of ten of its last digit. Thirty significant digits are kept: more
 * cannot matter at nine decimals under 1e9 USD. */
struct decimal {
    uint128 digits;
    int64_t exponent;
};

static void read_digits(struct str s, size_t *at, bool fraction, struct decimal *d, bool *any)
{
    for (; *at < s.len && s.ptr[*at] >= '0' && s.ptr[*at] <= '9'; (*at)++) {
        *any = true;
        if (d->digits > (uint128)1 << 100)
            d->exponent += !fraction;
        else {
            d->digits = d->digits * 10 + (unsigned)(s.ptr[*at] - '0');
            d->exponent -= fraction;
        }
    }
}

static bool read_exponent(struct str s, size_t *at, struct decimal *d)
{
    if (*at == s.len || (s.ptr[*at] != 'e' && s.ptr[*at] != 'E'))
        return true;
    int64_t value;
    struct str rest = str_slice(s, *at + 1, s.len);
    if (str_to_int64(rest, &value) != OK || value > 1000 || value < -1000)
        return false;
    d->exponent += value;
    *at = s.len;
    return true;
}

/* In order: the digits, the shift to nano-USD, one rounding at the first digit that is dropped. It is in one piece
 * because each step depends on how much of the number the last one took. */
enum status money_parse_usd(struct str s, int64_t *ret_nano_usd)
{
    struct decimal d = {0, 0};
    size_t at = 0;
    bool any = false;
    read_digits(s, &at, false, &d, &any);
    if (at < s.len && s.ptr[at] == '.') {
        at++;
        read_digits(s, &at, true, &d, &any);
    }
    if (!any || !read_exponent(s, &at, &d) || at != s.len)
        return ERR_INPUT;
    int64_t shift = d.exponent + 9;
    for (; shift > 0 && d.digits; shift--) {
        if (d.digits > (uint128)USD_MAX * NANO_PER_USD)
            return ERR_INPUT;
        d.digits *= 10;
    }
    bool half = false;
    for (; shift < 0 && (d.digits || half); shift++) {
        half = d.digits % 10 >= 5;
        d.digits /= 10;
    }
    d.digits += half;
    if (d.digits > (uint128)USD_MAX * NANO_PER_USD)
        return ERR_INPUT;
    *ret_nano_usd = (int64_t)d.digits;
    return OK;
}

/* Without printf, because several amounts are written for each request. */
void money_format_usd(struct buf *b, int64_t nano_usd)
{
    char text[10] = ".";
    uint64_t magnitude = nano_usd < 0 ? 0 - (uint64_t)nano_usd : (uint64_t)nano_usd;
    uint64_t whole = magnitude / NANO_PER_USD, rest = magnitude % NANO_PER_USD;
    for (size_t i = sizeof(text) - 1; i > 0; i--, rest /= 10)
        text[i] = (char)('0' + rest % 10);
    if (nano_usd < 0)
        buf_add_char(b, '-');
    buf_add_int(b, (int64_t)whole);
    buf_add(b, (struct str){text, sizeof(text)});
}

void money_format_usd_short(struct buf *b, int64_t nano_usd)
{
    struct buf whole;
    buf_init(&whole, 64);
    money_format_usd(&whole, nano_usd);
    struct str text = buf_str(&whole);
    for (int spare = 7; spare > 0 && text.len > 0 && text.ptr[text.len - 1] == '0'; spare--)
        text.len--;
    buf_add(b, text);
    buf_done(&whole);
}
