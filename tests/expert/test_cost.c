/* What a call cost: to the nano-dollar, whoever reports it, and however well it is known. */
#include "expert/cost.h"

#include <criterion/criterion.h>

#include "expert/call.h"

#define INPUT_TOKENS 40 /* estimated */

/* Half a nano-dollar for each token; round prices. */
static const struct expert cheap = {
    .price = {.input_nano_usd_per_m = 500000, .output_nano_usd_per_m = 500000}};
static const struct expert expensive = {
    .price = {.input_nano_usd_per_m = 5000000000, .output_nano_usd_per_m = 15000000000}};

static struct expert_answer reported(int64_t input, int64_t output)
{
    return (struct expert_answer){
        .usage = {.known = true, .input_tokens = input, .output_tokens = output},
        .output_characters = 4000};
}

static void expect_equal(const struct cost *cost, enum cost_basis basis, int64_t nano_usd,
                         int64_t input, int64_t output)
{
    cr_expect_eq(cost->basis, basis);
    cr_expect_eq(cost->nano_usd, nano_usd, "%lld", (long long)cost->nano_usd);
    cr_expect_eq(cost->tokens.input, input, "%lld", (long long)cost->tokens.input);
    cr_expect_eq(cost->tokens.output, output, "%lld", (long long)cost->tokens.output);
}

static void expect_cost(const struct expert *expert, const struct expert_answer *answer,
                        enum cost_basis basis, int64_t nano_usd, int64_t input, int64_t output)
{
    const struct cost cost = cost_of_answer(expert, answer, INPUT_TOKENS);
    expect_equal(&cost, basis, nano_usd, input, output);
}

Test(cost, reported_usage_is_what_counts)
{
    struct expert_answer answer = reported(1000, 200);
    expect_cost(&expensive, &answer, COST_USAGE, 1000 * 5000 + 200 * 15000, 1000, 200);
    answer.streamed = true; /* the way it came makes no difference */
    expect_cost(&expensive, &answer, COST_USAGE, 8000000, 1000, 200);
}

Test(cost, cached_input_is_cheaper)
{
    struct expert expert = expensive;
    struct expert_answer answer = reported(1000, 200);
    answer.usage.cached_tokens = 900;
    expect_cost(&expert, &answer, COST_USAGE, 8000000, 1000, 200); /* no price of its own */
    cr_assert(price_set_cached_input(&expert.price, 500000000));
    expect_cost(&expert, &answer, COST_USAGE, 100 * 5000 + 900 * 500 + 200 * 15000, 1000, 200);
}

/* litellm #11364: a report of cache reads and writes and reasoning, streamed and not. */
Test(cost, cache_writes_and_reasoning_are_terms_of_their_own)
{
    struct expert expert = expensive;
    struct expert_answer answer = reported(98805, 5120);
    answer.usage.cached_tokens = 66360;
    answer.usage.cache_write_tokens = 32435;
    answer.usage.reasoning_tokens = 1710;
    expect_cost(&expert, &answer, COST_USAGE, 98805 * 5000 + 5120 * 15000, 98805, 5120);
    cr_assert(price_set_cached_input(&expert.price, 500000000));
    price_set_cache_write(&expert.price, 6250000000);
    price_set_reasoning(&expert.price, 20000000000);
    const int64_t want = 10 * 5000 + 66360 * 500 + 32435 * 6250 + 3410 * 15000 + 1710 * 20000;
    expect_cost(&expert, &answer, COST_USAGE, want, 98805, 5120);
    answer.streamed = true;
    expect_cost(&expert, &answer, COST_USAGE, want, 98805, 5120);
    const struct cost cost = cost_of_answer(&expert, &answer, INPUT_TOKENS);
    cr_expect(cost.tokens.cached == 66360 && cost.tokens.cache_write == 32435 &&
              cost.tokens.reasoning == 1710);
}

Test(cost, halves_are_rounded_up_once)
{
    static const int64_t rows[][3] = {/* input, output, nano-USD at half a one each */
                                      {0, 0, 0},
                                      {1, 0, 1},
                                      {1, 1, 1},
                                      {2, 1, 2},
                                      {3, 4, 4}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct expert_answer answer = reported(rows[i][0], rows[i][1]);
        expect_cost(&cheap, &answer, COST_USAGE, rows[i][2], rows[i][0], rows[i][1]);
    }
}

Test(cost, zero_usage_is_zero_whatever_was_generated)
{
    const struct expert_answer answer = reported(0, 0);
    expect_cost(&expensive, &answer, COST_USAGE, 0, 0, 0);
}

Test(cost, missing_usage_is_estimated_and_says_so)
{
    const struct expert_answer answer = {.output_characters = 80}, nothing = {0};
    expect_cost(&expensive, &answer, COST_ESTIMATED, 40 * 5000 + 20 * 15000, 40, 20);
    expect_cost(&expensive, &nothing, COST_ESTIMATED, 40 * 5000, 40, 0);
}

Test(cost, absurd_usage_does_not_wrap_around)
{
    const struct expert_answer answer = reported(INT64_MAX, INT64_MAX);
    expect_cost(&expensive, &answer, COST_USAGE, INT64_MAX, INT64_MAX, INT64_MAX);
}

Test(cost, the_price_is_that_of_the_expert_that_answered)
{
    const struct expert_answer answer = reported(100, 100);
    expect_cost(&cheap, &answer, COST_USAGE, 100, 100, 100);
    expect_cost(&expensive, &answer, COST_USAGE, 2000000, 100, 100);
}

Test(cost, a_failed_try_costs_what_went_out_and_came_back)
{
    const struct expert_answer refused = {.http_status = 429}, broken = {.http_status = 200},
                               cut = {.http_status = 200, .output_characters = 80},
                               late = {.http_status = 502,
                                       .usage = {.known = true, .input_tokens = 7}};
    struct cost cost = cost_of_failure(&expensive, &refused, INPUT_TOKENS, true);
    expect_equal(&cost, COST_USAGE, 0, 0, 0);
    cost = cost_of_failure(&expensive, &broken, INPUT_TOKENS, false);
    expect_equal(&cost, COST_USAGE, 0, 0, 0);
    cost = cost_of_failure(&expensive, &broken, INPUT_TOKENS, true);
    expect_equal(&cost, COST_ESTIMATED, 40 * 5000, 40, 0);
    cost = cost_of_failure(&expensive, &cut, INPUT_TOKENS, true);
    expect_equal(&cost, COST_ESTIMATED, 40 * 5000 + 20 * 15000, 40, 20);
    cost = cost_of_failure(&expensive, &late, INPUT_TOKENS, true);
    expect_equal(&cost, COST_USAGE, 7 * 5000, 7, 0);
}

Test(cost, tokens_are_priced_on_any_basis)
{
    const struct token_counts tokens = {.input = 10, .output = 2};
    const struct cost cost = cost_of_tokens(&expensive, &tokens, COST_PREDICTED);
    expect_equal(&cost, COST_PREDICTED, 10 * 5000 + 2 * 15000, 10, 2);
}

Test(cost, sums_saturate_and_keep_the_weaker_basis)
{
    struct cost sum = {COST_USAGE, 5, {1, 2, 3, 4, 5}};
    const struct cost guessed = {COST_ESTIMATED, 7, {10, 20, 30, 40, 50}},
                      much = {COST_USAGE, INT64_MAX, {.input = INT64_MAX}};
    cost_add(&sum, &guessed);
    expect_equal(&sum, COST_ESTIMATED, 12, 11, 44);
    cr_expect(sum.tokens.cached == 22 && sum.tokens.cache_write == 33 &&
              sum.tokens.reasoning == 55);
    cost_add(&sum, &much);
    expect_equal(&sum, COST_ESTIMATED, INT64_MAX, INT64_MAX, 44);
}

Test(cost, every_basis_has_a_name)
{
    cr_expect_str_eq(cost_basis_name(COST_USAGE), "usage");
    cr_expect_str_eq(cost_basis_name(COST_ESTIMATED), "estimated");
    cr_expect_str_eq(cost_basis_name(COST_PREDICTED), "predicted");
}
