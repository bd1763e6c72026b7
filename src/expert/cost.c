/* What calls to experts cost. One path for streamed and whole answers: the same usage at the same price costs the
 * same. */
#include "expert/cost.h"

#include "base/check.h"
#include "dialect/token_estimate.h"
#include "expert/call.h"

const char *cost_basis_name(enum cost_basis basis)
{
    static const char *const names[] = {"usage", "estimated", "predicted"};
    CHECK(basis >= 0 && basis <= COST_PREDICTED);
    return names[basis];
}

const char *call_outcome_name(enum call_outcome outcome)
{
    static const char *const names[] = {"answered", "failed", "cancelled"};
    CHECK(outcome >= 0 && outcome <= CALL_CANCELLED);
    return names[outcome];
}

static int64_t add_saturated(int64_t a, int64_t b)
{
    int64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

void cost_add(struct cost *sum, const struct cost *more)
{
    if (more->basis > sum->basis)
        sum->basis = more->basis;
    sum->nano_usd = add_saturated(sum->nano_usd, more->nano_usd);
    sum->tokens.input = add_saturated(sum->tokens.input, more->tokens.input);
    sum->tokens.cached = add_saturated(sum->tokens.cached, more->tokens.cached);
    sum->tokens.cache_write = add_saturated(sum->tokens.cache_write, more->tokens.cache_write);
    sum->tokens.output = add_saturated(sum->tokens.output, more->tokens.output);
    sum->tokens.reasoning = add_saturated(sum->tokens.reasoning, more->tokens.reasoning);
}

struct cost cost_of_tokens(const struct expert *expert, const struct token_counts *tokens,
                           enum cost_basis basis)
{
    return (struct cost){.basis = basis,
                         .nano_usd = price_cost_tokens_nano_usd(&expert->price, tokens),
                         .tokens = *tokens};
}

struct cost cost_of_answer(const struct expert *expert, const struct expert_answer *answer,
                           int64_t input_tokens)
{
    const struct openai_usage *u = &answer->usage;
    const struct token_counts told = {.input = u->input_tokens,
                                      .cached = u->cached_tokens,
                                      .cache_write = u->cache_write_tokens,
                                      .output = u->output_tokens,
                                      .reasoning = u->reasoning_tokens};
    if (u->known)
        return cost_of_tokens(expert, &told, COST_USAGE);
    const struct token_counts guessed = {
        .input = input_tokens, .output = tokens_from_characters(answer->output_characters)};
    return cost_of_tokens(expert, &guessed, COST_ESTIMATED);
}

struct cost cost_of_failure(const struct expert *expert, const struct expert_answer *answer,
                            int64_t input_tokens, bool sent)
{
    const struct cost none = {.basis = COST_USAGE};
    bool generated = answer->usage.known || answer->output_characters > 0;
    bool refused = answer->http_status >= 400;
    if (!generated && (refused || !sent))
        return none;
    return cost_of_answer(expert, answer, input_tokens);
}
