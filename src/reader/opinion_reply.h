/* An expert as orchestrator: the chat completion that asks it whom to ask, and what its answer says in numbers
 * (opinion/opinion_said.h). Nothing in an answer is trusted. Pure; any thread. */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

/* One token is asked for, with the likeliest of them. */
void opinion_request_write(struct str model, struct str head, struct str question, struct buf *out);

/* row [opinion_width(labels)]: the letters' log-probabilities, their entropy and mass; all else is not known and 0.
 * ERR_UNSUPPORTED: it tells no log-probabilities; ERR_UPSTREAM: it is no answer to such a request. */
NODISCARD enum status opinion_reply_row(struct str body, size_t labels, float *row,
                                        struct error *err);
