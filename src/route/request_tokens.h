/* What a request is in the tokens of an expert whose tokenizer is at hand: its texts, its tools as they are written, a
 * few tokens around each message, and images at what they are taken for. Only so much is counted one by one; what is
 * beyond counts as many tokens a character, by script, as what was counted. */
#pragma once

#include "dialect/openai_request.h"
#include "encode/tokenizer.h"

#define REQUEST_TOKENS_BYTES_MAX (64u << 10) /* counted one by one: a few milliseconds */

/* ERR_MEMORY. */
NODISCARD enum status request_tokens(const struct tokenizer *t, const struct openai_request *r,
                                     struct arena *a, int64_t *ret, struct error *err);
