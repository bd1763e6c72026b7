/* Chat completions to and from Anthropic's Messages API, for experts that speak it. Requests, answers, the events of a
 * stream, tool calls, stop reasons, usage and errors; what the other side has no word for is told by anthropic_lacks
 * before anything is sent. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "dialect/openai_request.h"

#define ANTHROPIC_VERSION "2023-06-01" /* of the header anthropic-version */

/* What of a chat request the Messages API has no concept for ("n above 1", "logprobs", ...); NULL: nothing. */
const char *anthropic_lacks(const struct openai_request *r);

/* The body of POST /messages. output_tokens_limit > 0: no answer may be longer; output_tokens_default stands in where
 * the client gives no limit, because Anthropic demands one. ERR_INPUT: a message it cannot be made of. */
NODISCARD enum status anthropic_request_write(const struct openai_request *r,
                                              struct str upstream_model,
                                              int64_t output_tokens_limit,
                                              int64_t output_tokens_default, struct arena *a,
                                              struct buf *out, struct error *err);
/* The same for a client that speaks Messages itself: its own bytes with model replaced, max_tokens lowered where
 * output_tokens_limit > 0 demands it, and without "leeroo". */
NODISCARD enum status anthropic_request_edit(struct str body, struct str upstream_model,
                                             int64_t output_tokens_limit, struct buf *out,
                                             struct error *err);

/* A whole message → a whole chat completion. usage: prompt_tokens counts all input, with
 * prompt_tokens_details.cached_tokens and .cache_creation_tokens of it. ERR_UPSTREAM: it is none. */
NODISCARD enum status anthropic_answer_to_chat(struct str message, struct buf *out,
                                               struct error *err);

struct anthropic_stream; /* NULL from create: no memory */
struct anthropic_stream *anthropic_stream_create(void);
void anthropic_stream_free(struct anthropic_stream *s); /* NULL is fine */
/* One event → none or more chat chunks, "[DONE]" for message_stop; the chunk in front of it has an empty choices and
 * the usage. An error event becomes {"error":{...}}. Unknown events give nothing. */
void anthropic_stream_event(struct anthropic_stream *s, struct str event, struct str data,
                            void (*on_chunk)(struct str chunk, void *arg), void *arg);
