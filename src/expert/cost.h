/* What calls to experts cost, and how well that is known. Here alone tokens become money: for what a gateway serves,
 * for the questions of self-play, for embeddings and for tries that failed. Money is in nano-USD. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/money.h"

struct expert;
struct expert_answer;

/* What a cost is based on, what is more worth knowing of a sum last. */
enum cost_basis {
    COST_USAGE,     /* the upstream's own counts */
    COST_ESTIMATED, /* characters / 4, because the upstream reported no counts */
    COST_PREDICTED, /* an estimate from before the call */
    COST_LIMITED, /* as much as the request's limits allow, because the upstream's counts cannot be */
};

struct cost {
    enum cost_basis basis;
    int64_t nano_usd;
    struct token_counts tokens;
    int64_t told_input, told_output; /* COST_LIMITED: what the upstream reported; -1: no count */
};

enum call_outcome { CALL_ANSWERED, CALL_FAILED, CALL_CANCELLED }; /* of asking one expert */

const char *call_outcome_name(enum call_outcome outcome); /* "answered", ... */
const char *cost_basis_name(enum cost_basis basis);       /* "usage", "estimated", ... */
bool cost_basis_read(struct str name, enum cost_basis *ret);
/* Saturating; of two bases the later one stays. */
void cost_add(struct cost *sum, const struct cost *more);

/* At the expert's price. */
struct cost cost_of_tokens(const struct expert *expert, const struct token_counts *tokens,
                           enum cost_basis basis);
/* Of an answer, whole or as far as it came. Where the expert reported no usage, its input is taken to be
 * `input_tokens`, an estimate, and its output is counted by characters. A report that cannot be is not believed:
 * negative counts, more input than twice the expert's context (without one: 262,144 tokens and 16 for each byte asked),
 * more output than twice the answer's limit and than its text can be (without a limit: twice the context, or 262,144).
 * Booked is then what was asked and said at most: the context, or a token for each byte; the limit of the answer, or
 * what its characters are estimated at. */
struct cost cost_of_answer(const struct expert *expert, const struct expert_answer *answer,
                           int64_t input_tokens);
/* Of a try that failed; `sent`: the request had gone out. An expert that refused with an HTTP error charges nothing,
 * and neither does one that the request never reached. One that took it and broke off is assumed to charge for what
 * went out and what came back. */
struct cost cost_of_failure(const struct expert *expert, const struct expert_answer *answer,
                            int64_t input_tokens, bool sent);
