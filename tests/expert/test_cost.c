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

/* A call's answer with the limits that it was asked under. */
static struct expert_answer limited(int64_t input, int64_t output)
{
    struct expert_answer answer = reported(input, output);
    answer.output_characters = 8;
    answer.asked_bytes = 100;
    answer.output_tokens_max = 50;
    return answer;
}

Test(cost, reports_that_cannot_be_are_booked_at_the_limits)
{
    struct expert expert = expensive;
    struct expert_answer answer = limited(1000000000000, 1000000000000);
    answer.usage.cached_tokens = 1000000000000;
    expect_cost(&expert, &answer, COST_LIMITED, 100 * 5000 + 50 * 15000, 100, 50);
    struct cost cost = cost_of_answer(&expert, &answer, INPUT_TOKENS);
    cr_expect(cost.told_input == 1000000000000 && cost.told_output == 1000000000000);
    cr_expect_eq(cost.tokens.cached, 100);
    expert.context_tokens = 8192;
    answer = limited(16384, 100);
    expect_cost(&expert, &answer, COST_USAGE, 16384 * 5000 + 100 * 15000, 16384, 100);
    answer = limited(16385, 30);
    expect_cost(&expert, &answer, COST_LIMITED, 8192 * 5000 + 30 * 15000, 8192, 30);
    answer = limited(20, 101);
    expect_cost(&expert, &answer, COST_LIMITED, 20 * 5000 + 50 * 15000, 20, 50);
    answer = limited(20, 300); /* an endpoint that passes over its limit */
    answer.output_characters = 1200;
    expect_cost(&expert, &answer, COST_USAGE, 20 * 5000 + 300 * 15000, 20, 300);
    answer = limited(20, 5005); /* reasoning is not held to the limit everywhere */
    answer.usage.reasoning_tokens = 5000;
    expect_cost(&expert, &answer, COST_USAGE, 20 * 5000 + 5005 * 15000, 20, 5005);
    answer.usage.output_tokens = answer.usage.reasoning_tokens = 16385;
    expect_cost(&expert, &answer, COST_LIMITED, 20 * 5000 + 50 * 15000, 20, 50);
}

Test(cost, counts_that_are_none_are_booked_at_the_limits)
{
    struct expert_answer answer = limited(0, 0);
    answer.usage = (struct openai_usage){.odd = true};
    expect_cost(&expensive, &answer, COST_LIMITED, INPUT_TOKENS * 5000 + 50 * 15000, INPUT_TOKENS,
                50);
    const struct cost cost = cost_of_answer(&expensive, &answer, INPUT_TOKENS);
    cr_expect(cost.told_input == -1 && cost.told_output == -1);
}

Test(cost, an_hour_in_the_cache_costs_twice_the_input)
{
    struct expert expert = expensive;
    struct expert_answer answer = reported(1100, 0);
    answer.usage.cache_write_tokens = 1000;
    answer.usage.cache_write_1h_tokens = 600;
    price_set_cache_write(&expert.price, 6250000000);
    expect_cost(&expert, &answer, COST_USAGE, 100 * 5000 + 400 * 6250 + 600 * 10000, 1100, 0);
    price_set_cache_write_1h(&expert.price, 7000000000);
    expect_cost(&expert, &answer, COST_USAGE, 100 * 5000 + 400 * 6250 + 600 * 7000, 1100, 0);
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
    const struct token_counts most = {.input = INT64_MAX, .output = INT64_MAX};
    const struct cost cost = cost_of_tokens(&expensive, &most, COST_USAGE);
    expect_equal(&cost, COST_USAGE, INT64_MAX, INT64_MAX, INT64_MAX);
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
    struct cost sum = {.basis = COST_USAGE, .nano_usd = 5, .tokens = {1, 2, 3, 1, 4, 5}};
    const struct cost guessed = {.basis = COST_ESTIMATED,
                                 .nano_usd = 7,
                                 .tokens = {10, 20, 30, 10, 40, 50}},
                      much = {.nano_usd = INT64_MAX, .tokens = {.input = INT64_MAX}};
    cost_add(&sum, &guessed);
    expect_equal(&sum, COST_ESTIMATED, 12, 11, 44);
    cr_expect(sum.tokens.cached == 22 && sum.tokens.cache_write == 33 &&
              sum.tokens.cache_write_1h == 11 && sum.tokens.reasoning == 55);
    cost_add(&sum, &much);
    expect_equal(&sum, COST_ESTIMATED, INT64_MAX, INT64_MAX, 44);
}

Test(cost, every_basis_has_a_name)
{
    cr_expect_str_eq(cost_basis_name(COST_USAGE), "usage");
    cr_expect_str_eq(cost_basis_name(COST_ESTIMATED), "estimated");
    cr_expect_str_eq(cost_basis_name(COST_PREDICTED), "predicted");
    cr_expect_str_eq(cost_basis_name(COST_LIMITED), "limited");
    enum cost_basis basis = COST_USAGE;
    cr_expect(cost_basis_read(STR("limited"), &basis) && basis == COST_LIMITED);
    cr_expect_not(cost_basis_read(STR("guessed"), &basis));
    cr_expect_eq(basis, COST_LIMITED);
}
