/* A conversation that is too long, in the words by which clients know it. OpenAI's look for the code
 * context_length_exceeded, Anthropic's for "prompt is too long: N tokens > M maximum"; agents that find them shorten
 * the conversation and go on, and stop at anything else. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define OVERFLOW_CODE "context_length_exceeded"

struct overflow {
    int64_t tokens, maximum; /* of the request, and of the model; both 0: not said */
};

/* Whether an error says so, be it the body of an answer or its message, in the words of OpenAI, Azure, Anthropic,
 * Gemini, Bedrock, Mistral, Cohere, xAI, vLLM, TGI, llama.cpp and their like. */
bool overflow_read(struct str error, struct overflow *ret);
/* "This model's maximum context length is ..." */
void overflow_write_chat(const struct overflow *o, struct buf *out);
/* "prompt is too long: ..." */
void overflow_write_messages(const struct overflow *o, struct buf *out);
