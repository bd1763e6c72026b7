/* Private to front_completions*.c. */
#pragma once

#include "front/front_int.h"

#define COMPLETIONS_TOKENS_DEFAULT 16  /* of max_tokens, as OpenAI documents it */
#define COMPLETIONS_LOGPROBS_MAX   20  /* what chat allows; OpenAI's own completions stop at 5 */
#define COMPLETIONS_CHOICES_MAX    128 /* whose text offsets a stream counts; OpenAI's limit of n */

NODISCARD enum status completions_request(struct str body, struct arena *a, struct front_chat *ret,
                                          const char **ret_param, struct error *err);
NODISCARD enum status completions_answer(const struct front_context *c, struct str completion,
                                         struct buf *out, struct error *err);
void *completions_begin(const struct front_context *c, struct arena *a);
void completions_event(void *state, struct str data, struct buf *out);
void completions_end(void *state, struct buf *out);
void completions_fail(void *state, const struct front_error *e, struct buf *out);
void completions_error(const struct front_error *e, struct buf *out);
