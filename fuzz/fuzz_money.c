/* Money and numbers: what is parsed agrees with the C library where it can, and what is formatted reads back. */
#include "base/money.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_money(struct str text)
{
    int64_t nano = -1, again = -1;
    double value;
    if (money_parse_usd(text, &nano) != OK) {
        CHECK(nano == -1);
        return;
    }
    CHECK(nano >= 0);
    if (str_to_double(text, &value) == OK)
        CHECK(fabs(value * 1e9 - (double)nano) <= 1 + (double)nano * 1e-12);
    struct buf b;
    buf_init(&b, 100);
    money_format_usd(&b, nano);
    CHECK(money_parse_usd(buf_str(&b), &again) == OK);
    CHECK(again == nano);
    buf_done(&b);
}

static void check_numbers(struct str text)
{
    double real = 0;
    int64_t whole = 0;
    uint64_t natural = 0;
    bool is_real = str_to_double(text, &real) == OK;
    bool is_whole = str_to_int64(text, &whole) == OK;
    bool is_natural = str_to_uint64(text, &natural) == OK;
    if (is_real)
        CHECK(isfinite(real));
    if (is_whole) {
        CHECK(is_real);
        CHECK(fabs((double)whole - real) <= fabs(real) * 1e-15);
        CHECK(is_natural == (text.ptr[0] != '-'));
    }
}

/* Ten numbers; those that the input is too short for are 0. */
static void check_cost(const uint8_t *data, size_t size)
{
    int64_t n[10] = {0};
    memcpy(n, data, size < sizeof(n) ? size : sizeof(n));
    struct price price = {.input_nano_usd_per_m = n[0] & INT64_MAX,
                          .output_nano_usd_per_m = n[1] & INT64_MAX};
    (void)price_set_cached_input(&price, n[4] & INT64_MAX);
    price_set_cache_write(&price, n[5] & INT64_MAX);
    price_set_cache_write_1h(&price, n[3] & INT64_MAX);
    price_set_reasoning(&price, n[6] & INT64_MAX);
    struct token_counts tokens = {.input = n[2],
                                  .output = n[3],
                                  .cached = n[7],
                                  .cache_write = n[8],
                                  .cache_write_1h = n[6],
                                  .reasoning = n[9]};
    CHECK(price_cost_tokens_nano_usd(&price, &tokens) >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    check_money(text);
    check_numbers(text);
    check_cost(data, size);
    return 0;
}
