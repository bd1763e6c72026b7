/* money.h: exact to the nano-dollar, rounded once, half up. */
#include "base/money.h"

#include <criterion/criterion.h>

#include "base/rng.h"

static int64_t cost(int64_t in_price, int64_t out_price, int64_t in, int64_t out)
{
    struct price price = {.input_nano_usd_per_m = in_price, .output_nano_usd_per_m = out_price};
    return price_cost_nano_usd(&price, in, out);
}

static int64_t cost_of(const struct price *p, int64_t input, int64_t cached, int64_t output)
{
    const struct token_counts tokens = {.input = input, .cached = cached, .output = output};
    return price_cost_tokens_nano_usd(p, &tokens);
}

Test(money, one_token_of_a_known_price)
{
    cr_assert_eq(cost(75000000, 0, 1, 0), 75);
    cr_assert_eq(cost(0, 75000000, 0, 1), 75);
    cr_assert_eq(cost(30000000000, 60000000000, 1000, 500), 60000000);
}

Test(money, cached_input_is_priced_apart)
{
    struct price p = {.input_nano_usd_per_m = 5000000000, .output_nano_usd_per_m = 15000000000};
    cr_assert_eq(cost_of(&p, 1000, 600, 100), 6500000, "as other input");
    cr_assert(price_set_cached_input(&p, 500000000));
    cr_assert_eq(price_cached_input_nano_usd_per_m(&p), 500000000);
    cr_assert_eq(cost_of(&p, 1000, 600, 100), 400 * 5000 + 600 * 500 + 1500000);
    cr_assert_eq(cost_of(&p, 1000, 5000, 0), 500000, "no more than there is");
    cr_assert_eq(cost_of(&p, 1000, -1, 0), 5000000);
    cr_assert_eq(price_cost_nano_usd(&p, 1000, 0), 5000000);
    cr_assert_not(price_set_cached_input(&p, 5000000001));
    cr_assert_eq(price_cached_input_nano_usd_per_m(&p), 500000000);
    cr_assert(price_set_cached_input(&p, 0));
    cr_assert_eq(cost_of(&p, 1000, 1000, 0), 0);
}

/* What litellm priced wrong: #6215 charged cached tokens at both prices, #14849 too, #11364 forgot a part of the cache
 * writes. Their reports, at the prices of their day; the right sums were worked out by hand. */
Test(money, cached_and_written_tokens_are_parts_of_the_input)
{
    struct price gpt_4o = {.input_nano_usd_per_m = 2500000000,
                           .output_nano_usd_per_m = 10000000000};
    struct token_counts t = {.input = 2006, .cached = 1920, .output = 300};
    cr_assert(price_set_cached_input(&gpt_4o, 1250000000));
    cr_expect_eq(price_cost_tokens_nano_usd(&gpt_4o, &t), 86 * 2500 + 1920 * 1250 + 300 * 10000);
    struct price gemini = {.input_nano_usd_per_m = 1250000000,
                           .output_nano_usd_per_m = 10000000000};
    t = (struct token_counts){.input = 262960, .cached = 257955, .output = 1744};
    cr_assert(price_set_cached_input(&gemini, 625000000));
    cr_expect_eq(price_cost_tokens_nano_usd(&gemini, &t), 184918125, "0.1849 USD, not 0.7642");
    struct price opus = {.input_nano_usd_per_m = 5000000000, .output_nano_usd_per_m = 25000000000};
    t = (struct token_counts){
        .input = 98805, .cached = 66360, .cache_write = 32435, .output = 5120, .reasoning = 1710};
    cr_assert(price_set_cached_input(&opus, 500000000));
    price_set_cache_write(&opus, 6250000000);
    cr_expect_eq(price_cost_tokens_nano_usd(&opus, &t),
                 10 * 5000 + 66360 * 500 + 32435 * 6250 + 5120 * 25000);
    price_set_reasoning(&opus, 30000000000);
    cr_expect_eq(price_cost_tokens_nano_usd(&opus, &t),
                 10 * 5000 + 66360 * 500 + 32435 * 6250 + 3410 * 25000 + 1710 * 30000);
}

Test(money, every_kind_of_token_has_its_price)
{
    struct price p = {.input_nano_usd_per_m = 3000000, .output_nano_usd_per_m = 7000000};
    cr_expect_eq(price_cache_write_nano_usd_per_m(&p), 3000000, "as other input");
    cr_expect_eq(price_reasoning_nano_usd_per_m(&p), 7000000, "as other output");
    price_set_cache_write(&p, 0);
    price_set_reasoning(&p, 1);
    cr_expect(price_cache_write_nano_usd_per_m(&p) == 0 && price_reasoning_nano_usd_per_m(&p) == 1);
    struct price q = p;
    cr_expect(price_equal(&p, &q));
    price_set_cache_write(&q, 2);
    cr_expect_not(price_equal(&p, &q));
    q = p;
    price_set_reasoning(&q, 2);
    cr_expect_not(price_equal(&p, &q));
}

/* Parts that exceed the whole: cached input counts first. */
Test(money, parts_are_no_more_than_the_whole)
{
    struct price p = {.input_nano_usd_per_m = 10000000, .output_nano_usd_per_m = 100000000};
    cr_assert(price_set_cached_input(&p, 1000000));
    price_set_cache_write(&p, 20000000);
    price_set_reasoning(&p, 200000000);
    const struct {
        struct token_counts tokens;
        int64_t cost;
    } rows[] = {
        {{.input = 10, .cached = 20, .cache_write = 20}, 10},
        {{.input = 10, .cached = 4, .cache_write = 20}, 4 + 6 * 20},
        {{.input = 10, .cached = -4, .cache_write = -1, .reasoning = 3}, 100},
        {{.input = -10, .cached = 4, .cache_write = 4, .output = 2, .reasoning = 5}, 400},
        {{.output = -2, .reasoning = 5}, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        cr_expect_eq(price_cost_tokens_nano_usd(&p, &rows[i].tokens), rows[i].cost, "row %zu", i);
}

/* Against sums that fit in 64 bits, term by term, a million at a time carried over. */
Test(money, any_tokens_at_any_price)
{
    struct rng rng;
    rng_seed(&rng, 6215);
    for (int i = 0; i < 20000; i++) {
        const int64_t prices[5] = {
            (int64_t)rng_below(&rng, 100000000000), (int64_t)rng_below(&rng, 100000000000),
            (int64_t)rng_below(&rng, 100000000000), (int64_t)rng_below(&rng, 100000000000),
            (int64_t)rng_below(&rng, 100000000000)};
        int64_t counts[5], whole = 0, rest = 0;
        for (int k = 0; k < 5; k++) {
            counts[k] = (int64_t)rng_below(&rng, 1 << 20);
            int64_t price = k == 1 && prices[1] > prices[0] ? prices[0] : prices[k];
            whole += counts[k] * (price / 1000000);
            rest += counts[k] * (price % 1000000);
        }
        struct price p = {.input_nano_usd_per_m = prices[0], .output_nano_usd_per_m = prices[3]};
        cr_assert(price_set_cached_input(&p, prices[1] > prices[0] ? prices[0] : prices[1]));
        price_set_cache_write(&p, prices[2]);
        price_set_reasoning(&p, prices[4]);
        const struct token_counts t = {.input = counts[0] + counts[1] + counts[2],
                                       .cached = counts[1],
                                       .cache_write = counts[2],
                                       .output = counts[3] + counts[4],
                                       .reasoning = counts[4]};
        int64_t want = whole + rest / 1000000 + (rest % 1000000 >= 500000);
        cr_assert_eq(price_cost_tokens_nano_usd(&p, &t), want);
    }
}

Test(money, the_sum_is_rounded_once_half_up)
{
    cr_assert_eq(cost(499999, 0, 1, 0), 0);
    cr_assert_eq(cost(500000, 0, 1, 0), 1);
    cr_assert_eq(cost(400000, 400000, 1, 1), 1, "rounded apart each term would be 0");
    cr_assert_eq(cost(1500000, 0, 1, 0), 2);
}

Test(money, an_hour_in_the_cache_costs_twice_the_input_unless_said)
{
    struct price p = {.input_nano_usd_per_m = 1000000, .output_nano_usd_per_m = 3000000};
    const struct token_counts t = {.input = 10, .cache_write = 8, .cache_write_1h = 5};
    price_set_cache_write(&p, 1250000);
    cr_expect_eq(price_cache_write_1h_nano_usd_per_m(&p), 2000000);
    cr_expect_eq(price_cost_tokens_nano_usd(&p, &t), 2 + 4 + 10); /* 3 at 1.25, rounded */
    price_set_cache_write_1h(&p, 4000000);
    cr_expect_eq(price_cost_tokens_nano_usd(&p, &t), 2 + 4 + 20);
    const struct token_counts more = {.input = 10, .cache_write = 2, .cache_write_1h = 5};
    cr_expect_eq(price_cost_tokens_nano_usd(&p, &more), 8 + 8, "a part is no more than the whole");
}

Test(money, the_worst_case_takes_the_dearest_kinds)
{
    struct price p = {.input_nano_usd_per_m = 1000000, .output_nano_usd_per_m = 3000000};
    cr_expect_eq(price_worst_nano_usd(&p, 10, 10, false), 40);
    cr_expect_eq(price_worst_nano_usd(&p, 10, 10, true), 50);
    price_set_cache_write(&p, 2000000);
    price_set_reasoning(&p, 5000000);
    cr_expect_eq(price_worst_nano_usd(&p, 10, 10, false), 70);
    cr_expect_eq(price_worst_nano_usd(&p, INT64_MAX, INT64_MAX, true), INT64_MAX);
}

Test(money, odd_token_counts)
{
    cr_assert_eq(cost(75000000, 300000000, -5, 2), 600, "negative counts as none");
    cr_assert_eq(cost(75000000, 300000000, -5, -2), 0);
    cr_assert_eq(cost(INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX), INT64_MAX, "saturates");
    struct price p = {.input_nano_usd_per_m = INT64_C(1000000000000000000),
                      .output_nano_usd_per_m = INT64_C(1000000000000000000)};
    price_set_cache_write(&p, 0);
    price_set_reasoning(&p, 1);
    const struct token_counts most = {INT64_MAX, INT64_MAX, INT64_MAX,
                                      INT64_MAX, INT64_MAX, INT64_MAX};
    cr_assert_eq(price_cost_tokens_nano_usd(&p, &most), INT64_MAX);
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
