/* Money is exact: integers of 1e-9 USD (nano-USD). Prices are integers of nano-USD per million tokens, so a
 * price of $0.075 per million is 75,000,000 and one token of it costs 75 nano-USD. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

#define NANO_PER_USD INT64_C(1000000000)

struct price {
    int64_t input_nano_usd_per_m;
    int64_t output_nano_usd_per_m;
    int64_t
        cached_saving_nano_usd_per_m; /* what input costs less that was in the endpoint's cache */
};

/* Cost of one call, rounded half up once, saturating at INT64_MAX. Negative tokens count as 0. */
int64_t price_cost_nano_usd(const struct price *price, int64_t input_tokens, int64_t output_tokens);
/* The same when `cached_tokens` of the input were in the endpoint's cache; more than the input count as all of it. */
int64_t price_cost_cached_nano_usd(const struct price *price, int64_t input_tokens,
                                   int64_t cached_tokens, int64_t output_tokens);
/* A price given as such: false, and nothing set, when it is above that of other input. */
bool price_set_cached_input(struct price *price, int64_t cached_nano_usd_per_m);
int64_t price_cached_input_nano_usd_per_m(const struct price *price);

/* The most output tokens with which a call costs at most `limit_nano_usd` by the rule above; INT64_MAX when they cost
 * nothing, -1 when the input alone costs more. */
int64_t price_output_tokens_within(const struct price *price, int64_t input_tokens,
                                   int64_t limit_nano_usd);

/* "0.000027600" -> 27600. Decimal or exponent notation, non-negative, at most 1e9 USD; digits past the ninth
 * decimal are rounded half up. ERR_INPUT otherwise. */
NODISCARD enum status money_parse_usd(struct str s, int64_t *ret_nano_usd);

/* Always nine decimals: "0.000027600". */
void money_format_usd(struct buf *b, int64_t nano_usd);
