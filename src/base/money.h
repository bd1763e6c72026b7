/* Money is exact: integers of 1e-9 USD (nano-USD). Prices are integers of nano-USD per million tokens, so a
 * price of $0.075 per million is 75,000,000 and one token of it costs 75 nano-USD. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

#define NANO_PER_USD INT64_C(1000000000)

/* Prices of four kinds of input and two kinds of output. All but the first two fields are differences, so that a price
 * which was never set is that of plain input or output, and twice that of input for an hour in the cache. */
struct price {
    int64_t input_nano_usd_per_m;
    int64_t output_nano_usd_per_m;
    /* How much less input costs that the endpoint had in its cache; never more than input costs. */
    int64_t cached_saving_nano_usd_per_m;
    /* How much more input costs that is written into that cache, and output that is reasoning. */
    int64_t cache_write_extra_nano_usd_per_m;
    /* The same where it is kept for an hour, beyond twice the price of input. */
    int64_t cache_write_1h_extra_nano_usd_per_m;
    int64_t reasoning_extra_nano_usd_per_m;
};

struct token_counts {                   /* of a call, reported or estimated */
    int64_t input, cached, cache_write; /* cached and cache_write are parts of input */
    int64_t cache_write_1h;             /* a part of cache_write */
    int64_t output, reasoning;          /* reasoning is a part of output */
};

/* Cost of one call: the sum over all kinds of tokens, rounded half up once, saturating at INT64_MAX. A negative count
 * is taken as 0, and a part that exceeds its whole as the whole, cached input first. */
int64_t price_cost_tokens_nano_usd(const struct price *price, const struct token_counts *tokens);
int64_t price_cost_nano_usd(const struct price *price, int64_t input_tokens, int64_t output_tokens);
/* False, and nothing is set, when cached input would cost more than plain input. */
bool price_set_cached_input(struct price *price, int64_t cached_nano_usd_per_m);
int64_t price_cached_input_nano_usd_per_m(const struct price *price);
/* A price of at most 1e9 USD, as money_parse_usd gives it. */
void price_set_cache_write(struct price *price, int64_t cache_write_nano_usd_per_m);
int64_t price_cache_write_nano_usd_per_m(const struct price *price);
void price_set_cache_write_1h(struct price *price, int64_t cache_write_1h_nano_usd_per_m);
int64_t price_cache_write_1h_nano_usd_per_m(const struct price *price);
void price_set_reasoning(struct price *price, int64_t reasoning_nano_usd_per_m);
int64_t price_reasoning_nano_usd_per_m(const struct price *price);
bool price_equal(const struct price *a, const struct price *b);

/* The most that a call with so many tokens may cost, whatever kinds they turn out to be of; written for an hour only
 * where `hour` says so. */
int64_t price_worst_nano_usd(const struct price *price, int64_t input_tokens, int64_t output_tokens,
                             bool hour);
/* The most output tokens with which a call still costs at most `limit_nano_usd`, whatever kinds its tokens are of.
 * INT64_MAX when output costs nothing, -1 when the input alone may exceed the limit. */
int64_t price_output_tokens_within(const struct price *price, int64_t input_tokens,
                                   int64_t limit_nano_usd);

/* For arithmetic that need not be exact, and for printing. */
static inline double money_usd(int64_t nano_usd)
{
    return (double)nano_usd / (double)NANO_PER_USD;
}

/* "0.000027600" -> 27600. Decimal or exponent notation, non-negative, at most 1e9 USD; digits past the ninth
 * decimal are rounded half up. ERR_INPUT otherwise. */
NODISCARD enum status money_parse_usd(struct str s, int64_t *ret_nano_usd);

/* Always nine decimals: "0.000027600". */
void money_format_usd(struct buf *b, int64_t nano_usd);
/* For people: without trailing zeros, but with at least two decimals: "2.50". */
void money_format_usd_short(struct buf *b, int64_t nano_usd);
