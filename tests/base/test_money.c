/* money.h: exact to the nano-dollar, rounded once, half up. */
#include "base/money.h"

#include <criterion/criterion.h>

#include "base/rng.h"

static int64_t cost(int64_t in_price, int64_t out_price, int64_t in, int64_t out)
{
    struct price price = {.input_nano_usd_per_m = in_price, .output_nano_usd_per_m = out_price};
    return price_cost_nano_usd(&price, in, out);
}

Test(money, one_token_of_a_known_price)
{
    cr_assert_eq(cost(75000000, 0, 1, 0), 75);
    cr_assert_eq(cost(0, 75000000, 0, 1), 75);
    cr_assert_eq(cost(30000000000, 60000000000, 1000, 500), 60000000);
}

Test(money, cached_input_is_priced_apart)
{
    struct price p = {5000000000, 15000000000, 0};
    cr_assert_eq(price_cost_cached_nano_usd(&p, 1000, 600, 100), 6500000, "as other input");
    cr_assert(price_set_cached_input(&p, 500000000));
    cr_assert_eq(price_cached_input_nano_usd_per_m(&p), 500000000);
    cr_assert_eq(price_cost_cached_nano_usd(&p, 1000, 600, 100), 400 * 5000 + 600 * 500 + 1500000);
    cr_assert_eq(price_cost_cached_nano_usd(&p, 1000, 5000, 0), 500000, "no more than there is");
    cr_assert_eq(price_cost_cached_nano_usd(&p, 1000, -1, 0), 5000000);
    cr_assert_eq(price_cost_nano_usd(&p, 1000, 0), 5000000);
    cr_assert_not(price_set_cached_input(&p, 5000000001));
    cr_assert_eq(price_cached_input_nano_usd_per_m(&p), 500000000);
    cr_assert(price_set_cached_input(&p, 0));
    cr_assert_eq(price_cost_cached_nano_usd(&p, 1000, 1000, 0), 0);
}

Test(money, the_sum_is_rounded_once_half_up)
{
    cr_assert_eq(cost(499999, 0, 1, 0), 0);
    cr_assert_eq(cost(500000, 0, 1, 0), 1);
    cr_assert_eq(cost(400000, 400000, 1, 1), 1, "rounded apart each term would be 0");
    cr_assert_eq(cost(1500000, 0, 1, 0), 2);
}

Test(money, odd_token_counts)
{
    cr_assert_eq(cost(75000000, 300000000, -5, 2), 600, "negative counts as none");
    cr_assert_eq(cost(75000000, 300000000, -5, -2), 0);
    cr_assert_eq(cost(INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX), INT64_MAX, "saturates");
}

static int64_t parsed(const char *text)
{
    int64_t value = -1;
    cr_assert_eq(money_parse_usd(str_from(text), &value), OK, "%s", text);
    return value;
}

Test(money, parses_decimals_exactly)
{
    cr_assert_eq(parsed("0"), 0);
    cr_assert_eq(parsed("0.000027600"), 27600);
    cr_assert_eq(parsed("0.0000276"), 27600);
    cr_assert_eq(parsed("1"), NANO_PER_USD);
    cr_assert_eq(parsed("1."), NANO_PER_USD);
    cr_assert_eq(parsed(".5"), NANO_PER_USD / 2);
    cr_assert_eq(parsed("0.1"), 100000000);
    cr_assert_eq(parsed("00012.50"), INT64_C(12500000000));
    cr_assert_eq(parsed("1000000000"), INT64_C(1000000000000000000));
    cr_assert_eq(parsed("999999999.999999999"), INT64_C(999999999999999999));
}

Test(money, parses_exponents)
{
    cr_assert_eq(parsed("2.76e-05"), 27600);
    cr_assert_eq(parsed("1e-9"), 1);
    cr_assert_eq(parsed("1E+3"), 1000 * NANO_PER_USD);
    cr_assert_eq(parsed("0e1000"), 0);
    cr_assert_eq(parsed("1e-1000"), 0);
    cr_assert_eq(parsed("0.000000000000000000001e21"), NANO_PER_USD);
}

Test(money, rounds_the_tenth_decimal_half_up)
{
    cr_assert_eq(parsed("0.0000000005"), 1);
    cr_assert_eq(parsed("0.00000000049999999999999999999999999999999999"), 0);
    cr_assert_eq(parsed("0.0000000014999"), 1);
    cr_assert_eq(parsed("0.0000000015"), 2);
    cr_assert_eq(parsed("0.123456789499999999999999999999999999999999999999"), 123456789);
    cr_assert_eq(parsed("999999999.9999999995"), INT64_C(1000000000000000000));
}

Test(money, refuses_everything_else)
{
    static const char *const bad[] = {"",
                                      "-1",
                                      "-0",
                                      "+1",
                                      ".",
                                      "e5",
                                      "1e",
                                      "1e+",
                                      "abc",
                                      "1,5",
                                      "1.2.3",
                                      "nan",
                                      "inf",
                                      "0x10",
                                      "1 ",
                                      " 1",
                                      "1e1001",
                                      "1e-1001",
                                      "$1",
                                      "1_000",
                                      "1e9999999999999999999999",
                                      "1000000000.000000001",
                                      "1e10",
                                      "1000000001",
                                      "99999999999999999999999999999999999999999999999999999",
                                      "1e1e1",
                                      "1e1.5"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t value = 42;
        cr_assert_eq(money_parse_usd(str_from(bad[i]), &value), ERR_INPUT, "'%s'", bad[i]);
        cr_assert_eq(value, 42);
    }
}

Test(money, formats_nine_decimals_always)
{
    struct buf b;
    buf_init(&b, 1000);
    money_format_usd(&b, 27600);
    buf_add_char(&b, ' ');
    money_format_usd(&b, 0);
    buf_add_char(&b, ' ');
    money_format_usd(&b, -1);
    buf_add_char(&b, ' ');
    money_format_usd(&b, INT64_MAX);
    buf_add_char(&b, ' ');
    money_format_usd(&b, INT64_MIN);
    cr_assert_str_eq(b.ptr, "0.000027600 0.000000000 -0.000000001 9223372036.854775807 "
                            "-9223372036.854775808");
    buf_done(&b);
}

Test(money, what_is_formatted_reads_back)
{
    static const int64_t values[] = {0, 1, 999999999, 1000000000, 123456789012345678};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct buf b;
        buf_init(&b, 100);
        money_format_usd(&b, values[i]);
        cr_assert_eq(parsed(b.ptr), values[i]);
        buf_done(&b);
    }
}

Test(money, the_longest_answer_within_a_limit)
{
    struct rng r;
    rng_seed(&r, 3);
    for (int i = 0; i < 20000; i++) {
        struct price p = {.input_nano_usd_per_m = (int64_t)rng_below(&r, 5000000000),
                          .output_nano_usd_per_m = (int64_t)rng_below(&r, 9000000000)};
        int64_t input = (int64_t)rng_below(&r, 100000), limit = (int64_t)rng_below(&r, 200000000);
        int64_t tokens = price_output_tokens_within(&p, input, limit);
        if (tokens < 0) {
            cr_assert_gt(price_cost_nano_usd(&p, input, 0), limit);
            continue;
        }
        if (tokens == INT64_MAX) {
            cr_assert_eq(p.output_nano_usd_per_m, 0);
            continue;
        }
        cr_assert_leq(price_cost_nano_usd(&p, input, tokens), limit);
        cr_assert_gt(price_cost_nano_usd(&p, input, tokens + 1), limit);
    }
    const struct price free_of_charge = {0};
    const struct price dear = {.input_nano_usd_per_m = INT64_MAX,
                               .output_nano_usd_per_m = INT64_MAX};
    cr_assert_eq(price_output_tokens_within(&free_of_charge, INT64_MAX, 0), INT64_MAX);
    cr_assert_eq(price_output_tokens_within(&dear, 0, 5), 0);
    cr_assert_eq(price_output_tokens_within(&dear, 1, 5), -1);
}
