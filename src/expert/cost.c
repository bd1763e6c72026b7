/* What calls to experts cost. One path for streamed and whole answers: the same usage at the same price costs the same.
 * A report is an endpoint's word, and no word is worth more than the request could cost: what cannot be is booked at
 * the limits, so that one broken counter empties no budget. Pure functions of what they are given, for any thread.
 * Whoever asks an expert keeps the result; nobody else computes money from tokens. */
#include "expert/cost.h"

#include "base/check.h"
#include "base/saturate.h"
#include "dialect/token_estimate.h"
#include "expert/call.h"

const char *cost_basis_name(enum cost_basis basis)
{
    static const char *const names[] = {"usage", "estimated", "predicted", "limited"};
    CHECK(basis >= 0 && basis <= COST_LIMITED);
    return names[basis];
}

bool cost_basis_read(struct str name, enum cost_basis *ret)
{
    int basis = COST_USAGE;
    while (basis <= COST_LIMITED &&
           !str_equal(name, str_from(cost_basis_name((enum cost_basis)basis))))
        basis++;
    if (basis <= COST_LIMITED)
        *ret = (enum cost_basis)basis;
    return basis <= COST_LIMITED;
}

const char *call_outcome_name(enum call_outcome outcome)
{
    static const char *const names[] = {"answered", "failed", "cancelled"};
    CHECK(outcome >= 0 && outcome <= CALL_CANCELLED);
    return names[outcome];
}

void cost_add(struct cost *sum, const struct cost *more)
{
    if (more->basis > sum->basis)
        sum->basis = more->basis;
    sum->nano_usd = add_saturated(sum->nano_usd, more->nano_usd);
    sum->tokens.input = add_saturated(sum->tokens.input, more->tokens.input);
    sum->tokens.cached = add_saturated(sum->tokens.cached, more->tokens.cached);
    sum->tokens.cache_write = add_saturated(sum->tokens.cache_write, more->tokens.cache_write);
    sum->tokens.cache_write_1h =
        add_saturated(sum->tokens.cache_write_1h, more->tokens.cache_write_1h);
    sum->told_input = add_saturated(sum->told_input, more->told_input);
    sum->told_output = add_saturated(sum->told_output, more->told_output);
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

/* Reports */

#define UNTOLD_TOKENS_MAX  INT64_C(262144) /* believed where no limit is known */
#define TOKENS_PER_BYTE    16              /* of input, with what an endpoint puts in front */
#define TOKENS_PER_QUARTER 16              /* of output, for what is estimated at one */
#define TOKENS_SPARE       64

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t bytes_asked(const struct expert_answer *a)
{
    return a->asked_bytes > INT64_MAX ? INT64_MAX : (int64_t)a->asked_bytes;
}

static bool input_can_be(const struct expert *e, const struct expert_answer *a, int64_t tokens)
{
    int64_t most = times_saturated(e->context_tokens, 2);
    if (e->context_tokens == 0)
        most = add_saturated(UNTOLD_TOKENS_MAX, times_saturated(bytes_asked(a), TOKENS_PER_BYTE));
    return tokens <= most;
}

/* A limit of the answer need not hold for reasoning, and some endpoints pass over it: then the text shows. */
static bool output_can_be(const struct expert *e, const struct expert_answer *a)
{
    const struct openai_usage *u = &a->usage;
    int64_t most = e->context_tokens ? times_saturated(e->context_tokens, 2) : UNTOLD_TOKENS_MAX;
    int64_t said = tokens_from_characters(a->output_characters);
    int64_t seen = u->output_tokens - smaller(u->reasoning_tokens, u->output_tokens);
    said = add_saturated(times_saturated(said, TOKENS_PER_QUARTER), TOKENS_SPARE);
    if (a->output_tokens_max > 0 && seen > larger(times_saturated(a->output_tokens_max, 2), said))
        return false;
    return smaller(u->output_tokens, u->reasoning_tokens) <= larger(most, said) &&
           (a->output_tokens_max > 0 || seen <= larger(most, said));
}

static int64_t input_allowed(const struct expert *e, const struct expert_answer *a)
{
    return e->context_tokens ? e->context_tokens : bytes_asked(a);
}

static int64_t output_allowed(const struct expert_answer *a)
{
    return a->output_tokens_max > 0 ? a->output_tokens_max
                                    : tokens_from_characters(a->output_characters);
}

/* What cannot be of a report is replaced by what the limits allow; the rest of it stands. */
static struct cost cost_limited(const struct expert *e, const struct expert_answer *a,
                                int64_t input_tokens, const struct token_counts *told)
{
    struct token_counts t = *told;
    bool known = a->usage.known;
    if (!known)
        t = (struct token_counts){.input = input_tokens, .output = output_allowed(a)};
    else if (!input_can_be(e, a, t.input))
        t.input = smaller(t.input, input_allowed(e, a));
    if (known && !output_can_be(e, a))
        t.output = smaller(t.output, output_allowed(a));
    t.cached = smaller(t.cached, t.input);
    t.cache_write = smaller(t.cache_write, t.input - t.cached);
    t.cache_write_1h = smaller(t.cache_write_1h, t.cache_write);
    t.reasoning = smaller(t.reasoning, t.output);
    struct cost cost = cost_of_tokens(e, &t, COST_LIMITED);
    cost.told_input = known ? told->input : -1;
    cost.told_output = known ? told->output : -1;
    return cost;
}

struct cost cost_of_answer(const struct expert *expert, const struct expert_answer *answer,
                           int64_t input_tokens)
{
    const struct openai_usage *u = &answer->usage;
    const struct token_counts told = {.input = u->input_tokens,
                                      .cached = u->cached_tokens,
                                      .cache_write = u->cache_write_tokens,
                                      .cache_write_1h = u->cache_write_1h_tokens,
                                      .output = u->output_tokens,
                                      .reasoning = u->reasoning_tokens};
    if (u->odd ||
        (u->known && (!input_can_be(expert, answer, told.input) || !output_can_be(expert, answer))))
        return cost_limited(expert, answer, input_tokens, &told);
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
    bool generated = answer->usage.known || answer->usage.odd || answer->output_characters > 0;
    bool refused = answer->http_status >= 400;
    if (!generated && (refused || !sent))
        return none;
    return cost_of_answer(expert, answer, input_tokens);
}
