/* Anthropic's Messages API, for experts that speak it: chat requests become Messages requests, and answers, streams and
 * errors become chat's again. anthropic_lacks says beforehand what of a request Messages cannot express; such a request
 * is never sent. dialect/dialect_anthropic.c makes a row of these functions. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "dialect/dropped.h"
#include "dialect/openai_request.h"

#define ANTHROPIC_VERSION "2023-06-01" /* of the header anthropic-version */

/* What of a chat request Messages cannot express ("n above 1", "logprobs", ...), a static text; NULL: nothing. */
const char *anthropic_lacks(const struct openai_request *r);
/* The wishes of a request that Messages has no word for and that are left out: "verbosity", "service_tier". */
void anthropic_drops(const struct openai_request *r, struct dropped *into);

/* The body of POST /messages. output_tokens_limit > 0: no answer may be longer. output_tokens_default is used where the
 * client gives no limit, because Anthropic demands one. ERR_UNSUPPORTED: what anthropic_lacks names. ERR_INPUT: a
 * message that cannot be translated. On failure `out` is as it was. */
NODISCARD enum status anthropic_request_write(const struct openai_request *r,
                                              struct str upstream_model,
                                              int64_t output_tokens_limit,
                                              int64_t output_tokens_default, struct arena *a,
                                              struct buf *out, struct error *err);
/* The same for a client that speaks Messages itself: its own bytes with another model, with max_tokens lowered to
 * output_tokens_limit where that is above 0, and without "leeroo". system_first: what messages of the role system say
 * is said by the user. */
NODISCARD enum status anthropic_request_edit(struct str body, struct str upstream_model,
                                             int64_t output_tokens_limit, bool system_first,
                                             struct buf *out, struct error *err);

/* A whole message → a whole chat completion. usage: prompt_tokens counts all input, with
 * prompt_tokens_details.cached_tokens and .cache_creation_tokens of it. ERR_UPSTREAM: it is no message. */
NODISCARD enum status anthropic_answer_to_chat(struct str message, struct buf *out,
                                               struct error *err);

struct anthropic_stream; /* NULL from create: no memory */
/* Signed thinking: with `collects` as one list of whole blocks before the end, as a whole answer has it; else each
 * block at its place, without the text, which was told as reasoning. */
struct anthropic_stream *anthropic_stream_create(bool collects);
void anthropic_stream_free(struct anthropic_stream *s); /* NULL is fine */
/* One event → any number of chat chunks, also none. message_stop becomes a chunk with empty choices and the usage, and
 * then "[DONE]". An error event becomes {"error":{...}}. Unknown events become nothing. */
void anthropic_stream_event(struct anthropic_stream *s, struct str event, struct str data,
                            void (*on_chunk)(struct str chunk, void *arg), void *arg);
/* Whether an event shows that the answer goes on, also where chat has no chunk for it: blocks of tools that Anthropic
 * runs, citations, the begin of a thought. Pings, empty texts and the head of the message do not. */
bool anthropic_stream_moves(struct str data);
